"""`firstline doctor`: whether every way to get help answers, from outside and end to end, and how to mend what does not."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    import httpx

    from api.database import Database
    from api.messages.guarded import Poster
    from api.messages.mailing import Mailer
    from api.messages.tables import Webhook
    from api.settings import Settings

SECONDS = 30.0
TAG = "doctor"
TEXT = "This is a test of `firstline doctor`. It is closed at once; nobody needs to answer."
REVIEWED_WITHIN = timedelta(days=365)
PAGES = (
    ("help page", "/help", "the address of the server, and whether `firstline serve` runs"),
    ("FAQ", "/faq", "the address of the server"),
    ("contact form", "/help/contact", "whether a proxy in front of the server passes /help on"),
    ("bug report", "/help/report", "whether a proxy in front of the server passes /help on"),
    ("widget: loader", "/widget.js", "whether a proxy in front of the server passes /widget.js on"),
    ("widget: panel", "/widget/panel", "whether a proxy in front of the server passes /widget on"),
)


class State(StrEnum):
    """What was found."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One check; `mend` says what to do unless it is well."""

    state: State
    what: str
    says: str = ""
    mend: str = ""


def doctor(
    url: Annotated[str, typer.Option(help="Address of the server; by default the one that runs here, or FIRSTLINE_PUBLIC_URL.")] = "",
    mail_to: Annotated[str, typer.Option(help="Also send a test mail to this address.")] = "",
) -> None:
    """Check every way to get help, from outside and end to end. Exit code 1 when something is wrong."""
    import httpx

    from api.bootstrap import utc_now
    from api.cli.main import database
    from api.settings import from_environment

    settings = from_environment()
    base = url or address_of(settings)
    typer.echo(f"checking {base}", err=True)
    with httpx.Client(base_url=base, timeout=SECONDS, follow_redirects=True, headers={"User-Agent": "firstline-doctor"}) as client:
        found = list(examined(client, settings, database, utc_now, mail_to))
    for finding in found:
        typer.echo(f"{finding.state:8} {finding.what}" + (f": {finding.says}" if finding.says else ""))
        if finding.mend:
            typer.echo(f"         → {finding.mend}")
    wrong = sum(finding.state is State.WRONG for finding in found)
    typer.echo(f"{len(found)} checks, {wrong} wrong", err=True)
    raise typer.Exit(1 if wrong else 0)


def address_of(settings: "Settings") -> str:
    """Where the server is: the one on this machine, else the public address."""
    from api.bootstrap import owner_file

    file = owner_file(settings)
    told = json.loads(file.read_text(encoding="utf-8") or "{}") if file.exists() else {}
    return str(told.get("url") or settings.api.public_url or f"http://{settings.api.host}:{settings.api.port}")


def examined(
    client: "httpx.Client",
    settings: "Settings",
    database: Callable[[], AbstractContextManager["Database"]],
    now: Callable[[], datetime],
    send_to: str = "",
) -> Iterator[Finding]:
    """Every check, in the order in which they are told; a server that does not answer ends the checks of the server."""
    ready = guarded("server", lambda: _ready(client))
    yield ready
    if ready.state is not State.WRONG:
        for what, path, mend in PAGES:
            yield guarded(what, lambda what=what, path=path, mend=mend: _page(client, what, path, mend))  # type: ignore[misc]
        yield guarded("bug report: way in", lambda: _form_taken(client))
        yield guarded("test question", lambda: _question(client, settings))
        yield guarded("test ticket", lambda: _ticket(client, database, now))
    if settings.assistant.chat_model:
        yield _chat_model(settings)
    yield from _judges(settings)
    with database() as opened:
        yield _admin(opened)
        yield from _ways_out(opened, settings, send_to)
    yield from _settings(settings, now().date())


def guarded(what: str, check: Callable[[], Finding]) -> Finding:
    """A check that cannot be made is wrong, too."""
    import httpx

    try:
        return check()
    except (httpx.HTTPError, ValueError, LookupError) as error:
        return Finding(
            State.WRONG, what, f"{type(error).__name__}: {error}", "start it with `firstline serve`, or give its address with --url"
        )


# ── the server ──────────────────────────────────────────────────────────────────────────────────────


def _ready(client: "httpx.Client") -> Finding:
    response = client.get("/readyz")
    if response.is_success:
        return Finding(State.OK, "server", "ready")
    return Finding(State.WRONG, "server", f"/readyz says {response.status_code}", f"what it says: {response.text[:200]}")


def _page(client: "httpx.Client", what: str, path: str, mend: str) -> Finding:
    response = client.get(path)
    if response.is_success and response.content:
        return Finding(State.OK, what, path)
    return Finding(State.WRONG, what, f"{path} says {response.status_code}", f"check {mend}")


def _form_taken(client: "httpx.Client") -> Finding:
    """An empty report must be refused for being empty: then a full one is taken."""
    response = client.post("/api/forms/bug_report", json={"client_id": "doctor-doctor-doctor"})
    if response.status_code == 422:  # noqa: PLR2004 - what was sent cannot be taken
        return Finding(State.OK, "bug report: way in", "/api/forms/bug_report")
    mend = "check whether a proxy in front of the server passes POST /api/forms on"
    return Finding(State.WRONG, "bug report: way in", f"an empty report gives {response.status_code}", mend)


def _question(client: "httpx.Client", settings: "Settings") -> Finding:
    """The FAQ that is asked most must be answered, or at least offered, when it is asked again."""
    what = "test question"
    if not settings.api.assistant_on:
        return Finding(State.WARNING, what, "the assistant is switched off", "set FIRSTLINE_ASSISTANT_ON=true to let it answer")
    questions = _json(client.get("/widget/config"))["questions"]
    if not questions:
        return Finding(State.WARNING, what, "there is no FAQ to ask", "publish articles and FAQs with `firstline ingest`")
    begun = _json(client.post("/api/conversations", json={}))
    headers = {"Authorization": f"Bearer {begun['secret']}"}
    asked = questions[0]["title"]
    reply = _json(client.post(f"/api/conversations/{begun['id']}/messages", json={"text": asked}, headers=headers))
    outcome = str(reply["outcome"])
    if outcome.startswith(("answered", "offered")):
        return Finding(State.OK, what, f"“{asked}” gives {outcome}")
    return Finding(
        State.WRONG, what, f"“{asked}” gives {outcome}", f'look at `firstline search --explain "{asked}"`, or run `firstline reindex`'
    )


def _ticket(client: "httpx.Client", database: Callable[[], AbstractContextManager["Database"]], now: Callable[[], datetime]) -> Finding:
    """A ticket through the form, read with its secret, then resolved and closed so that nobody works on it."""
    from api.bootstrap import new_id

    form = {"client_id": f"doctor-{new_id()}", "goal": TEXT, "details": {"name": "firstline doctor"}}
    sent = _json(client.post("/api/forms/contact", json=form))
    number, headers = sent["ticket"]["number"], {"Authorization": f"Bearer {sent['secret']}"}
    path = f"/api/conversations/{sent['conversation_id']}/ticket"
    seen = _json(client.get(path, headers=headers))
    if seen["number"] != number:
        return Finding(
            State.WRONG, "test ticket", f"ticket {number} was opened, but {seen['number']} is shown", "this is a fault: report it"
        )
    with database() as opened:
        if not _closed(opened, sent["conversation_id"], now()):
            mend = "close it at the desk; run the doctor with the settings of the server (FIRSTLINE_DATA or FIRSTLINE_DATABASE_URL)"
            return Finding(State.WARNING, "test ticket", f"ticket {number} was opened, but this database does not hold it", mend)
    if client.get(path, headers=headers).status_code != 404:  # noqa: PLR2004 - no ticket has the conversation any more
        return Finding(State.WRONG, "test ticket", f"ticket {number} is still open", "close it at the desk")
    return Finding(State.OK, "test ticket", f"ticket {number} was opened, read, resolved and closed")


def _closed(opened: "Database", conversation_id: str, now: datetime) -> bool:
    """Mark the test ticket and close it; False when this database does not have it."""
    from assistant import handover
    from escalation import tickets, work
    from escalation.tables import TicketState

    with opened.write() as session:
        ticket = tickets.of_conversation(session, conversation_id)
        if ticket is None:
            return False
        work.tag(session, ticket, [*ticket.tags, TAG], by=TAG, now=now, expected_version=ticket.version)
        tickets.advance(session, ticket, TicketState.RESOLVED, by=TAG, now=now)
        handover.close(session, ticket, by=TAG, now=now)
    return True


def _json(response: "httpx.Response") -> dict[str, Any]:
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


# ── what the operator has set ───────────────────────────────────────────────────────────────────────


def _chat_model(settings: "Settings") -> Finding:
    """One call of the chat model, made from here with the settings and keys of this environment."""
    import time

    from api.chat import ChatModelError, chat_model
    from assistant.chat_model import ModelTrouble
    from assistant.pen import parsed
    from assistant.prompting import Wording
    from assistant.restating import LIMIT, Restated

    what, chosen = "chat model", settings.assistant
    prompt = Wording("restate", Restated, LIMIT).prompt({"message": "How do I change my plan?"}, "0123456789abcdef")
    began = time.perf_counter()
    mend = "answers are quoted until it does; check FIRSTLINE_CHAT_MODEL, FIRSTLINE_CHAT_BASE_URL and the provider's key"
    try:
        done = chat_model(chosen).complete(prompt, chosen.turn_seconds)
        seconds = time.perf_counter() - began
        parsed(done.text, Restated)
    except ChatModelError as error:
        return Finding(State.WRONG, what, str(error), "install or set what it names, then start the server again")
    except ModelTrouble as trouble:
        seconds = time.perf_counter() - began
        return Finding(State.WRONG, what, f"{chosen.chat_model} gave nothing usable after {seconds:.1f} s ({trouble})", mend)
    if seconds > chosen.turn_seconds / 2:
        slow = "a turn may run out of time; raise FIRSTLINE_CHAT_SECONDS or choose a quicker model"
        return Finding(State.WARNING, what, f"{chosen.chat_model} took {seconds:.1f} s for one line", slow)
    return Finding(State.OK, what, f"{chosen.chat_model} answered in {seconds:.1f} s")


def _judges(settings: "Settings") -> Iterator[Finding]:
    """Who judges what a chat model writes, each tried with one sentence that follows and one that does not."""
    what, chosen, entailment = "judge of written sentences", settings.assistant, settings.guardrails.entailment
    if chosen.chat_judge:
        yield _chat_judge(settings)
    if entailment:
        yield _entailment(entailment)
    if not chosen.chat_model and (chosen.chat_judge or entailment):
        yield Finding(State.WARNING, what, "nothing is written that it could judge", "set FIRSTLINE_CHAT_MODEL, or leave out the judge")
    if chosen.chat_model and not chosen.chat_judge and not entailment:
        says = "words and vectors alone: little but near-quotations passes, and most answers are quoted"
        yield Finding(State.WARNING, what, says, "set FIRSTLINE_CHAT_JUDGE or FIRSTLINE_ENTAILMENT to let right paraphrases pass")


TRIED = "Refunds take 5 days and reach the card that was charged."
TRIALS = (("A refund takes 5 days.", True), ("A refund is paid in cash.", False))


def _chat_judge(settings: "Settings") -> Finding:
    """One call of the judge from here, as in a turn."""
    import time

    from api.chat import ChatModelError, judge_model
    from assistant.chat_model import ModelTrouble
    from assistant.judging import trial
    from guardrails.checks.grounding import Statement
    from guardrails.drafts import CitedPassage

    what, chosen = "judge of written sentences", settings.assistant
    statements = [Statement(sentence, (CitedPassage("trial", TRIED),)) for sentence, _ in TRIALS]
    began = time.perf_counter()
    mend = "until it does, what is not a whole quotation is not shown; check FIRSTLINE_CHAT_JUDGE, _BASE_URL and the provider's key"
    try:
        follows = trial(judge_model(chosen), statements, chosen)
    except ChatModelError as error:
        return Finding(State.WRONG, what, str(error), "install or set what it names, then start the server again")
    except ModelTrouble as trouble:
        return Finding(State.WRONG, what, f"{chosen.chat_judge} gave nothing usable ({trouble})", mend)
    says = f"{chosen.chat_judge} answered in {time.perf_counter() - began:.1f} s"
    return _tried(what, says, follows)


def _entailment(name: str) -> Finding:
    from guardrails.checks.grounding import FOLLOWS_FROM
    from guardrails.support.entailment import CrossEncoderEntailment, UnusableModel

    what = "entailment model"
    try:
        scores = CrossEncoderEntailment(name).scores([(TRIED, sentence) for sentence, _ in TRIALS])
    except UnusableModel as error:
        return Finding(State.WRONG, what, str(error), "name another in FIRSTLINE_ENTAILMENT, or leave it out")
    return _tried(what, name, [bool(score >= FOLLOWS_FROM) for score in scores])


def _tried(what: str, says: str, follows: list[bool]) -> Finding:
    if follows == [right for _, right in TRIALS]:
        return Finding(State.OK, what, says)
    mend = "choose a better one: `python -m evals run --only own/pairs_blind --only own/paraphrases` measures it"
    return Finding(State.WARNING, what, f"{says}, but took a wrong sentence for a right one or a right one for a wrong one", mend)


def _admin(opened: "Database") -> Finding:
    from api.staff import accounts
    from api.tables import StaffRole

    with opened.read() as session:
        admins = [one for one in accounts.everybody(session) if one.role == StaffRole.ADMIN and one.disabled_at is None]
    if admins:
        return Finding(State.OK, "admin", f"{len(admins)}")
    return Finding(State.WARNING, "admin", "nobody can sign in as admin", "open the link that `firstline serve` prints at its start")


def _ways_out(opened: "Database", settings: "Settings", send_to: str) -> Iterator[Finding]:
    """Whether mail and webhooks can be reached; no mail is sent unless asked for, and no webhook is called."""
    from api.messages import webhooks
    from api.messages.channels import channels_of

    channels = channels_of(settings.api)
    if channels.mailer is None:
        yield Finding(State.OK, "mail", "no mail server is set: nobody gets mail")
    else:
        yield _mail(channels.mailer, send_to)
    with opened.read() as session:
        used = [hook for hook in webhooks.everyone(session) if hook.disabled_at is None]
    if not used:
        yield Finding(State.OK, "webhooks", "none are in use")
    for hook in used:
        yield _webhook(channels.poster, hook)


def _mail(mailer: "Mailer", send_to: str) -> Finding:
    from api.bootstrap import new_id
    from api.messages.mailing import Letter, NotSent

    try:
        said = mailer.check()
        if send_to:
            text = "This mail was asked for by `firstline doctor --mail-to`."
            mailer.send(Letter(new_id(), send_to, "A test of firstline doctor", text))
            said += f"; a test mail to {send_to} was taken"
    except NotSent as trouble:
        return Finding(State.WRONG, "mail", str(trouble), "check FIRSTLINE_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD")
    return Finding(State.OK, "mail", f"{mailer.host}:{mailer.port} says {said}")


def _webhook(poster: "Poster", hook: "Webhook") -> Finding:
    from api.messages.guarded import ForbiddenAddress, NoAnswer

    what = f"webhook {hook.name}"
    try:
        poster.reach(hook.url)
    except ForbiddenAddress as forbidden:
        return Finding(State.WRONG, what, str(forbidden), "give it a public address, or list the host in FIRSTLINE_WEBHOOK_INTERNAL")
    except NoAnswer as silence:
        return Finding(State.WRONG, what, str(silence), "see whether the receiver runs, and whether this machine may reach it")
    if hook.failures:
        mend = "look at its last errors on the page Operations → Messages"
        return Finding(State.WARNING, what, f"answers, but failed {hook.failures} times in a row", mend)
    return Finding(State.OK, what, "can be reached")


def _settings(settings: "Settings", today: date) -> Iterator[Finding]:
    from guardrails.policies import crisis_lines

    api = settings.api
    checks = (
        ("contact", bool(settings.assistant.contact), "no other way to a person is named", "set FIRSTLINE_CONTACT"),
        (
            "public address",
            api.public_url.startswith("https://"),
            "is not https" if api.public_url else "is not set",
            "set FIRSTLINE_PUBLIC_URL to an https:// address; over http, cookies and messages can be read on the way",
        ),
        ("widget origins", bool(api.origins), "only pages of this server may show the widget", "set FIRSTLINE_WIDGET_ORIGINS"),
    )
    for what, good, says, mend in checks:
        yield Finding(State.OK, what) if good else Finding(State.WARNING, what, says, mend)
    old = sorted(line.name for line in crisis_lines().values() if today - date.fromisoformat(str(line.checked)) > REVIEWED_WITHIN)
    if old:
        mend = "call or look up each number, then set `checked` in guardrails/data/crisis_lines.yaml"
        yield Finding(State.WARNING, "crisis lines", f"not reviewed within a year: {', '.join(old)}", mend)
    else:
        yield Finding(State.OK, "crisis lines", "reviewed within a year")
