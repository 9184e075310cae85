"""Signs that a question was left open, read from stored turns, thumbs, judgements and tickets.

Nothing is recorded while a visitor waits: a job reads what is stored anyway. Reading the same rows twice gives the same signs, so the
windows may overlap and a killed job loses nothing. The assistant's own texts are never read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.gist import gist
from assistant.tables import Conversation, Feedback, Message, Outcome, Role, Turn, TurnState
from escalation.tables import EventKind, Reason, Ticket, TicketEvent, TicketState
from guardrails.tables import GuardDecision, Judgement
from knowledge.gaps import Sign, person_key
from knowledge.loop_tables import Evidence

QUIET = timedelta(minutes=30)  # after this without a word, who was offered choices has gone
MOST_BETWEEN, LEAST_BETWEEN = 10.0, 1.0  # minutes one act of an agent is counted as, whatever passed since the one before
NEVER = frozenset({Reason.POLICY_HANDOVER})  # danger and threats are a person's matter, not the help centre's
ACTS = frozenset({EventKind.REPLIED, EventKind.NOTED, EventKind.MOVED, EventKind.ASSIGNED})
ASKED = ("answered", "offered", "unanswered", "refused", "escalated")  # families of turns in which something was asked


@dataclass(frozen=True)
class Reading:
    """How rows become signs: `mask` takes personal data out, `advice` are the policies whose refusals are advice."""

    mask: Callable[[str], str]
    advice: frozenset[str]
    salt: str


@dataclass(frozen=True)
class Asked:
    """A turn with its visitor's message and what is known of the visitor."""

    turn: Turn
    text: str
    choice: bool
    conversation: Conversation

    def sign(self, kind: Evidence, reading: Reading, *, policy: str | None = None) -> Sign:
        """That its question was left open."""
        return Sign(
            kind=kind,
            question=reading.mask(gist(self.turn.question or self.text)),
            language=self.turn.language or self.conversation.locale,
            person=person_key(reading.salt, self.conversation.details, self.conversation.id),
            conversation_id=self.conversation.id,
            asked_id=str(self.turn.message_id),
            turn_id=self.turn.id,
            policy=policy,
            at=self.turn.started_at,
        )


def read(session: Session, reading: Reading, since: datetime, now: datetime) -> list[Sign]:
    """Every sign that became visible after `since`, and perhaps some from before."""
    return [
        *_of_turns(session, reading, since - QUIET, now),
        *_of_thumbs(session, reading, since),
        *_of_judgements(session, reading, since),
        *_of_tickets(session, reading, since),
    ]


def repeated(session: Session, reading: Reading, since: datetime, alike: Callable[[Sequence[str]], Sequence[bool]]) -> list[Sign]:
    """Questions asked once more in the same conversation; `alike` says for each of several texts whether it is like one before it."""
    turns = (Turn.started_at > since) & (Turn.state == TurnState.DONE)
    touched = select(Turn.conversation_id).where(turns).distinct()
    found: list[Sign] = []
    for of_one in _by_conversation(_asked(session, Turn.conversation_id.in_(touched))):
        plain = [one for one in of_one if not one.choice and one.turn.outcome and Outcome(one.turn.outcome).family in ASKED]
        if len(plain) > 1:
            again = alike([one.turn.question or one.text for one in plain])
            found += [one.sign(Evidence.REPEATED, reading) for one, is_again in zip(plain, again, strict=True) if is_again]
    return found


def _of_turns(session: Session, reading: Reading, since: datetime, now: datetime) -> Iterator[Sign]:
    for one in _asked(session, (Turn.started_at > since) & (Turn.state == TurnState.DONE)):
        outcome = Outcome(one.turn.outcome or Outcome.FAILED_ERROR)
        policy = one.turn.trace.get("guard", {}).get("policy")
        if outcome.family == "unanswered":
            yield one.sign(Evidence.NOTHING_FOUND, reading)
        elif outcome is Outcome.REFUSED_POLICY and policy in reading.advice:
            yield one.sign(Evidence.ADVICE, reading, policy=policy)
        elif outcome is Outcome.OFFERED_CHOICES and one.turn.started_at <= now - QUIET and not _went_on(session, one.turn):
            yield one.sign(Evidence.ABANDONED, reading)


def _went_on(session: Session, turn: Turn) -> bool:
    """Whether the visitor wrote or picked anything afterwards."""
    later = select(Message.id).where(
        Message.conversation_id == turn.conversation_id, Message.id > turn.message_id, Message.role == Role.VISITOR
    )
    return session.scalars(later.limit(1)).first() is not None


def _of_thumbs(session: Session, reading: Reading, since: datetime) -> Iterator[Sign]:
    down = select(Feedback.message_id).where(Feedback.at > since, Feedback.helpful.is_(False))
    for one in _asked(session, Turn.reply_id.in_(down)):
        yield one.sign(Evidence.THUMBS_DOWN, reading)


def _of_judgements(session: Session, reading: Reading, since: datetime) -> Iterator[Sign]:
    """Blocks that a person calls wrong: these should have been answered."""
    wrong = (
        select(GuardDecision.turn_id)
        .join(Judgement, Judgement.number == GuardDecision.number)
        .where(Judgement.at > since, Judgement.right.is_(False), GuardDecision.blocked)
    )
    for one in _asked(session, Turn.id.in_(wrong)):
        yield one.sign(Evidence.WRONGLY_BLOCKED, reading)


def _of_tickets(session: Session, reading: Reading, since: datetime) -> Iterator[Sign]:
    touched = select(TicketEvent.ticket_id).where(TicketEvent.at > since).distinct()
    for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(touched)).order_by(Ticket.number)).all():
        yield from of_ticket(session, reading, ticket)


def of_ticket(session: Session, reading: Reading, ticket: Ticket) -> Iterator[Sign]:
    """What a ticket says about the question it began with, from all that happened to it."""
    asked = _matter(session, ticket)
    if ticket.reason in NEVER or asked is None:
        return
    events = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.version)).all()
    policy = next((f["policy"] for f in ticket.findings if f.get("policy") in reading.advice), None)
    kinds = [Evidence.ADVICE if policy and ticket.reason == Reason.POLICY_REFUSED else Evidence.ESCALATED]
    if any(event.kind == EventKind.REOPENED for event in events):
        kinds.append(Evidence.REOPENED)
    if resolved(ticket) and any(event.kind == EventKind.REPLIED for event in events):
        kinds.append(Evidence.AGENT_RESOLVED)
    if ticket.becomes_faq:
        kinds.append(Evidence.BECOMES_FAQ)
    minutes = worked(ticket, events)
    text, message_id, turn_id = asked
    held = session.get_one(Conversation, ticket.conversation_id)
    for kind in kinds:
        yield Sign(
            kind=kind,
            question=reading.mask(gist(text)),
            language=ticket.language,
            person=person_key(reading.salt, {"email": ticket.contact_email, **held.details}, held.id),
            conversation_id=held.id,
            asked_id=str(message_id),
            turn_id=turn_id,
            ticket_id=ticket.id,
            agent_minutes=minutes,
            policy=policy if kind is Evidence.ADVICE else None,
            at=ticket.opened_at,
        )


def resolved(ticket: Ticket) -> bool:
    """Whether a person has settled it."""
    return ticket.state in {TicketState.RESOLVED, TicketState.CLOSED} and ticket.merged_into is None


def worked(ticket: Ticket, events: Iterable[TicketEvent]) -> float | None:
    """Minutes that agents spent on it: each act counts what passed since the one before, at least one and at most ten; None without any."""
    acts = [event.at for event in events if event.kind in ACTS and event.by not in {"assistant", "visitor"}]
    if not acts:
        return None
    starts = [ticket.opened_at, *acts[:-1]]
    return sum(min(MOST_BETWEEN, max(LEAST_BETWEEN, (act - start).total_seconds() / 60)) for start, act in zip(starts, acts, strict=True))


def _matter(session: Session, ticket: Ticket) -> tuple[str, int, str | None] | None:
    """What a ticket is about: the last question before it opened, or else the visitor's first words; with message and turn."""
    before = (Turn.conversation_id == ticket.conversation_id) & (Turn.started_at <= ticket.opened_at) & Turn.outcome.is_not(None)
    turns = [one for one in _asked(session, before) if one.turn.question and _is_question(one.turn)]
    if turns:
        return turns[-1].turn.question or turns[-1].text, turns[-1].turn.message_id, turns[-1].turn.id
    said = select(Message).where(Message.conversation_id == ticket.conversation_id, Message.role == Role.VISITOR).order_by(Message.id)
    first = session.scalars(said.limit(1)).first()
    if first is None:
        return None
    told = "" if first.content.get("form") is None else ticket.goal or ticket.symptom or ""
    return told or first.text, first.id, None


def _is_question(turn: Turn) -> bool:
    """Whether something was asked in the turn that an article could answer."""
    return Outcome(turn.outcome or Outcome.FAILED_ERROR).family in {"answered", "offered", "unanswered"}


def _asked(session: Session, which: object) -> list[Asked]:
    query = (
        select(Turn, Message, Conversation)
        .join(Message, Message.id == Turn.message_id)
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(which)  # type: ignore[arg-type]  # a condition, whatever it is made of
        .order_by(Turn.conversation_id, Turn.message_id)
    )
    return [Asked(turn, message.text, bool(message.content.get("choice")), held) for turn, message, held in session.execute(query)]


def _by_conversation(found: Iterable[Asked]) -> list[list[Asked]]:
    by: dict[str, list[Asked]] = {}
    for one in found:
        by.setdefault(one.conversation.id, []).append(one)
    return list(by.values())


def replies(session: Session, tickets: Mapping[str, Ticket]) -> dict[str, list[Message]]:
    """By ticket what agents wrote in its conversation while it was theirs, in order; of settled tickets only."""
    found: dict[str, list[Message]] = {}
    for ticket in tickets.values():
        if not resolved(ticket):
            continue
        wrote = select(Message).where(
            Message.conversation_id == ticket.conversation_id, Message.role == Role.AGENT, Message.at >= ticket.opened_at
        )
        if messages := list(session.scalars(wrote.order_by(Message.id))):
            found[ticket.id] = messages
    return found
