"""Sentences and what they rest on: the messages of people and the passages of articles that say the same."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from knowledge.facts import facts_in, words_of

ALIKE = 0.6  # share of words that an edited sentence must keep of the old one to keep its evidence

_BREAK = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[*_`]*[^\W\d_a-zß-öø-ÿ]|\d)|\n+")
_MARK = re.compile(r"^\s*(?:[-*+]\s+|\d{1,3}[.)]\s+|#{1,6}\s+|>\s?)+")


@dataclass(frozen=True)
class Source:
    """A message of an agent or a passage of an article: `of` is message or passage, `within` its ticket or article."""

    of: str
    id: str
    within: str
    excerpt: str


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer with its evidence; `supported` is whether any stands behind all of it."""

    text: str
    evidence: tuple[Source, ...] = field(default=())
    supported: bool = False

    def stored(self) -> dict[str, Any]:
        """As it is kept in JSON."""
        rows = [{"of": one.of, "id": one.id, "within": one.within, "excerpt": one.excerpt} for one in self.evidence]
        return {"text": self.text, "evidence": rows, "supported": self.supported}

    @classmethod
    def read(cls, row: dict[str, Any]) -> Self:
        """What `stored` gave."""
        return cls(row["text"], tuple(Source(**one) for one in row["evidence"]), bool(row["supported"]))


def split(text: str) -> list[str]:
    """The sentences and list items of a text, in order, without their marks."""
    return [clean for part in _BREAK.split(text) if (clean := _MARK.sub("", part or "").strip())]


def sentences_of(text: str, known: Sequence[Sentence]) -> list[Sentence]:
    """The sentences of an edited text: each keeps the evidence of the known one it came from, or has none and is not supported.

    It came from one when most of its words did and it brings no fact of its own: no new number, name, date, link or code.
    """
    return [_from(sentence, known) for sentence in split(text)]


def _from(text: str, known: Sequence[Sentence]) -> Sentence:
    words = words_of(text)
    best, likeness = None, 0.0
    for sentence in known:
        theirs = words_of(sentence.text)
        share = len(words & theirs) / max(len(words | theirs), 1)
        if share > likeness and facts_in(text) <= facts_in(sentence.text):
            best, likeness = sentence, share
    if best is None or likeness < ALIKE:
        return Sentence(text)
    return Sentence(text, best.evidence, best.supported)
