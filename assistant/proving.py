"""Every sentence that a chat model wrote is held against the sources it names; what they do not say is cut."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from assistant.relevance import stems
from guardrails.checks.grounding import Statement, Support
from guardrails.drafts import CitedPassage, DraftToScreen
from guardrails.screen import Guard

FEWEST = 3  # words of a sentence
LONGEST = 500  # characters of a sentence; a longer one is no sentence
MARKUP = re.compile(r"<[a-z!/]|!\[|\]\(|```|<<|\|\s*-{3}", re.IGNORECASE)
WORD = re.compile(r"\w+")
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

HAPPENED = re.compile(
    r"(?:your|ihre?r?|deine?|votre|vos|tus?|sus?|su|seus?|suas?)(?: [\w'’-]+){1,4}?"
    r" (?:was|were|has been|have been|is being|are being|wurden?|wird gerade|ist \w+t worden"
    r"|a été|ont été|fue|fueron|ha sido|han sido|foi|foram)\b",
    re.IGNORECASE,
)  # at the beginning of a sentence: something happened in the visitor's own case, which no article can know


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


Supports = Callable[[Sequence[Statement]], list[Support]]
"""Sentences with the passages that each rests on → for each whether they say what it says."""


def prove(
    sentences: Sequence[Sentence], sources: Mapping[str, CitedPassage], guard: Guard, supports: Supports, asked: Sequence[str] = ()
) -> Proof:
    """Hold each sentence against its sources. `sources` by the ids that the model was shown; `asked`: what the visitor wrote."""
    claims: dict[str, tuple[Claim, str]] = {}
    for sentence in sentences:
        text = " ".join(LABEL.sub("", sentence.text).split())
        named = [sources.get(id_.strip(" []()")) for id_ in dict.fromkeys(sentence.passages)]
        claim = Claim(text, tuple(source for source in named if source is not None))
        if text and text not in claims:
            claims[text] = (
                claim,
                _malformed(claim, unknown=None in named) or _unsaid(claim, guard) or _event(claim) or _echo(claim, asked),
            )
    open_ = [claim for claim, why in claims.values() if not why]
    judged = supports([Statement(claim.text, claim.sources) for claim in open_]) if open_ else []
    found = {claim.text: support for claim, support in zip(open_, judged, strict=True)}
    kept = tuple(claim for claim in open_ if found[claim.text].ok)
    cut = [Cut(len(claim.text.split()), why) for claim, why in claims.values() if why]
    cut += [Cut(len(claim.text.split()), "; ".join(("meaning", *found[claim.text].reasons))) for claim in open_ if not found[claim.text].ok]
    return Proof(kept, tuple(cut))


def _malformed(claim: Claim, *, unknown: bool) -> str:
    if unknown:
        return "names a source that it was not given"
    if not claim.sources:
        return "names no source"
    if len(claim.text) > LONGEST:
        return "is too long"
    if len(claim.text.split()) < FEWEST:
        return "is no sentence"
    return "holds markup" if MARKUP.search(claim.text) else ""


def _unsaid(claim: Claim, guard: Guard) -> str:
    """Which of the guards' checks speaks against it: a literal, a link or a promise that no source has."""
    draft = DraftToScreen(claim.text, claim.sources, frozenset(source.passage_id for source in claim.sources))
    verdict = guard.outgoing(draft)
    return str(verdict.policy) if verdict.action is not None and verdict.action.blocks else ""


def _event(claim: Claim) -> str:
    """A sentence that tells what happened to the visitor's own refund or order, unless a source says it word for word."""
    said = _spaced(claim.text)
    copied = any(said in _spaced(source.text) for source in claim.sources)
    return "tells what happened in the visitor's own case" if HAPPENED.match(claim.text) and not copied else ""


def _echo(claim: Claim, asked: Sequence[str]) -> str:
    """A sentence that the visitor wrote and no source has was dictated."""
    said = _spaced(claim.text)
    dictated = any(said in _spaced(text) for text in asked)
    return "repeats the visitor" if dictated and not any(said in _spaced(source.text) for source in claim.sources) else ""


def _spaced(text: str) -> str:
    """A text's words, each with a blank before and after it."""
    return f" {' '.join(WORD.findall(text.casefold()))} "


def by_words(statements: Sequence[Statement]) -> list[Support]:
    """Whether nearly every telling word of a sentence stands in its passages, and a “not” where a “not” stands.

    For services without a real encoder. Strict on purpose: it cuts most paraphrases, and all that are in another language.
    """
    return [_by_words(one.sentence, [f"{passage.title}\n{passage.text}" for passage in one.passages]) for one in statements]


def _by_words(sentence: str, passages: Sequence[str]) -> Support:
    told, known = stems(sentence), stems("\n".join(passages))
    share = len(told & known) / max(1, len(told))
    nearest = max((part for passage in passages for part in PART.split(passage)), key=lambda part: len(told & stems(part)))
    return Support(share >= WORDS_SAID and bool(NOT.search(sentence)) == bool(NOT.search(nearest)), share)
