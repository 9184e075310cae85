"""Several kinds of evidence for the same passages become one ranking of passages and of articles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


class Method(IntEnum):
    """A column of the evidence: how a passage can recommend itself."""

    MEANING = 0  # cosine of question and passage
    WORDS = 1  # BM25 of the passage
    TITLE = 2  # cosine of question and title, or the nearest wording of a FAQ
    ARTICLE_WORDS = 3  # BM25 of the whole article


# Chosen in the trial that quality-bars.md reports.
WEIGHTS: Mapping[Method, float] = {
    Method.MEANING: 0.45,
    Method.WORDS: 0.20,
    Method.TITLE: 0.15,
    Method.ARTICLE_WORDS: 0.20,
}


@dataclass(frozen=True)
class Evidence:
    """Candidate passages with one row of raw scores each; a score that a method did not give is NaN."""

    passages: tuple[str, ...]
    articles: tuple[str, ...]
    scores: Scores


@dataclass(frozen=True)
class Ranking:
    """Rows of the evidence, best first, and the articles they belong to, best first."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]
    articles: tuple[str, ...]
    article_scores: tuple[float, ...]


def rank(evidence: Evidence, weights: Mapping[Method, float] = WEIGHTS) -> Ranking:
    """Add the normalised scores; an article is as good as its best passage."""
    total = np.zeros(len(evidence.passages))
    for method, weight in weights.items():
        total += weight * _normalised(evidence.scores[:, method])
    order = np.argsort(-total, kind="stable")
    best: dict[str, float] = {}
    for row in order:
        best.setdefault(evidence.articles[row], float(total[row]))
    return Ranking(tuple(map(int, order)), tuple(float(total[row]) for row in order), tuple(best), tuple(best.values()))


def _normalised(column: Scores) -> Scores:
    """Lowest 0, highest 1; a missing score counts as the lowest."""
    known = column[~np.isnan(column)]
    if not len(known):
        return np.zeros_like(column)
    low, high = float(known.min()), float(known.max())
    filled = np.nan_to_num(column, nan=low)
    return np.zeros_like(column) if high <= low else (filled - low) / (high - low)


def column(values: Mapping[str, float], keys: Sequence[str]) -> Scores:
    """One score per key, NaN where there is none."""
    return np.array([values.get(key, np.nan) for key in keys], dtype=np.float64)
