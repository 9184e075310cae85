"""One turn of a conversation: a visitor's message in, a reply with its sources out."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from assistant import conversation, replying, trace
from assistant.answer import Manner
from assistant.conversation import AlreadyAnswered, Incoming, Received, Reply, StillRunning
from assistant.hearing import Identify, hear
from assistant.looking import look
from assistant.settings import AssistantSettings
from assistant.tables import ConversationId, Message, Outcome
from assistant.wording import say
from guardrails import ledger
from guardrails.screen import Guard
from knowledge import gaps
from knowledge.embedding import Vectors, vectors
from knowledge.gaps import Unanswered
from knowledge.library import Library


class Step(StrEnum):
    """What a waiting visitor may be told about the turn."""

    RECEIVED = "received"
    SEARCHING = "searching"
    ANSWERING = "answering"


class Sessions(Protocol):
    """How the assistant reaches the database."""

    def read(self) -> AbstractContextManager[Session]:
        """A session whose changes are thrown away."""

    def write(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block."""


@dataclass(frozen=True)
class Assistant:
    """What a turn needs: the specialists, and how to speak."""

    sessions: Sessions
    library: Library
    settings: AssistantSettings
    new_id: Callable[[], str]
    link: Callable[[str, str], str]
    mask: Callable[[str], str]
    guard: Guard
    identify: Identify

    def embed(self, texts: list[str]) -> dict[str, Vectors]:
        """By encoder one row per text, in one batch."""
        return {name: vectors(encoder, texts) for name, encoder in self.library.encoders.items()}


def take_turn(
    assistant: Assistant,
    conversation_id: ConversationId,
    incoming: Incoming,
    *,
    now: datetime,
    progress: Callable[[Step], None] = lambda _: None,
) -> Message | StillRunning:
    """The reply to a message, stored; or word that a twin of the message is being answered right now."""
    started = time.perf_counter()
    settings = assistant.settings
    with assistant.sessions.write() as session:
        received = conversation.receive(
            session,
            conversation_id,
            incoming,
            new_id=assistant.new_id,
            lease=timedelta(seconds=settings.turn_lease_seconds),
            history=settings.history_turns,
            now=now,
        )
    if isinstance(received, StillRunning):
        return received
    if isinstance(received, AlreadyAnswered):
        return received.reply
    progress(Step.RECEIVED)
    heard = hear(received, assistant.embed, assistant.guard, assistant.identify, assistant.mask)
    manner = Manner(settings.answer_words, settings.max_sources, heard.language, assistant.link)
    seen = drafted = outgoing = None
    if heard.question is not None:
        progress(Step.SEARCHING)
        with assistant.sessions.read() as session:
            seen = look(session, assistant.library, heard.question, heard.vectors, incoming.choice)
        progress(Step.ANSWERING)
        drafted = replying.draft(seen, settings, manner, assistant.library.rarity, off_topic=heard.off_topic)
        drafted, outgoing = replying.screened(drafted, seen, assistant.guard, settings, heard.language)
    if heard.smalltalk and heard.verdict.action is None:
        reply = Reply(say(heard.smalltalk, heard.language, product=settings.product), Outcome.SMALLTALK, heard.language)
    else:
        reply = replying.join(heard, drafted, assistant.guard, settings, received.locale)
    reply = trace.traced(reply, heard, seen, 1000 * (time.perf_counter() - started))
    with assistant.sessions.write() as session:
        stored = conversation.reply(session, received, reply, now=now)
        ledger.append(session, trace.entries(received, heard, outgoing, assistant.guard.version, assistant.new_id), now)
        if reply.outcome.family == "unanswered":
            _record_gap(session, assistant, received, reply, now)
    return stored


def _record_gap(session: Session, assistant: Assistant, received: Received, reply: Reply, now: datetime) -> None:
    question = assistant.mask(reply.question or received.text)
    unanswered = Unanswered(question, reply.outcome, reply.language, received.conversation_id)
    gaps.record(session, unanswered, assistant.new_id(), now=now)
