"""The jobs of the outbox: write the deliveries of what happened, send the mails, call the webhooks.

A delivery is claimed and written in one transaction, sent outside of any, and told how it ended in another. Killed in
between, it goes out again with the same id.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.bootstrap import Service, new_secret
from api.messages import telling, webhooks
from api.messages.guarded import Answer, ForbiddenAddress, NoAnswer
from api.messages.mailing import Letter, Mailer, NotSent
from api.messages.tables import Webhook
from api.messages.telling import NobodyToTell, Post
from api.messages.webhooks import Signed
from escalation import outbox
from escalation.outbox_tables import Delivery, Outbox, Way
from escalation.tables import Ticket

log = structlog.get_logger()
SPREAD = "writes down who is told of what happened to tickets"
MAIL = "sends mails to staff and visitors"
WEBHOOKS = "calls webhooks"
LETTERS = (Way.MAIL, Way.REPLY, Way.CONFIRM)
AT_ONCE, EACH_AT_ONCE = 200, 50
RUN_LASTS = timedelta(seconds=20)  # then the next run goes on
RECEIVERS_AT_ONCE = 8
GONE, TOO_MANY = 410, 429


@dataclass(frozen=True)
class _Failed:
    """Why a webhook was not told; `off`: it never wants to be; `rest`: how long it asked us to wait."""

    why: str
    for_good: bool = False
    off: bool = False
    stop: bool = False
    rest: timedelta | None = None


# ── is there anything to do ─────────────────────────────────────────────────────────────────────────


def nothing_to_spread(session: Session, _now: datetime) -> bool:
    """Whether every event is spread."""
    return not session.scalar(select(exists(select(Outbox.event_id))))


def no_mail_due(session: Session, now: datetime) -> bool:
    """Whether no mail is due."""
    return not outbox.due(session, LETTERS, 1, now=now)


def no_webhook_due(session: Session, now: datetime) -> bool:
    """Whether no webhook is due that does not rest."""
    resting = list(session.scalars(select(Webhook.id).where(Webhook.rests_until > now)))
    return not outbox.due(session, (Way.WEBHOOK,), 1, now=now, but=resting)


# ── spreading ───────────────────────────────────────────────────────────────────────────────────────


def spread(service: Service, now: datetime) -> str:
    """Write the deliveries of what happened."""
    events = messages = 0
    poison = set[int]()
    while True:
        with service.database.write() as session:
            owed = outbox.unspread(session, AT_ONCE, poison)
            for one in owed:
                try:
                    with session.begin_nested():
                        messages += _spread_one(service, session, one, now)
                except Exception:
                    log.exception("event_not_spread", outbox_event=one.event_id, kind=one.kind)
                    poison.add(one.event_id)
        events += len(owed)
        if len(owed) < AT_ONCE or service.now() - now > RUN_LASTS:
            left = f", {len(poison)} could not be spread" if poison else ""
            return f"{events - len(poison)} events, {messages} messages{left}"


def _spread_one(service: Service, session: Session, owed: Outbox, now: datetime) -> int:
    """Write the deliveries of one event; how many there are."""
    mail = service.channels.mailer is not None
    ticket = session.get(Ticket, owed.ticket_id)
    summed_up = telling.summed_up(session, owed, ticket) if ticket and mail else []
    told = telling.recipients(session, owed, ticket, mail=mail) if ticket else []
    return outbox.spread(session, owed, told, now=now) + outbox.sum_up(session, telling.LATE, summed_up, now=now)


# ── mail ────────────────────────────────────────────────────────────────────────────────────────────


def send_mail(service: Service, now: datetime) -> str:
    """Send the mails that are due; when the server itself is in trouble, the rest waits for the next run."""
    mailer = service.channels.mailer
    if mailer is None:
        return "no mail server is set"
    count = {"sent": 0, "failed": 0}
    with service.database.read() as session:
        waiting = outbox.due(session, LETTERS, AT_ONCE, now=now)
    for name in waiting:
        if service.now() - now > RUN_LASTS:
            break
        post = Post(service.settings, new_secret(), service.now())
        with service.database.write() as session:
            tried = outbox.claim(session, name, now=post.now)
            if tried is None:
                continue
            letter = _written(session, tried, post)
            if letter is None:
                continue
        failure = _mailed(mailer, letter)
        count["sent" if failure is None else "failed"] += 1
        with service.database.write() as session:
            moment = service.now()
            if failure is None:
                outbox.sent(session, tried, now=moment)
            else:
                outbox.failed(session, tried, str(failure), now=moment, chance=service.chance(), for_good=failure.for_good)
        if failure is not None and failure.server:
            break
    return f"{count['sent']} sent, {count['failed']} failed"


def _mailed(mailer: Mailer, letter: Letter) -> NotSent | None:
    """What went wrong; None when the server took it."""
    try:
        mailer.send(letter)
    except NotSent as failure:
        return failure
    except Exception as error:  # one that nobody has foreseen holds up no other
        log.exception("letter_not_sent", delivery=letter.id)
        return NotSent(f"it cannot be sent: {type(error).__name__}")
    return None


def _written(session: Session, tried: Delivery, post: Post) -> Letter | None:
    """The letter of a delivery; None when there is none to send, which is noted. One that cannot be written holds up no other."""
    try:
        with session.begin_nested():
            return telling.letter_of(session, tried, post)
    except NobodyToTell as gone:
        outbox.drop(session, tried, str(gone), now=post.now)
    except Exception as error:
        log.exception("letter_not_written", delivery=tried.id, kind=tried.kind)
        outbox.failed(session, tried, f"it cannot be written: {type(error).__name__}", now=post.now, chance=0.5)
    return None


# ── webhooks ────────────────────────────────────────────────────────────────────────────────────────


def call_webhooks(service: Service, now: datetime) -> str:
    """Call the webhooks that are due, several receivers at once, so that one that hangs holds up nobody else."""
    with service.database.read() as session:
        known = webhooks.everyone(session)
        awake = [one.id for one in known if one.rests_until is None or one.rests_until <= now]
        orphans = outbox.due(session, (Way.WEBHOOK,), AT_ONCE, now=now, but=[one.id for one in known])
        shares = [orphans, *(outbox.due(session, (Way.WEBHOOK,), EACH_AT_ONCE, now=now, only=one) for one in awake)]
    due = [names for names in shares if names]
    with ThreadPoolExecutor(RECEIVERS_AT_ONCE, thread_name_prefix="webhook") as pool:
        results = list(pool.map(lambda names: _call_one(service, names, now + RUN_LASTS), due))
    return f"{sum(sent for sent, _ in results)} sent, {sum(failed for _, failed in results)} failed"


def _call_one(service: Service, names: list[str], until: datetime) -> tuple[int, int]:
    """Call one receiver with its deliveries in order, until it fails in a way that the next would, too; how many went well and not."""
    sent = failed = 0
    for name in names:
        if service.now() > until:
            break
        with service.database.write() as session:
            tried = outbox.claim(session, name, now=service.now())
            request = _request(session, tried, service) if tried is not None else None
        if tried is None or request is None:
            continue
        url, signed = request
        failure = _posted(service, url, signed)
        _tell(service, tried, failure)
        sent, failed = sent + (failure is None), failed + (failure is not None)
        if failure is not None and failure.stop:
            break
    return sent, failed


def _request(session: Session, tried: Delivery, service: Service) -> tuple[str, Signed] | None:
    """Where to, and what; None when there is nobody to call, which is noted."""
    webhook, ticket = session.get(Webhook, tried.recipient), session.get(Ticket, tried.ticket_id)
    if webhook is None or webhook.disabled_at is not None or ticket is None:
        outbox.drop(session, tried, "the webhook is gone or switched off", now=service.now())
        return None
    base = service.settings.api.public_url.rstrip("/")
    try:
        return webhook.url, webhooks.signed(webhook, tried, ticket, f"{base}/desk/tickets/{ticket.number}", now=service.now())
    except Exception as error:  # one that cannot be written holds up no other
        log.exception("message_not_written", delivery=tried.id, kind=tried.kind)
        outbox.failed(session, tried, f"it cannot be written: {type(error).__name__}", now=service.now(), chance=service.chance())
        return None


def _posted(service: Service, url: str, signed: Signed) -> _Failed | None:
    """What went wrong; None when the receiver took it."""
    try:
        return judged(service.channels.poster.post(url, signed.headers, signed.body), service.now)
    except ForbiddenAddress as forbidden:
        return _Failed(str(forbidden), for_good=True, stop=True)
    except NoAnswer as silence:
        return _Failed(str(silence), stop=True)
    except Exception as error:  # an answer that nobody has foreseen is a failure like any other
        log.exception("answer_not_understood", message=signed.headers.get("webhook-id", ""))
        return _Failed(type(error).__name__, stop=True)


def judged(answer: Answer, now: Callable[[], datetime]) -> _Failed | None:
    """What an answer means, by Standard Webhooks: only 2xx is well, 410 wants nothing more, 429 and 503 may say when to come back."""
    if answer.status // 100 == 2:  # noqa: PLR2004
        return None
    if answer.status == GONE:
        return _Failed("410 Gone: it wants nothing more", for_good=True, off=True, stop=True)
    if answer.status // 100 == 3:  # noqa: PLR2004
        return _Failed(f"{answer.status}: redirects are not followed", stop=True)
    rest = retry_after(answer.headers, now()) if answer.status in {TOO_MANY, 503} else None
    return _Failed(str(answer.status), stop=rest is not None or answer.status in {TOO_MANY, 502, 503, 504}, rest=rest)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the receiver asks us to wait, in seconds or until a date; None when it does not say or says nonsense."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit() and len(told) < 9:  # noqa: PLR2004 - three years
        return timedelta(seconds=int(told))
    try:
        until = parsedate_to_datetime(told)
    except (TypeError, ValueError, OverflowError):
        return None
    return max(timedelta(0), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)


def _tell(service: Service, tried: Delivery, failure: _Failed | None) -> None:
    """Note how a call ended, with the delivery and with the webhook."""
    now = service.now()
    with service.database.write() as session:
        webhook = session.get(Webhook, tried.recipient, with_for_update=True)
        if failure is None:
            outbox.sent(session, tried, now=now)
        else:
            chance = service.chance()
            outbox.failed(session, tried, failure.why, now=now, chance=chance, for_good=failure.for_good, wait=failure.rest)
        if webhook is None:
            return
        webhooks.answered(webhook, well=failure is None, now=now)
        if failure is not None and failure.rest:
            webhook.rests_until = now + min(failure.rest, outbox.LONGEST_WAIT)
        if failure is not None and failure.off:
            webhooks.disable(session, webhook.id, failure.why, now=now)
