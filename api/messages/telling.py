"""Who is told of an event, and what: staff by their choices, visitors with a confirmed address, webhooks; and the letters' words.

A letter to staff holds numbers, names of states and a link; a letter to a visitor the agent's reply and a link of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from api.messages import webhooks
from api.messages.mailing import Letter
from api.messages.tables import Follow, Unwanted, VisitorLink
from api.settings import Settings
from api.tables import Account, StaffRole, TicketSeen
from assistant.conversation import hash_secret
from assistant.tables import Conversation, ConversationId, Message
from assistant.wording import shipped, words
from escalation import keeping, linking
from escalation.notifications import RULES, Audience, Rule
from escalation.outbox_tables import Delivery, Outbox, Way
from escalation.tables import EventKind, Ticket, TicketEvent, TicketState
from escalation.work import VISITOR

OPEN, CONFIRM = "open", "confirm"  # what a visitor's link is for
LINK_LASTS = timedelta(days=14)
CONFIRM_LASTS = timedelta(days=2)
LATE = "late"  # the mail that sums up what was late already
WROTE = (EventKind.VISITOR_WROTE, EventKind.REOPENED)
MAILED_AGAIN = timedelta(hours=4)


class NobodyToTell(Exception):
    """The one who should be told is gone, or must not be told any more."""


@dataclass(frozen=True)
class Post:
    """What writing letters needs besides the database: the settings, and the random token of a link."""

    settings: Settings
    token: str
    now: datetime

    @property
    def base(self) -> str:
        """The public address, without a slash at its end."""
        return self.settings.api.public_url.rstrip("/")


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────


def recipients(session: Session, owed: Outbox, ticket: Ticket, *, mail: bool) -> list[tuple[Way, str]]:
    """Whom an event tells; `mail` says whether mail can be sent at all. What is quiet tells nobody."""
    rule = RULES[owed.kind]
    if owed.details.get("quiet"):
        return []
    told = [(Way.WEBHOOK, one) for one in webhooks.listening(session, owed.kind)]
    if not mail:
        return told
    if not _known_already(session, owed, ticket):
        told += [(Way.MAIL, one) for one in _staff(session, rule, owed, ticket)]
    if Audience.VISITOR in rule.to:
        told += [(Way.REPLY, one) for one in linking.conversations(session, ticket) if _confirmed(session, one)]
    return told


def summed_up(session: Session, owed: Outbox, ticket: Ticket) -> list[str]:
    """Whom one mail a day tells of what was quiet: those whom the event would have told."""
    return _staff(session, RULES[owed.kind], owed, ticket) if owed.details.get("quiet") else []


def _known_already(session: Session, owed: Outbox, ticket: Ticket) -> bool:
    """Whether the assignee has read it by now, or has had a mail about what the visitor wrote before and not looked at it since.

    So many messages in a row are one mail, and one more when it goes on for hours. Thanks are no mail.
    """
    if owed.kind not in WROTE or owed.by != VISITOR:
        return False
    if owed.details.get("smalltalk"):
        return True
    mailed: datetime | None = None
    for event in _written_since(session, owed, ticket):
        if mailed is None or event.at - mailed >= MAILED_AGAIN:
            mailed = event.at
            if event.id == owed.event_id:
                return False
    return True


def _written_since(session: Session, owed: Outbox, ticket: Ticket) -> list[TicketEvent]:
    """What the visitor wrote up to this event since the assignee got the ticket, did something on it or read it, in its order."""
    read = select(TicketSeen.version).where(TicketSeen.account_id == ticket.assignee, TicketSeen.ticket_id == ticket.id)
    seen = session.scalar(read) or 0
    before = (TicketEvent.ticket_id == ticket.id) & (TicketEvent.id <= owed.event_id)
    theirs = (TicketEvent.by == ticket.assignee) | (TicketEvent.kind == EventKind.ASSIGNED)
    last = select(func.max(TicketEvent.version)).where(before, theirs).scalar_subquery()
    wrote = (
        TicketEvent.kind.in_(WROTE)
        & (TicketEvent.by == VISITOR)
        & (TicketEvent.version > func.coalesce(last, 0))
        & (TicketEvent.version > seen)
    )
    events = session.scalars(select(TicketEvent).where(before, wrote).order_by(TicketEvent.version)).all()
    return [event for event in events if not event.details.get("smalltalk")]


def follow(kind: str, name: str) -> str:
    """What a member of staff follows, as it is stored: ("queue", "billing"), ("tier", "Engineering lead")."""
    return f"{kind} {name}"


def _staff(session: Session, rule: Rule, owed: Outbox, ticket: Ticket) -> list[str]:
    wanted: set[str] = set()
    if Audience.QUEUE in rule.to:
        wanted |= _followers(session, follow("queue", ticket.queue))
    if Audience.ASSIGNEE in rule.to and ticket.assignee:
        wanted.add(ticket.assignee)
    if Audience.ASSIGNED in rule.to and owed.details.get("to"):
        wanted.add(str(owed.details["to"]))
    if Audience.TIER in rule.to and owed.details.get("who"):
        wanted |= _followers(session, follow("tier", str(owed.details["who"])))
    return _willing(session, wanted - {owed.by}, str(rule.choice))


def _followers(session: Session, what: str) -> set[str]:
    return set(session.scalars(select(Follow.account_id).where(Follow.what == what)))


def _willing(session: Session, ids: Iterable[str], choice: str) -> list[str]:
    """Those of them who work tickets here and have not switched this kind off."""
    unwanted = select(Unwanted.account_id).where(Unwanted.choice == choice)
    query = select(Account.id).where(Account.id.in_(list(ids)), Account.disabled_at.is_(None), Account.role != StaffRole.WRITER)
    return list(session.scalars(query.where(Account.id.not_in(unwanted)).order_by(Account.id)))


def _confirmed(session: Session, conversation_id: str) -> bool:
    ticket = own_ticket(session, conversation_id)
    return ticket is not None and bool(ticket.contact_email) and ticket.contact_verified


def own_ticket(session: Session, conversation_id: str) -> Ticket | None:
    """The last ticket that this conversation itself opened, wherever it was merged: it says who this visitor is."""
    query = select(Ticket).where(Ticket.conversation_id == conversation_id).order_by(Ticket.number.desc()).limit(1)
    return session.scalar(query)


# ── what ────────────────────────────────────────────────────────────────────────────────────────────


def letter_of(session: Session, delivery: Delivery, post: Post) -> Letter:
    """The letter of a delivery. A link in it is stored as its hash alone. Raise NobodyToTell."""
    if delivery.way == Way.MAIL and delivery.kind == LATE:
        return _late(session, delivery, post)
    if delivery.way == Way.MAIL:
        return _to_staff(session, delivery, post)
    ticket = own_ticket(session, delivery.recipient)
    held = session.get(Conversation, ConversationId(delivery.recipient))
    if ticket is None or held is None or not ticket.contact_email:
        raise NobodyToTell("the request is gone, or has no address")
    if delivery.way == Way.CONFIRM:
        return _question(session, delivery, ticket, held, post)
    return _reply(session, delivery, ticket, held, post)


def _to_staff(session: Session, delivery: Delivery, post: Post) -> Letter:
    account = session.get(Account, delivery.recipient)
    ticket = session.get(Ticket, delivery.ticket_id)
    if account is None or account.disabled_at is not None or ticket is None:
        raise NobodyToTell("the account or the ticket is gone")
    title = RULES[delivery.kind].title
    lines = [
        f"{title}: ticket {ticket.number}",
        "",
        f"Queue: {ticket.queue}",
        f"Priority: {ticket.priority}",
        f"State: {ticket.state.replace('_', ' ')}",
        f"When: {delivery.happened_at:%Y-%m-%d %H:%M} UTC",
        *_more(delivery),
        "",
        f"{post.base}/desk/tickets/{ticket.number}",
        "",
        f"Choose which of these mails you want: {post.base}/staff/account#messages",
    ]
    return Letter(
        id=delivery.id,
        to=account.email,
        subject=f"[{ticket.number}] {title}",
        text="\n".join(lines) + "\n",
        thread=f"ticket-{ticket.id}",
        unsubscribe=f"{post.base}/staff/account#messages",
    )


def _late(session: Session, delivery: Delivery, post: Post) -> Letter:
    """How many tickets of a member of staff are late now, in one mail, for what was late before anybody could be told."""
    account = session.get(Account, delivery.recipient)
    if account is None or account.disabled_at is not None:
        raise NobodyToTell("the account is gone")
    count = session.scalar(select(func.count()).select_from(Ticket).where(_concerns(session, account), Ticket.next_due_at < post.now)) or 0
    if not count:
        raise NobodyToTell("nothing is late any more")
    some = "1 ticket is late" if count == 1 else f"{count} tickets are late"
    lines = [
        f"{some} that you have, whose queue you follow, or for whose tier you stand.",
        "",
        "They were late before their clocks were watched: when clocks began here, when other targets began to count, or while the",
        "server stood still. There is no mail for each of them. The list of work has them on top:",
        "",
        f"{post.base}/desk",
        "",
        f"Choose which of these mails you want: {post.base}/staff/account#messages",
    ]
    unsubscribe = f"{post.base}/staff/account#messages"
    return Letter(delivery.id, account.email, some, "\n".join(lines) + "\n", unsubscribe=unsubscribe)


def _concerns(session: Session, account: Account) -> ColumnElement[bool]:
    """The open tickets of an account: those it has, of the queues it follows, and that are with a tier it stands for."""
    followed = set(session.scalars(select(Follow.what).where(Follow.account_id == account.id)))
    queues = [what.removeprefix("queue ") for what in followed if what.startswith("queue ")]
    tiers = [
        (Ticket.chain == chain.name) & (Ticket.tier == number)
        for chain in keeping.book_of(session).chains.values()
        for number, tier in enumerate(chain.tiers, start=1)
        if follow("tier", tier.who) in followed
    ]
    living = Ticket.state.not_in([TicketState.RESOLVED, TicketState.CLOSED])
    return living & or_(Ticket.assignee == account.id, Ticket.queue.in_(queues), *tiers)


def _more(delivery: Delivery) -> Sequence[str]:
    """What an event says besides: which clock, which tier."""
    named = {"clock": "Clock", "due": "Due", "who": "Called"}
    return [f"{title}: {delivery.details[name]}".replace("_", " ") for name, title in named.items() if delivery.details.get(name)]


def _reply(session: Session, delivery: Delivery, ticket: Ticket, held: Conversation, post: Post) -> Letter:
    """The agent's reply to a visitor whose address is theirs, with a link to the whole request."""
    message = session.get(Message, int(delivery.details.get("message_id", 0)))
    if not ticket.contact_verified or message is None:
        raise NobodyToTell("the address is not confirmed any more, or the reply is gone")
    language = shipped(held.locale)
    say = words("mail", language)
    name = " ".join(str(message.content.get("agent") or "").split()) or say["team"]
    link = f"{post.base}/help/mail/{_link(session, OPEN, ticket, post, LINK_LASTS)}"
    parts = (
        say["reply_hello"].format(name=name, number=ticket.number),
        message.text,
        say["reply_more"].format(link=link),
        say["reply_once"],
        say["no_answers"],
    )
    return _to_visitor(delivery, ticket, say["reply_subject"].format(number=ticket.number), parts, language)


def _question(session: Session, delivery: Delivery, ticket: Ticket, held: Conversation, post: Post) -> Letter:
    """Whether the address is the visitor's: fixed words, nothing of what was written to us (S-35)."""
    if ticket.contact_verified:
        raise NobodyToTell("the address is confirmed already")
    language = shipped(held.locale)
    say = words("mail", language)
    product = post.settings.assistant.product
    link = f"{post.base}/help/mail/{_link(session, CONFIRM, ticket, post, CONFIRM_LASTS)}"
    parts = (say["confirm_text"].format(product=product), link, say["confirm_not"], say["no_answers"])
    return _to_visitor(delivery, ticket, say["confirm_subject"], parts, language)


def _to_visitor(delivery: Delivery, ticket: Ticket, subject: str, parts: Sequence[str], language: str) -> Letter:
    text = "\n\n".join(parts) + "\n"
    return Letter(delivery.id, str(ticket.contact_email), subject, text, thread=f"request-{ticket.id}", language=language)


def _link(session: Session, purpose: str, ticket: Ticket, post: Post, lasts: timedelta) -> str:
    link = VisitorLink(
        token_hash=hash_secret(post.token),
        purpose=purpose,
        conversation_id=ticket.conversation_id,
        email=str(ticket.contact_email),
        created_at=post.now,
        expires_at=post.now + lasts,
    )
    session.add(link)
    return post.token
