"""Every sentence that a chat model wrote is held against the sources it names; what they do not say is cut."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from assistant.relevance import stems
from guardrails.drafts import CitedPassage, DraftToScreen
from guardrails.screen import Guard

LONGEST = 500  # characters of a sentence; a longer one is no sentence
MARKUP = re.compile(r"<[a-z!/]|!\[|\]\(|```|<<|\|\s*-{3}", re.IGNORECASE)
WORDS_SAID = 0.8  # of the telling words of a sentence
PART = re.compile(r"(?<=[.!?;])\s+|\n+")
NOT = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|without|cannot|only|except|unless|neither|nor|nicht|kein\w*|nie|ohne|nur|ne|pas|jamais|sans|sauf"
    r"|nunca|sin|sólo|solo|não|sem|só)\b|n['’]t\b",
    re.IGNORECASE,
)
LABEL = re.compile(
    r"\s*[\[(]\s*[PM]\d{1,3}(?:\s*,\s*[PM]\d{1,3})*\s*[\])]"
)  # “(P1, P2)” in a text, where only its list of ids should have it


class Sentence(BaseModel):
    """A sentence and the ids of what it rests on, as a model writes it."""

    text: str = Field(max_length=600)
    passages: list[Annotated[str, Field(max_length=12)]] = Field(max_length=12)


@dataclass(frozen=True)
class Claim:
    """A sentence with the sources that it names."""

    text: str
    sources: tuple[CitedPassage, ...]


@dataclass(frozen=True)
class Cut:
    """A sentence that may not be said, and why; for the trace, without its text."""

    words: int
    why: str


@dataclass(frozen=True)
class Proof:
    """The claims that hold, in order, and what was cut."""

    kept: tuple[Claim, ...]
    cut: tuple[Cut, ...]

    @property
    def mostly(self) -> bool:
        """Whether something is left and no more was cut than was kept."""
        return bool(self.kept) and len(self.cut) <= len(self.kept)


Supports = Callable[[str, Sequence[str]], bool]
"""A sentence and the texts that it rests on → whether they say what it says."""


def prove(sentences: Sequence[Sentence], sources: Mapping[str, CitedPassage], guard: Guard, supports: Supports) -> Proof:
    """Hold each sentence against its sources. `sources` by the ids that the model was shown."""
    kept: list[Claim] = []
    cut: list[Cut] = []
    for sentence in sentences:
        text = " ".join(LABEL.sub("", sentence.text).split())
        named = [sources.get(id_.strip(" []()")) for id_ in dict.fromkeys(sentence.passages)]
        claim = Claim(text, tuple(source for source in named if source is not None))
        why = _malformed(claim, unknown=None in named) or _unsaid(claim, guard, supports)
        if not text or any(one.text == text for one in kept):
            continue
        if why:
            cut.append(Cut(len(text.split()), why))
        else:
            kept.append(claim)
    return Proof(tuple(kept), tuple(cut))


def _malformed(claim: Claim, *, unknown: bool) -> str:
    if unknown:
        return "names a source that it was not given"
    if not claim.sources:
        return "names no source"
    if len(claim.text) > LONGEST:
        return "is too long"
    return "holds markup" if MARKUP.search(claim.text) else ""


def _unsaid(claim: Claim, guard: Guard, supports: Supports) -> str:
    """What the guards say against it: a literal, a link, a promise or a meaning that no source has."""
    draft = DraftToScreen(claim.text, claim.sources, frozenset(source.passage_id for source in claim.sources))
    verdict = guard.outgoing(draft)
    if verdict.action is not None and verdict.action.blocks:
        return f"{verdict.policy}"
    return "" if supports(claim.text, [f"{source.title}\n{source.text}" for source in claim.sources]) else "meaning"


def by_words(sentence: str, passages: Sequence[str]) -> bool:
    """Whether nearly every telling word of a sentence stands in its passages, and a “not” where a “not” stands.

    Strict on purpose: it cuts many good paraphrases, and all that are in another language than the passages.
    """
    told, known = stems(sentence), stems("\n".join(passages))
    if not told or len(told & known) < WORDS_SAID * len(told):
        return False
    nearest = max((part for passage in passages for part in PART.split(passage)), key=lambda part: len(told & stems(part)))
    return bool(NOT.search(sentence)) == bool(NOT.search(nearest))
