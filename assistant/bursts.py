"""Several messages sent while the first is still being thought about are answered once, together, by the last of their turns.

Both sides hold the conversation's row: a message that comes before a reply is stored takes the waiting ones
with it, and their turns, when they come to reply, see that they were taken and stay silent.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant import conversation
from assistant.conversation import Received
from assistant.question import Said
from assistant.tables import Message, Outcome, Role, Turn, TurnState

WITH = "with"  # in a message's content: the ids of the messages before it that are answered together with it


def joined(session: Session, received: Received, *, now: datetime) -> Received:
    """The same with the waiting messages before it as part of its text, and no more as history."""
    message = session.get_one(Message, received.message_id)
    if WITH not in message.content:
        waiting = (
            select(Message.id)
            .join(Turn, Turn.message_id == Message.id)
            .where(Message.conversation_id == received.conversation_id, Message.id < received.message_id, Message.role == Role.VISITOR)
            .where(Turn.state == TurnState.RUNNING, Turn.lease_until > now)
            .order_by(Message.id)
        )
        ids = list(session.scalars(waiting))
        if not ids:
            return received
        message.content = {**message.content, WITH: ids}
    before = list(session.scalars(select(Message.text).where(Message.id.in_(message.content[WITH])).order_by(Message.id)))
    return replace(received, text="\n".join([*before, received.text]), history=_without(received.history, before))


def taken(session: Session, received: Received) -> bool:
    """Whether a later message took this one with it."""
    later = select(Message.content).where(Message.conversation_id == received.conversation_id, Message.id > received.message_id)
    return any(received.message_id in content.get(WITH, ()) for content in session.scalars(later))


def silent(session: Session, received: Received, *, now: datetime) -> Message:
    """Close the turn without a reply: the visitor's own message, marked as answered together with a later one."""
    return conversation.delivered(session, received, now=now, outcome=Outcome.MERGED)


def _without(history: tuple[Said, ...], texts: Iterable[str]) -> tuple[Said, ...]:
    """The history without the last messages that have these texts."""
    gone = list(texts)
    kept: list[Said] = []
    for said in reversed(history):
        if said.role is Role.VISITOR and said.text in gone:
            gone.remove(said.text)
        else:
            kept.append(said)
    return tuple(reversed(kept))
