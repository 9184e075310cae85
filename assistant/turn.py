"""One turn of a conversation: a visitor's message in, a reply with its sources out."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from assistant import bursts, calling, composing, conversation, handover, replying, restating, trace
from assistant.answer import Manner
from assistant.calling import Caller
from assistant.conversation import AlreadyAnswered, Incoming, Received, StillRunning
from assistant.hearing import Heard, Identify, hear
from assistant.looking import Picked, look
from assistant.means import Means
from assistant.pen import Pen, Writer
from assistant.proving import Supports, by_words
from assistant.settings import AssistantSettings
from assistant.tables import ConversationId, Holder, Message, Outcome
from escalation.rules import Escalate, Offer
from escalation.tables import TicketId
from escalation.triage import Triage
from guardrails import ledger
from guardrails.screen import Guard
from knowledge.embedding import Vectors, vectors
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
    triage: Triage
    writer: Writer | None = None
    """The chat model, where one is configured."""
    supports: Supports = by_words
    """Whether passages say what a sentence of the model says."""
    judge: Writer | None = None
    """The chat model that judges written sentences, where one is configured."""

    @property
    def means(self) -> Means:
        """What a chat model's work needs."""
        known, rarity = self.library.encoders, self.library.rarity
        return Means(self.guard, known, self.settings, self.mask, self.embed, rarity, self.supports, self.judge)

    def pen(self, conversation_id: ConversationId | None) -> Pen | None:
        """The chat model for one turn; None where none is configured."""
        return self.writer.pen(conversation_id, self.settings.turn_seconds) if self.writer else None

    def embed(self, texts: list[str]) -> dict[str, Vectors]:
        """By encoder one row per text, in one batch."""
        return {name: vectors(encoder, texts) for name, encoder in self.library.encoders.items()}

    def similarities(self, heard: Heard, received: Received) -> list[float]:
        """How like the present question is to each earlier one of the conversation, as cosines."""
        return calling.similarities(heard, received.earlier, self.library.encoders, self.triage.settings.same_question)


def take_turn(
    assistant: Assistant,
    conversation_id: ConversationId,
    incoming: Incoming,
    *,
    now: datetime,
    progress: Callable[[Step], None] = lambda _: None,
) -> Message | StillRunning:
    """The reply to a message, stored; or word that a twin of the message is being answered right now.

    The visitor's own message comes back when a person holds the conversation, or when a later one is answered together with it.
    A turn that fails may be run again at once.
    """
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
        if isinstance(received, Received) and received.holder is Holder.PERSON:
            delivered = handover.deliver(session, received, settings.closes_after, now=now)
            if isinstance(delivered, Message):
                return delivered
            received = delivered
        if isinstance(received, Received) and assistant.writer:
            received = bursts.joined(session, received, now=now)
    if isinstance(received, StillRunning):
        return received
    if isinstance(received, AlreadyAnswered):
        return received.reply
    progress(Step.RECEIVED)
    try:
        return _answered(assistant, received, incoming.choice, now, progress)
    except Exception:
        with suppress(Exception), assistant.sessions.write() as session:  # the first error is the one to tell
            conversation.let_go(session, received, now=now)
        raise


def _answered(assistant: Assistant, received: Received, choice: str | None, now: datetime, progress: Callable[[Step], None]) -> Message:
    """The steps between the message that was stored and the reply that is."""
    started = time.perf_counter()
    settings = assistant.settings
    heard = hear(received, assistant.embed, assistant.guard, assistant.identify, assistant.mask)
    caller = Caller.of(assistant.triage, received, heard)
    decision = caller.early()
    manner = Manner(settings.answer_words, settings.max_sources, heard.language, assistant.link)
    pen, seen, made = assistant.pen(received.conversation_id), None, composing.NOTHING
    if not isinstance(decision, Escalate):
        heard = restating.restated(pen, assistant.means, heard, received.history)
    if heard.question is not None and not isinstance(decision, Escalate):
        progress(Step.SEARCHING)
        with assistant.sessions.read() as session:
            seen = look(session, assistant.library, heard.question, heard.vectors, Picked(choice, received.question_before))
        progress(Step.ANSWERING)
        made = composing.compose(assistant.means, seen, heard, manner, pen, received.history)
        decision = caller.late(made.drafted, assistant.similarities(heard, received))
    reply = replying.join(heard, made.drafted, assistant.guard, settings, received.locale)
    if isinstance(decision, Offer) and reply.outcome is not Outcome.SMALLTALK:
        reply = replying.offering(reply, decision, settings.contact)
    called = calling.call(decision, caller, assistant.guard.policies, assistant.embed) if isinstance(decision, Escalate) else None
    reply = trace.traced(reply, heard, seen, 1000 * (time.perf_counter() - started), composing.traced(pen, made.told))
    with assistant.sessions.write() as session:
        held = conversation.locked(session, received.conversation_id)
        if held.holder == Holder.PERSON:  # called while we were thinking: from then on the assistant is silent
            ledger.append(session, trace.entries(received, heard, made.screened, assistant.guard.version, assistant.new_id), now)
            return conversation.delivered(session, received, now=now)
        if assistant.writer and bursts.taken(session, received):
            ledger.append(session, trace.entries(received, heard, made.screened, assistant.guard.version, assistant.new_id), now)
            return bursts.silent(session, received, now=now)
        if called is not None:
            opened = handover.open_for(session, held, called, TicketId(received.turn_id), now=now)
            reply = replying.handed_over(reply, called.outcome, opened.text, opened.content)
        stored = conversation.reply(session, received, reply, now=now)
        ledger.append(session, trace.entries(received, heard, made.screened, assistant.guard.version, assistant.new_id), now)
    return stored
