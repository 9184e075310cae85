"""The operator's pages and interface: jobs, messages with dead letters, webhooks, and what leaves this server."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from api.app import create
from api.bootstrap import Service, running_without_index
from api.jobs.kinds import JOBS
from api.jobs.worker import run_due
from api.messages import delivering
from api.messages.channels import Channels
from api.messages.tables import Follow, Unwanted, Webhook
from api.tables import StaffRole
from escalation import outbox
from escalation.outbox_tables import Delivery, DeliveryState
from tests.api.sinks import Mailbox, hook, mailbox, settings_with
from tests.api.staffing import Colleague, said
from tests.api.test_delivering import assigned, hooked, opened, run
from tests.builders import Clock, firstline


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path, clock: Clock, prepared_sqlite: Path, box: Mailbox) -> Iterator[Service]:
    (tmp_path / "data").mkdir()
    shutil.copy(prepared_sqlite, tmp_path / "data")
    with running_without_index(settings_with(tmp_path / "data", box), now=clock) as service:
        yield service


def admin_of(service: Service) -> Colleague:
    return Colleague.arrives(service, StaffRole.ADMIN, app=create(service))


def test_the_page_of_jobs_shows_each_and_makes_one_due(desk: Service, clock: Clock) -> None:
    admin = admin_of(desk)
    assert "when a worker starts" in said(admin.get("/staff/jobs"))
    known = [replace(job, run=lambda _service, _now: "all is well") for job in JOBS]
    run_due(desk, known)
    shown = said(admin.get("/staff/jobs"))
    assert shown.count("all is well") == len(JOBS)
    assert run_due(desk, known) == {}
    assert admin.post("/staff/jobs/sweep/run").headers["location"] == "/staff/jobs?said=due"
    assert run_due(desk, known) == {"sweep": True}
    assert admin.post("/staff/jobs/nothing/run").status_code == 404


def test_dead_letters_are_shown_and_sent_again_one_or_all(desk: Service, box: Mailbox) -> None:
    admin = admin_of(desk)
    box.to = {admin.account.email: "550 no"}
    for _ in range(2):
        assigned(desk, opened(desk), admin.account)
    run(desk)
    shown = said(admin.get("/staff/outbox"))
    assert "the server refuses the recipient (550)" in shown
    assert admin.account.email not in shown
    with desk.database.read() as session:
        first = outbox.listed(session, DeliveryState.DEAD, 10)[0].id
    box.to = {}
    assert admin.post("/staff/outbox/replay", delivery=first).status_code == 303
    run(desk)
    assert len(box.letters) == 1
    assert admin.post("/staff/outbox/replay").status_code == 303
    run(desk)
    assert len(box.letters) == 2
    assert "Nothing was given up" in said(admin.get("/staff/outbox"))


def test_a_webhooks_secret_is_shown_once_and_its_address_never(desk: Service) -> None:
    admin = admin_of(desk)
    made = admin.post("/staff/webhooks", name="Chat", url="https://hooks.example.com/T0/very-secret", format="standard")
    with desk.database.read() as session:
        kept = session.scalars(select(Webhook)).one()
    assert kept.secret in made.text
    shown = admin.get("/staff/webhooks").text
    assert kept.secret not in shown
    assert "very-secret" not in shown
    assert "hooks.example.com" in shown
    again = admin.post(f"/staff/webhooks/{kept.id}/rotate")
    with desk.database.read() as session:
        new = session.get_one(Webhook, kept.id)
    assert (new.secret in again.text, new.old_secret) == (True, kept.secret)
    for verb, count in (("disable", 1), ("enable", 1), ("drop", 0)):
        assert admin.post(f"/staff/webhooks/{kept.id}/{verb}").status_code == 303
        with desk.database.read() as session:
            assert len(session.scalars(select(Webhook)).all()) == count
    assert admin.post(f"/staff/webhooks/{kept.id}/drop").status_code == 404


def test_an_address_inside_is_refused_in_words_and_what_was_typed_stays(desk: Service) -> None:
    refused = admin_of(desk).post("/staff/webhooks", name="Mine", url="https://169.254.169.254/latest")
    assert refused.status_code == 422
    assert "not public" in said(refused)
    assert 'value="https://169.254.169.254/latest"' in refused.text


def test_the_interface_keeps_webhooks_and_tells_the_secret_once(desk: Service) -> None:
    admin = admin_of(desk)
    headers = {"X-CSRF-Token": admin.new.csrf}
    body = {"name": "Chat", "url": "https://example.com/a", "kinds": ["opened"]}
    made = admin.client.post("/api/desk/webhooks", json=body, headers=headers).json()
    assert made["secret"].startswith("whsec_")
    assert [(one["name"], one["secret"]) for one in admin.client.get("/api/desk/webhooks").json()["webhooks"]] == [("Chat", None)]
    assert admin.client.put(f"/api/desk/webhooks/{made['id']}", json={**body, "name": "Other"}, headers=headers).json()["name"] == "Other"
    assert admin.client.post(f"/api/desk/webhooks/{made['id']}/rotate", json={}, headers=headers).json()["secret"] != made["secret"]
    assert admin.client.post("/api/desk/webhooks", json={**body, "url": "http://10.0.0.1"}, headers=headers).status_code == 422
    assert admin.client.delete(f"/api/desk/webhooks/{made['id']}", headers=headers).status_code == 204
    assert admin.client.delete(f"/api/desk/webhooks/{made['id']}", headers=headers).status_code == 404


def test_what_leaves_this_server_is_listed_and_nothing_is_when_nothing_does(desk: Service) -> None:
    silent = replace(desk, channels=Channels(None, desk.channels.poster))
    assert "Nothing leaves this server" in said(admin_of(silent).get("/staff/recipients"))
    with hook() as sink:
        hooked(desk, sink.url)
    shown = said(admin_of(desk).get("/staff/recipients"))
    assert "Mail server" in shown
    assert "Webhook “Chat”" in shown


def test_an_agent_chooses_what_to_be_told(desk: Service, box: Mailbox) -> None:
    agent = Colleague.arrives(desk)
    page = agent.get("/staff/account").text
    assert "Engineering lead" in page
    assert page.count("checked") == 5
    follows = ["queue billing", "tier Engineering lead", "queue nowhere"]
    sent = agent.client.post("/staff/account/messages", data={"csrf": agent.new.csrf, "wanted": ["new"], "follows": follows})
    assert sent.status_code == 303
    with desk.database.read() as session:
        assert set(session.scalars(select(Follow.what))) == {"queue billing", "tier Engineering lead"}
        assert set(session.scalars(select(Unwanted.choice))) == {"assigned", "wrote", "clock", "called"}
    assigned(desk, opened(desk), agent.account)
    run(desk)
    assert [letter["Subject"] for letter in box.letters] == ["[1] New ticket"]


def test_the_command_line_keeps_webhooks_and_sends_again(desk: Service, tmp_path: Path, box: Mailbox) -> None:
    admin = admin_of(desk)
    box.to = {admin.account.email: "550 no"}
    assigned(desk, opened(desk), admin.account)
    delivering.spread(desk, desk.now())
    delivering.send_mail(desk, desk.now())
    data = tmp_path / "data"
    listed = firstline(data, "outbox", "list")
    assert "(550)" in listed.stdout
    assert "1 dead" in listed.stderr
    assert firstline(data, "outbox", "replay", "--all").stdout == "1 to be sent again\n"
    added = firstline(data, "webhooks", "add", "Chat", "https://hooks.example.com/x")
    assert added.stdout.startswith("whsec_")
    refused = firstline(data, "webhooks", "add", "Chat", "https://127.0.0.1/x")
    assert (refused.returncode, "not public" in refused.stderr) == (2, True)
    with desk.database.read() as session:
        assert [one.state for one in session.scalars(select(Delivery))] == [DeliveryState.WAITING]
        assert [one.name for one in session.scalars(select(Webhook))] == ["Chat"]
