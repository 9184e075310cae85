"""The pictures of the README, taken in a real browser from a desk with believable work on it.

    python -m evals.pictures [FOLDER] [--only NAME …] [--phone]

writes PNG files, by default into evals/screenshots; `--phone` takes the staff pages at 390 pixels instead. Needs Chromium and Playwright.
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import select

from api.app import create
from api.bootstrap import Service, new_secret, running, utc_now
from api.ingesting import Order, ingest
from api.jobs.kinds import JOBS
from api.jobs.worker import run_due
from api.messages import delivering, webhooks
from api.messages.channels import Channels
from api.messages.guarded import Answer, Internal, NoAnswer, Poster
from api.messages.tables import Follow, WebhookFormat
from api.messages.webhooks import Wanted
from api.operations import LocalOperations
from api.serving import warm
from api.settings import ApiSettings, Settings
from api.staff import sessions
from api.staff.door import LOOPBACK_COOKIE
from api.staff.sessions import Lasting, NewSession
from api.tables import Account
from assistant.settings import AssistantSettings
from escalation import queues
from escalation.outbox_tables import Delivery, DeliveryState
from escalation.tables import Ticket
from evals.desk_sample import SAMPLE, Moving
from evals.desk_sample import fill as fill_desk
from knowledge.settings import KnowledgeSettings

HERE = Path(__file__).parent / "screenshots"
WIDE, PHONE = (1440, 900), (390, 844)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
TICKET_ABOUT = "Google Sheets"


@dataclass(frozen=True)
class Page:
    """A page of the staff, as somebody sees it; `{}` is the number of a ticket with much in it."""

    name: str
    path: str
    who: str = "kim"


PAGES = (
    Page("desk-queue", "/desk"),
    Page("desk-ticket", "/desk/tickets/{}"),
    Page("desk-overview", "/desk/overview"),
    Page("operations-jobs", "/staff/jobs", "ada"),
    Page("operations-messages", "/staff/outbox", "ada"),
    Page("operations-webhooks", "/staff/webhooks", "ada"),
    Page("operations-recipients", "/staff/recipients", "ada"),
)
IN_README = ("desk-queue", "desk-ticket", "desk-overview", "operations-messages")
HANDOVER = "widget-handover"


@dataclass(frozen=True)
class Failing(Poster):
    """Receivers of which the chat takes everything and the other nothing; no connection is opened."""

    def post(self, url: str, headers: Any, body: bytes) -> Answer:  # noqa: ARG002 - as a Poster
        """Taken by the chat."""
        if "hooks" in url:
            return Answer(200, {}, "ok")
        raise NoAnswer("no answer within 15 seconds")


def fill(service: Service, clock: Moving) -> None:
    """The desk's sample, two webhooks of which one does not answer, and mails for which there is no server."""
    now = clock()
    with service.database.write() as session:
        for name, url, kind in (
            ("Chat of the team", "https://hooks.chat.example/T0/B1", WebhookFormat.SLACK),
            ("Customer database", "https://crm.example/in", WebhookFormat.STANDARD),
        ):
            told = Wanted(name, url, kind, ["opened", "escalated"] if kind == WebhookFormat.SLACK else [])
            secret = webhooks.secret_of(b"only for pictures of the pages!!")
            webhooks.add(session, told, Internal(), new_id=service.new_id(), secret=secret, by="ada", now=now)
    fill_desk(service, clock)
    with service.database.write() as session:
        for account in session.scalars(select(Account)):
            session.add_all(Follow(account_id=account.id, what=f"queue {queue}") for queue in queues.load())
    clock.at = now - timedelta(hours=1)
    run_due(service, JOBS)
    delivering.call_webhooks(service, clock())
    with service.database.write() as session:
        for number, one in enumerate(session.scalars(select(Delivery).where(Delivery.state == DeliveryState.WAITING)).all()):
            if number % 4 == 0:
                one.state, one.tries, one.ended_at = DeliveryState.DEAD, 10, clock()
                one.error = one.error or "no answer within 15 seconds"
            elif number % 4 > 1:
                one.state, one.ended_at, one.error = DeliveryState.SENT, clock(), ""
    clock.at = now
    run_due(service, [job for job in JOBS if not job.needs_index and job.name not in {"webhooks", "mail"}])


@contextmanager
def served(folder: Path) -> Iterator[tuple[Service, str]]:
    """The filled service and its address."""
    api = ApiSettings(data=folder, widget_origins="*", requests_per_minute=100_000)
    assistant = AssistantSettings(product="Tallyboard", contact="support@tallyboard.example")
    clock = Moving(utc_now())
    with running(Settings(api=api, assistant=assistant, knowledge=KnowledgeSettings(embedder="minilm")), now=clock) as made:
        service = replace(made, channels=Channels(None, Failing()))
        report = ingest(Order(SAMPLE, "sample"), LocalOperations(service), lambda _done, _of: None)
        if report.failed:
            raise RuntimeError(report.troubles)
        fill(service, clock)
        warm(service)
        server = uvicorn.Server(uvicorn.Config(create(service), host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=2))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield service, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def signed_in(service: Service, short: str) -> str:
    """The cookie of a member of staff."""
    new = NewSession(service.new_id(), new_secret(), new_secret(), "Chrome on Linux")
    with service.database.write() as session:
        account = session.scalars(select(Account).where(Account.email == f"{short}@tallyboard.example")).one()
        sessions.begin(session, account, new, Lasting(timedelta(days=7), timedelta(days=7)), now=service.now())
    return new.token


def take(service: Service, url: str, browser: Any, wanted: Sequence[Page], folder: Path, size: tuple[int, int]) -> None:
    """A picture of each page."""
    with service.database.read() as session:
        number = session.scalars(select(Ticket.number).where(Ticket.goal.contains(TICKET_ABOUT))).first() or 1
    for one in wanted:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB", reduced_motion="reduce")
        context.add_cookies([{"name": LOOPBACK_COOKIE, "value": signed_in(service, one.who), "url": url}])
        page = context.new_page()
        page.goto(url + one.path.format(number))
        page.wait_for_timeout(1500)
        page.screenshot(path=folder / f"{one.name}.png", full_page=size == PHONE)
        context.close()
        sys.stdout.write(f"{one.name}.png\n")


def take_handover(url: str, browser: Any, folder: Path) -> None:
    """The widget after a visitor has called a person: what the handover message promises, by their own clock."""
    context = browser.new_context(
        viewport={"width": 520, "height": 830}, locale="en-GB", timezone_id="Europe/Berlin", reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{url}/demo")
    page.locator("firstline-widget .launcher").click()
    frame = page.frame_locator("firstline-widget iframe")
    frame.locator(".talk").click()
    frame.locator(".composer textarea").fill("The export of my dashboard stays empty. Can I talk to a person?")
    frame.locator(".composer textarea").press("Enter")
    frame.locator(".message.handover .ticket").wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / f"{HANDOVER}.png")
    context.close()
    sys.stdout.write(f"{HANDOVER}.png\n")


def main() -> None:
    """Take them."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a tool of development

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    parser.add_argument("--only", nargs="+", default=[*IN_README, HANDOVER])
    parser.add_argument("--phone", action="store_true")
    chosen = parser.parse_args()
    wanted = [page for page in PAGES if page.name in chosen.only]
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, served(Path(data)) as (service, url), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or None, args=ARGUMENTS)
        take(service, url, browser, wanted, chosen.folder, PHONE if chosen.phone else WIDE)
        if HANDOVER in chosen.only:
            take_handover(url, browser, chosen.folder)
        browser.close()


if __name__ == "__main__":
    main()
