"""What an agent reads first: what is asked, what was answered, why it came here; and replies that may fit. Everything is quoted."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant import answer
from assistant.answer import Manner
from assistant.conversation import Citation
from assistant.looking import Picked, look
from assistant.question import Question
from assistant.smalltalk import smalltalk
from assistant.tables import Message, Outcome, Role
from assistant.turn import Assistant
from assistant.wording import shipped
from escalation import fields, finding
from escalation.asked import asks_for_person
from escalation.tables import Ticket, TicketState
from knowledge.confidence import Band
from knowledge.embedding import vectors
from knowledge.library import comparing

FIRST_WORDS = 40  # of what the assistant answered
VERSION = re.compile(r"\bv?\d+(?:\.\d+){1,3}\b|\b(?:version|build) \d[\w.-]*", re.IGNORECASE)
ADDRESS = re.compile(r"https?://[^\s<>\"')\]]+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b|\b\d{1,3}(?:\.\d{1,3}){3}\b")
CODE = re.compile(r"\b(?=[A-Z0-9_-]*\d)[A-Z][A-Z0-9]*(?:[-_][A-Z0-9]+)*\d[A-Z0-9_-]*\b")
LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
HEADING = re.compile(r"^#{1,6} +")
EMPHASIS = re.compile(r"\*\*|__|`|(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])")
TOLD = frozenset({"answered", "offered", "refused", "unanswered", "failed"})  # families of turns in which the assistant said something
CALL_WORDS = 8  # a longer message that asks for a person also says why
MOST_ENTITIES = 8
TELLING_WORDS = 6  # of a request, by which earlier tickets are looked for
EARLIER = 12  # tickets whose requests are compared
LIKE = 0.6  # cosine of two requests from which the reply to one may fit the other; not yet chosen by an eval
MOST_SUGGESTIONS = 3
WORD = re.compile(r"[^\W\d_]{4,}|\w*\d\w*", re.UNICODE)


@dataclass(frozen=True)
class Answered:
    """A question, how the assistant's turn ended, the beginning of what it said, and the titles it showed or offered."""

    question: str
    outcome: str
    text: str
    titles: tuple[str, ...]


@dataclass(frozen=True)
class Briefing:
    """`missing` names what the ticket should say and does not, as fields."""

    first_ask: str
    last_ask: str
    answered: tuple[Answered, ...]
    why: str
    errors: tuple[str, ...]
    versions: tuple[str, ...]
    addresses: tuple[str, ...]
    codes: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """A reply that may fit, with where it comes from: articles, or the ticket whose visitor got it."""

    text: str
    sources: tuple[Citation, ...] = ()
    ticket: int | None = None
    likeness: float | None = None


def brief(ticket: Ticket, messages: Sequence[Message]) -> Briefing:
    """The ticket in a few lines, from its messages, oldest first."""
    asked = [message.text for message in messages if message.role == Role.VISITOR]
    asks = [text for text in asked if smalltalk(text) is None and not _only_calls(text)] or asked
    addresses = _each(ADDRESS, asked)
    plain = [ADDRESS.sub(" ", text) for text in asked]
    return Briefing(
        first_ask=asks[0] if asks else "",
        last_ask=asks[-1] if len(asks) > 1 else "",
        answered=tuple(_answers(messages)),
        why=ticket.reason_text,
        errors=tuple(ticket.error_texts),
        versions=_each(VERSION, plain),
        addresses=addresses,
        codes=tuple(code for code in _each(CODE, plain) if not any(code in error for error in ticket.error_texts)),
        missing=fields.lacking(ticket),
    )


def request_of(ticket: Ticket, messages: Sequence[Message]) -> str:
    """What the visitor wants, in one or two sentences of theirs."""
    told = [part for part in (ticket.goal, ticket.symptom) if part]
    if told:
        return ". ".join(told)
    asked = [message.text for message in messages if message.role == Role.VISITOR and smalltalk(message.text) is None]
    return asked[0] if asked else ""


def suggest(assistant: Assistant, session: Session, ticket: Ticket, messages: Sequence[Message]) -> list[Suggestion]:
    """Replies that may fit: from the nearest articles, and what agents answered to similar requests. Never sent by itself."""
    request = request_of(ticket, messages)
    if not request:
        return []
    found = [_from_articles(assistant, session, ticket, Question(request))]
    found += _from_earlier(assistant, session, ticket, request)
    return [one for one in found if one is not None][:MOST_SUGGESTIONS]


# ── the ticket in a few lines ───────────────────────────────────────────────────────────────────────


def _only_calls(text: str) -> bool:
    """It asks for a person and hardly for anything else."""
    return len(text.split()) <= CALL_WORDS and asks_for_person(text)


def _answers(messages: Sequence[Message]) -> Iterable[Answered]:
    """Each reply of the assistant that said something to the matter, with the question before it."""
    for asked, replied in pairwise(message for message in messages if not message.content.get("notice")):
        outcome = replied.content.get("outcome")
        if asked.role == Role.VISITOR and replied.role == Role.ASSISTANT and outcome and Outcome(outcome).family in TOLD:
            words = plain(replied.text).split()
            beginning = " ".join(words[:FIRST_WORDS]) + (" …" if len(words) > FIRST_WORDS else "")
            shown = (*replied.content.get("sources", ()), *replied.content.get("choices", ()))
            titles = tuple(dict.fromkeys(one["title"] for one in shown))
            yield Answered(asked.text, outcome, beginning, titles)


def _each(pattern: re.Pattern[str], texts: Iterable[str]) -> tuple[str, ...]:
    found = (match.group().rstrip(".,;:") for text in texts for match in pattern.finditer(text))
    return tuple(dict.fromkeys(found))[:MOST_ENTITIES]


# ── replies that may fit ────────────────────────────────────────────────────────────────────────────


def _from_articles(assistant: Assistant, session: Session, ticket: Ticket, question: Question) -> Suggestion | None:
    seen = look(session, assistant.library, question, assistant.embed([question.text]), Picked())
    if seen.found.band is Band.NOT_COVERED:
        return None
    settings = assistant.settings
    manner = Manner(settings.answer_words, settings.max_sources, shipped(ticket.language), assistant.link)
    draft = answer.compose(question.text, seen.ranked, seen.places, manner, assistant.library.rarity)
    if draft is None:
        return None
    text = draft.text
    for ours in draft.ours:  # "this continues in the article", said by the assistant, not by an agent
        text = text.replace(ours, "")
    return Suggestion(plain(text), draft.sources)


def _from_earlier(assistant: Assistant, session: Session, ticket: Ticket, request: str) -> list[Suggestion]:
    """What agents answered to the most similar resolved tickets in the same language, the most similar first."""
    earlier = _candidates(assistant, session, ticket, request)
    if not earlier:
        return []
    encoders = assistant.library.encoders
    rows = vectors(encoders[comparing(encoders)], [request, *(request_of(one, ()) for one in earlier)])
    likeness = rows[1:] @ rows[0]
    near = [(float(likeness[at]), earlier[at]) for at in np.argsort(-likeness) if likeness[at] >= LIKE]
    replies = ((like, one, _reply_of(session, one)) for like, one in near)
    distinct = {text: Suggestion(text, ticket=one.number, likeness=like) for like, one, text in replies if text}
    return list(distinct.values())


def _candidates(assistant: Assistant, session: Session, ticket: Ticket, request: str) -> Sequence[Ticket]:
    """Resolved tickets that share telling words with the request, those that share most first."""
    words = sorted(set(WORD.findall(request.casefold())), key=lambda word: (-assistant.library.rarity(word), word))[:TELLING_WORDS]
    hits: Counter[int] = Counter()
    done = Ticket.state.in_([TicketState.RESOLVED, TicketState.CLOSED])
    for word in words:
        if (holding := finding.numbers(session, word)) is not None:
            wanted = select(Ticket.number).where(Ticket.number.in_(holding), done, Ticket.language == ticket.language)
            hits.update(session.scalars(wanted.where(Ticket.merged_into.is_(None)).order_by(Ticket.number.desc()).limit(4 * EARLIER)))
    hits.pop(ticket.number, None)
    numbers = [number for number, _ in hits.most_common(EARLIER)]
    found = session.scalars(select(Ticket).where(Ticket.number.in_(numbers))).all()
    return [one for one in found if request_of(one, ())]


def _reply_of(session: Session, ticket: Ticket) -> str:
    """The agent's last word in a ticket's conversation."""
    query = select(Message.text).where(Message.conversation_id == ticket.conversation_id, Message.role == Role.AGENT)
    return session.scalar(query.order_by(Message.id.desc()).limit(1)) or ""


def plain(markdown: str) -> str:
    """Without marks of emphasis, code and headings, links as their words: agents' replies are plain text."""
    lines = (HEADING.sub("", line) for line in LINK.sub(r"\1", markdown).splitlines())
    return "\n".join(EMPHASIS.sub("", line) for line in lines).strip()
