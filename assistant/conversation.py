"""A conversation's messages and turns in SQL: started, received exactly once, answered exactly once.

A visitor's program gives each message an id of its own. The unique index on it decides which of two
twins runs; the other gets the same reply, or is told to wait. A turn that was killed holds a lease that
passes, and then the next twin runs it again.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.question import Said
from assistant.tables import (
    Conversation,
    ConversationId,
    ConversationKey,
    Feedback,
    Holder,
    Message,
    Outcome,
    Role,
    Turn,
    TurnId,
    TurnState,
)
from assistant.wording import say, shipped


class NoSuchConversation(LookupError):
    """No conversation has that secret."""


class NoSuchMessage(LookupError):
    """The conversation has no reply with that id."""


class TooLong(ValueError):
    """A message has more characters than are taken."""


class SameIdOtherText(ValueError):
    """A message id was used again for another text."""


@dataclass(frozen=True)
class Citation:
    """A source that a reply used: where it stands, and the part that was quoted."""

    number: int
    article_id: str
    passage_id: str
    revision: int
    title: str
    url: str
    quote: str


@dataclass(frozen=True)
class Choice:
    """An article offered when it is not sure which one is meant; `preview` is a line of what it says, and no citation."""

    article_id: str
    title: str
    preview: str = ""


@dataclass(frozen=True)
class Reply:
    """What the visitor is told, how the turn ended, and the trace of how it came about."""

    text: str
    outcome: Outcome
    language: str
    sources: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    offer: str = ""
    """The reason for which a person is offered beside the reply; empty when none is."""
    because: str = ""
    """The sentence in which an agent will read why."""
    written: str = ""
    """The chat model that wrote the answer; empty where it is quoted."""
    handover: dict[str, Any] = field(default_factory=dict)
    """Number, queue and questions of the ticket that this turn opened; empty when it opened none."""
    question: str = ""
    probability: float | None = None
    trace: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """What is stored beside the text for showing it again."""
        return {
            "outcome": self.outcome,
            "language": self.language,
            "sources": [asdict(source) for source in self.sources],
            "choices": [asdict(choice) for choice in self.choices],
            **({"offer": self.offer, "because": self.because} if self.offer else {}),
            **({"written": self.written} if self.written else {}),
            **({"handover": self.handover} if self.handover else {}),
        }


@dataclass(frozen=True)
class Earlier:
    """A turn before this one, since the boundary: its question, whether it was left without an answer, and what was offered."""

    at: datetime
    question: str
    failed: bool
    offered: str


@dataclass(frozen=True)
class Received:
    """A message that is now to be answered, with what the turn needs to know."""

    conversation_id: ConversationId
    message_id: int
    turn_id: TurnId
    attempt: int
    text: str
    locale: str
    holder: Holder
    history: tuple[Said, ...]
    earlier: tuple[Earlier, ...]

    @property
    def question_before(self) -> str:
        """The question of the turn before; empty when there was none."""
        return self.earlier[-1].question if self.earlier else ""


@dataclass(frozen=True)
class StillRunning:
    """A twin of this message is being answered right now."""

    until: datetime


@dataclass(frozen=True)
class AlreadyAnswered:
    """A twin of this message was answered before; `reply` is the message itself when it was delivered to a person."""

    message_id: int
    reply: Message


def start(session: Session, *, secret: str, locale: str, new_id: Callable[[], str], now: datetime) -> Conversation:
    """A new conversation, held by the assistant; only the hash of the secret is stored."""
    conversation = Conversation(
        id=ConversationId(new_id()),
        secret_hash=hash_secret(secret),
        holder=Holder.ASSISTANT,
        locale=locale,
        created_at=now,
        updated_at=now,
    )
    session.add(conversation)
    return conversation


def notice(session: Session, conversation: Conversation, product: str, *, now: datetime) -> Message:
    """The first message of a conversation: that the visitor talks to an AI assistant."""
    language = shipped(conversation.locale)
    message = Message(
        conversation_id=conversation.id,
        role=Role.ASSISTANT,
        text=say("ai_notice", language, product=product),
        content={"notice": True, "language": language},
        at=now,
    )
    session.add(message)
    session.flush()
    return message


def by_secret(session: Session, secret: str) -> Conversation:
    """The conversation that this secret opens. Raise NoSuchConversation."""
    hashed = hash_secret(secret)
    found = session.scalar(select(Conversation).where(Conversation.secret_hash == hashed))
    if found is None:  # another browser of the same visitor; keys that ran out are swept
        key = session.get(ConversationKey, hashed)
        found = session.get(Conversation, key.conversation_id) if key is not None else None
    if found is None:
        raise NoSuchConversation("no conversation has this secret")
    return found


def hash_secret(secret: str) -> str:
    """SHA-256 is enough: the secrets are 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Incoming:
    """A visitor's message as it may be stored: secrets are placeholders already. `choice` is an article picked from offered ones."""

    text: str
    client_message_id: str | None = None
    choice: str | None = None


def receive(
    session: Session,
    conversation_id: ConversationId,
    incoming: Incoming,
    *,
    new_id: Callable[[], str],
    lease: timedelta,
    history: int,
    now: datetime,
) -> Received | StillRunning | AlreadyAnswered:
    """Store a message and open its turn, or find the twin that did. Raise SameIdOtherText, NoSuchConversation."""
    conversation = session.get(Conversation, conversation_id, with_for_update=True)
    if conversation is None:
        raise NoSuchConversation("no such conversation")
    twin = _twin(session, conversation_id, incoming.client_message_id)
    if twin is None:
        message = Message(
            conversation_id=conversation_id,
            client_message_id=incoming.client_message_id,
            role=Role.VISITOR,
            text=incoming.text,
            content={"choice": incoming.choice} if incoming.choice else {},
            at=now,
        )
        session.add(message)
        session.flush()
        turn = Turn(
            id=TurnId(new_id()),
            conversation_id=conversation_id,
            message_id=message.id,
            state=TurnState.RUNNING,
            attempt=1,
            lease_until=now + lease,
            started_at=now,
        )
        session.add(turn)
    else:
        message, turn = twin
        if message.text != incoming.text:
            raise SameIdOtherText("this message id was used for another text")
        if turn.state == TurnState.DONE:
            return AlreadyAnswered(message.id, session.get_one(Message, turn.reply_id) if turn.reply_id else message)
        if turn.lease_until > now:
            return StillRunning(turn.lease_until)
        turn.attempt += 1
        turn.lease_until = now + lease
    conversation.updated_at = now
    session.flush()
    return Received(
        conversation_id=conversation_id,
        message_id=message.id,
        turn_id=turn.id,
        attempt=turn.attempt,
        text=message.text,
        locale=conversation.locale,
        holder=Holder(conversation.holder),
        history=_history(session, message, conversation.boundary, history),
        earlier=_earlier(session, message, conversation.boundary, history),
    )


def locked(session: Session, conversation_id: str) -> Conversation:
    """The conversation as it is stored now, ours until the transaction ends. Raise NoSuchConversation."""
    found = session.get(Conversation, conversation_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NoSuchConversation("no such conversation")
    return found


def say_in(session: Session, conversation_id: str, role: Role, text: str, content: dict[str, Any], *, now: datetime) -> Message:
    """A message that answers no turn: of an agent, or word that a person has taken over."""
    message = Message(conversation_id=conversation_id, role=role, text=text, content=content, at=now)
    session.add(message)
    session.flush()
    return message


def delivered(session: Session, received: Received, *, now: datetime, outcome: Outcome = Outcome.DELIVERED) -> Message:
    """Close the turn without a reply, because a person holds the conversation; the visitor's own message, marked so.

    When a twin of the turn was faster and replied, its reply.
    """
    turn = session.get_one(Turn, received.turn_id, with_for_update=True)
    if turn.reply_id is not None:
        return session.get_one(Message, turn.reply_id)
    message = session.get_one(Message, received.message_id)
    if turn.state != TurnState.DONE:
        turn.state, turn.outcome, turn.finished_at = TurnState.DONE, outcome, now
        turn.question, turn.language = received.text, received.locale
        message.content = {**message.content, "outcome": outcome}
    return message


def since_boundary(session: Session, conversation: Conversation) -> list[Message]:
    """The messages that no person has settled yet, oldest first."""
    query = select(Message).where(Message.conversation_id == conversation.id, Message.id > conversation.boundary)
    return list(session.scalars(query.order_by(Message.id)))


def let_go(session: Session, received: Received, *, now: datetime) -> None:
    """The turn failed: its twin may run at once, unless another attempt has begun meanwhile."""
    turn = session.get_one(Turn, received.turn_id, with_for_update=True)
    if turn.state == TurnState.RUNNING and turn.attempt == received.attempt:
        turn.lease_until = now


def last_id(session: Session, conversation: Conversation) -> int:
    """The id of its last message; 0 without one."""
    return session.scalar(select(func.max(Message.id)).where(Message.conversation_id == conversation.id)) or 0


def reply(session: Session, received: Received, answer: Reply, *, now: datetime) -> Message:
    """Store the reply and close the turn; when a twin was faster, its reply instead."""
    turn = session.get_one(Turn, received.turn_id, with_for_update=True)
    if turn.state == TurnState.DONE:
        return session.get_one(Message, turn.reply_id or received.message_id)
    message = Message(
        conversation_id=received.conversation_id,
        role=Role.ASSISTANT,
        text=answer.text,
        content=answer.content,
        at=now,
    )
    session.add(message)
    session.flush()
    turn.state, turn.reply_id, turn.outcome = TurnState.DONE, message.id, answer.outcome
    turn.question, turn.language, turn.probability = answer.question, answer.language, answer.probability
    turn.trace, turn.finished_at = answer.trace, now
    return message


def messages_after(session: Session, conversation_id: ConversationId, after: int, limit: int) -> list[Message]:
    """The conversation's messages with a greater id, oldest first."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.id > after).order_by(Message.id).limit(limit)
    return list(session.scalars(query))


def rate(session: Session, conversation_id: ConversationId, message_id: int, *, helpful: bool, reason: str, now: datetime) -> None:
    """Remember a thumb on one of the conversation's replies; the last one counts. Raise NoSuchMessage."""
    message = session.get(Message, message_id)
    if message is None or message.conversation_id != conversation_id or message.role == Role.VISITOR:
        raise NoSuchMessage("this conversation has no such reply")
    session.merge(Feedback(message_id=message_id, conversation_id=conversation_id, helpful=helpful, reason=reason, at=now))
    if not helpful and message.role == Role.ASSISTANT:
        message.content = {**message.content, "offer": "not_solved", "because": ""}


def _twin(session: Session, conversation_id: ConversationId, client_message_id: str | None) -> tuple[Message, Turn] | None:
    if client_message_id is None:
        return None
    query = (
        select(Message, Turn)
        .join(Turn, Turn.message_id == Message.id)
        .where(Message.conversation_id == conversation_id, Message.client_message_id == client_message_id)
    )
    found = session.execute(query).first()
    return (found[0], found[1]) if found else None


def _earlier(session: Session, message: Message, boundary: int, count: int) -> tuple[Earlier, ...]:
    query = (
        select(Turn, Message.content)
        .outerjoin(Message, Message.id == Turn.reply_id)
        .where(Turn.conversation_id == message.conversation_id, Turn.message_id < message.id, Turn.message_id > boundary)
        .where(Turn.state == TurnState.DONE)
        .order_by(Turn.message_id.desc())
        .limit(count)
    )
    rows = reversed(session.execute(query).all())
    return tuple(
        Earlier(turn.started_at, turn.question or "", _failed(turn.outcome), (content or {}).get("offer", "")) for turn, content in rows
    )


def _failed(outcome: str | None) -> bool:
    return outcome is None or Outcome(outcome).family in {"unanswered", "failed"}


def _history(session: Session, message: Message, boundary: int, count: int) -> tuple[Said, ...]:
    query = (
        select(Message)
        .where(Message.conversation_id == message.conversation_id, Message.id < message.id, Message.id > boundary)
        .order_by(Message.id.desc())
        .limit(count)
    )
    return tuple(Said(Role(m.role), m.text) for m in reversed(session.scalars(query).all()))
