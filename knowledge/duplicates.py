"""Whether two FAQs say the same: by their questions, by their answers, and by the specific facts they state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from knowledge.facts import facts_in, words_of
from knowledge.grouping import joined
from knowledge.vectors import Vectors

WEIGHTS: Mapping[str, float] = MappingProxyType({"question": 3.44, "answer": 7.94, "words": 16.41, "facts": 2.27})
BIAS = -17.02
"""Logistic regression on the FAQs of an invented bank: replies of its agents under a customer's wording against its FAQs, nearest others
as what is no duplicate."""
DUPLICATE = 0.5  # probability from which it counts as saying the same; .01 of the nearest others and .86 of replies reach it, held out


@dataclass(frozen=True)
class Page:
    """A FAQ or article to be compared: what it is called, other ways to ask it, and what it says."""

    id: str
    title: str
    text: str
    wordings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A page with its vectors: one row per title, one for the text."""

    page: Page
    titles: Vectors
    text: Vectors


def seen(pages: Sequence[Page], vectors: Mapping[str, Vectors]) -> list[Seen]:
    """Pages with the rows that `texts` asked for, in its order."""
    rows = joined(vectors)
    found, at = [], 0
    for page in pages:
        count = 1 + len(page.wordings)
        found.append(Seen(page, rows[at : at + count], rows[at + count]))
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
    words = words_of(one.page.text), words_of(other.page.text)
    facts = facts_in(one.page.text), facts_in(other.page.text)
    both = min(len(facts[0]), len(facts[1]))
    return {
        "question": float((one.titles @ other.titles.T).max()),
        "answer": float(one.text @ other.text),
        "words": len(words[0] & words[1]) / max(min(len(words[0]), len(words[1])), 1),
        "facts": len(facts[0] & facts[1]) / both if both else 0.5,
    }
