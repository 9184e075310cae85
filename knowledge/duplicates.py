"""Whether two FAQs say the same: by their questions, by their answers, and by the specific facts they state."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np

from knowledge.facts import facts_in, words_of
from knowledge.grouping import joined
from knowledge.language import function_words, stem
from knowledge.vectors import Vectors

WEIGHTS: Mapping[str, float] = MappingProxyType({"question": 7.33, "answer": 15.87, "words": 13.23, "facts": 5.54})
BIAS = -24.43
"""Logistic regression on an invented bank: replies of its agents, two or three together under a customer's wording, against its 77 FAQs,
the nearest others as what is no duplicate (`python -m evals fit-duplicates`). By weights that have not seen the matter, .87 are found where
.02 of the others are flagged; the bias is that of this share.
"""
DUPLICATE = 0.5  # probability from which it counts as saying the same
NEAREST = 3  # pairs of titles whose mean likeness counts: with many wordings the best pair is always near
LEAST_RARE = 0.2  # weight of a word that every page has


@dataclass(frozen=True)
class Page:
    """A FAQ or article to be compared: what it is called, other ways to ask it, and what it says."""

    id: str
    title: str
    text: str
    wordings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A page with its vectors: one row per title, one for the text; its telling words, each with how rare it is among the pages."""

    page: Page
    titles: Vectors
    text: Vectors
    words: Mapping[str, float]
    facts: frozenset[str]


def seen(pages: Sequence[Page], vectors: Mapping[str, Vectors], rarity: Callable[[str], float] | None = None) -> list[Seen]:
    """Pages with the rows that `texts` asked for, in its order; `rarity` of a stemmed word, by default among these pages."""
    rows = joined(vectors)
    words = [words_of(page.text) - _grammar() for page in pages]
    often = Counter(word for of_one in words for word in of_one)
    rare = rarity or (lambda word: float(np.log((len(pages) + 1) / (often[word] + 1))))
    weights = {word: rare(word) + LEAST_RARE for word in often}
    found, at = [], 0
    for page, of_one in zip(pages, words, strict=True):
        count = 1 + len(page.wordings)
        told = {word: weights[word] for word in of_one}
        found.append(Seen(page, rows[at : at + count], rows[at + count], told, facts_in(page.text)))
        at += count + 1
    return found


def texts(pages: Sequence[Page]) -> list[str]:
    """What is embedded for these pages."""
    return [text for page in pages for text in (page.title, *page.wordings, page.text)]


def likeness(one: Seen, other: Seen) -> float:
    """How probable it is that both say the same, 0 to 1."""
    return float(1 / (1 + np.exp(-(BIAS + sum(WEIGHTS[name] * value for name, value in features(one, other).items())))))


def features(one: Seen, other: Seen) -> dict[str, float]:
    """What the judgement rests on, each about 0 to 1."""
    titles = np.sort((one.titles @ other.titles.T).ravel())[-NEAREST:]
    shared = sum(weight for word, weight in one.words.items() if word in other.words)
    least = min(sum(one.words.values()), sum(other.words.values()))
    facts = min(len(one.facts), len(other.facts))
    return {
        "question": float(titles.mean()),
        "answer": float(one.text @ other.text),
        "words": shared / least if least else 0.0,
        "facts": len(one.facts & other.facts) / facts if facts else 0.5,
    }


@cache
def _grammar() -> frozenset[str]:
    return frozenset(stem(word) for language in ("en", "de", "fr", "es", "pt") for word in function_words(language))
