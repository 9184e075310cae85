"""One turn of a conversation: a visitor's message in, a reply with its sources out."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy.orm import Session

from assistant import answer, conversation
from assistant.answer import Manner
from assistant.conversation import AlreadyAnswered, Incoming, Received, Reply, StillRunning
from assistant.question import Question, restate
from assistant.settings import AssistantSettings
from assistant.smalltalk import smalltalk
from assistant.tables import ConversationId, Message, Outcome
from assistant.wording import say, shipped
from knowledge import gaps
from knowledge.embedding import Vectors, vectors
from knowledge.gaps import Unanswered
from knowledge.language import detect
from knowledge.library import Library, Place
from knowledge.search import Band, Found, Hit


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

    def embed(self, texts: list[str]) -> dict[str, Vectors]:
        """By encoder one row per text, in one batch."""
        return {name: vectors(encoder, texts) for name, encoder in self.library.encoders.items()}


@dataclass(frozen=True)
class Seen:
    """What the turn knows when it decides: the question, its language, what was found, and where that stands."""

    question: Question
    language: str
    found: Found
    places: Mapping[str, list[Place]]
    chosen: str | None

    @property
    def ranked(self) -> list[Hit]:
        """What may be quoted: the article the visitor picked, or else what was found, best first."""
        if self.chosen is None:
            return list(self.found.passages)
        hits = [hit for hit in self.found.passages if hit.article_id == self.chosen]
        first = self.places[self.chosen][0]
        return hits or [Hit(self.chosen, first.passage.id, first.article.title, 1.0, {})]


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
    language = shipped(detect(received.text) or received.locale)
    language = shipped(detect(received.text) or received.locale)
    if kind := smalltalk(received.text):
        reply = Reply(say(kind, language, product=settings.product), Outcome.SMALLTALK, language)
    else:
        progress(Step.SEARCHING)
        seen = _look(assistant, received, language, incoming.choice)
        progress(Step.ANSWERING)
        reply = _reply(assistant, seen)
    with assistant.sessions.write() as session:
        stored = conversation.reply(session, received, _timed(reply, started), now=now)
        if reply.outcome.family == "unanswered":
            _record_gap(session, assistant, received, reply, now)
    return stored


def _look(assistant: Assistant, received: Received, language: str, choice: str | None) -> Seen:
    """The question that stands alone, and what the library has for it."""
    question = restate(received.history, received.text)
    found = assistant.library.find(question.text, assistant.embed([question.text]), language=language)
    ids = [choice] if choice else list(dict.fromkeys(hit.article_id for hit in found.passages))
    with assistant.sessions.read() as session:
        places = assistant.library.places(session, ids)
    chosen = choice if choice in places else None
    return Seen(question, language, found, places, chosen)


def _reply(assistant: Assistant, seen: Seen) -> Reply:
    """Answer, offer choices, or say that nothing was found, by how probable it is that the passages answer."""
    settings, found = assistant.settings, seen.found
    trace = {"features": dict(found.explanation.features), "leans_on": seen.question.leans_on, "hits": _hits(found)}
    reply = Reply("", Outcome.ANSWERED_QUOTED, seen.language, question=seen.question.text, probability=found.probability, trace=trace)
    if seen.chosen or found.band is Band.ANSWER:
        manner = Manner(settings.answer_words, settings.max_sources, seen.language, assistant.link)
        draft = answer.compose(seen.question.text, seen.ranked, seen.places, manner, assistant.library.rarity)
        if draft is not None:
            return replace(reply, text=draft.text, outcome=draft.outcome, sources=draft.sources)
    choices = answer.choices(found, seen.places)
    if found.band is not Band.NOT_COVERED and choices:
        return replace(reply, text=say("choices", seen.language), outcome=Outcome.OFFERED_CHOICES, choices=choices)
    text = say("not_covered_contact" if settings.contact else "not_covered", seen.language, contact=settings.contact)
    return replace(reply, text=text, outcome=Outcome.UNANSWERED_NOT_COVERED)


def _record_gap(session: Session, assistant: Assistant, received: Received, reply: Reply, now: datetime) -> None:
    unanswered = Unanswered(assistant.mask(reply.question), reply.outcome, reply.language, received.conversation_id)
    gaps.record(session, unanswered, assistant.new_id(), now=now)


def _hits(found: Found) -> list[dict[str, Any]]:
    return [{"passage": hit.passage_id, "article": hit.article_id, "score": round(hit.score, 4)} for hit in found.passages]


def _timed(reply: Reply, started: float) -> Reply:
    return replace(reply, trace={**reply.trace, "milliseconds": round(1000 * (time.perf_counter() - started), 1)})
