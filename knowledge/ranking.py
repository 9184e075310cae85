"""Several kinds of evidence for the same passages become one ranking of passages and of articles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Method(IntEnum):
    """A column of the evidence: how a passage can recommend itself."""

    MEANING = 0  # cosine of question and passage, or a wording of a FAQ
    TITLE = 1  # cosine of question and title, or the nearest wording of a FAQ
    MULTILINGUAL = 2  # MEANING by the multilingual encoder
    TITLE_MULTILINGUAL = 3  # TITLE by the multilingual encoder
    WORDS = 4  # BM25 of the passage
    PAIRS = 5  # BM25 of neighbouring words that stand together in the passage
    ARTICLE_WORDS = 6  # BM25 of the whole article


# Chosen by random search (500 draws) on the four public sets of eval-data. Weights chosen on three sets and asked
# on the fourth give hit@1 and hit@5 within .02 of these. Half or twice any one weight moves hit@5 by .00 to .03.
MEANING, TITLE, WORDS, PAIRS, ARTICLE_WORDS = 0.48, 0.10, 0.13, 0.05, 0.22
SECOND_VOICE = 0.05  # of the multilingual encoder where the main one understands both sides
# These two on invented help centres (DECISIONS.md); a library of only articles or only FAQs is ranked as without them.
FAQ = 0.15  # taken off a FAQ, which short texts and wordings flatter; a question that asks just this is ahead by more
SECOND_TITLE = 0.06  # of the title by the multilingual encoder, where FAQs and articles compete
OTHER_LANGUAGE = 0.10  # taken off when article and question are in different languages: a translation goes first


@dataclass(frozen=True)
class Evidence:
    """Candidate passages, one row each.

    `scores` are raw, one column per method, NaN where a method did not propose the passage. `foreign`, 0 to 1,
    says how far the main encoder does not understand the pair of question and passage. `other_language` is 1
    where article and question are known to be in different languages, `faq` where the article is a FAQ.
    """

    passages: tuple[str, ...]
    articles: tuple[str, ...]
    scores: Numbers
    foreign: Numbers
    other_language: Numbers
    faq: Numbers


@dataclass(frozen=True)
class Ranking:
    """Rows of the evidence, best first, and the articles they belong to, best first."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]
    articles: tuple[str, ...]
    article_scores: tuple[float, ...]


def rank(evidence: Evidence) -> Ranking:
    """Add the shares each method gives; an article is as good as its best passage. Ties keep the order of the rows."""
    total = _total(evidence)
    order = np.argsort(-total, kind="stable")
    best: dict[str, float] = {}
    for row in order:
        best.setdefault(evidence.articles[row], float(total[row]))
    return Ranking(tuple(map(int, order)), tuple(float(total[row]) for row in order), tuple(best), tuple(best.values()))


def _total(evidence: Evidence) -> Numbers:
    share = {method: _share(evidence.scores[:, method], cosine=method < Method.WORDS) for method in Method}
    main = MEANING * share[Method.MEANING] + TITLE * share[Method.TITLE]
    other = MEANING * share[Method.MULTILINGUAL] + TITLE * share[Method.TITLE_MULTILINGUAL]
    exact = WORDS * share[Method.WORDS] + PAIRS * share[Method.PAIRS] + ARTICLE_WORDS * share[Method.ARTICLE_WORDS]
    voices = (1.0 - evidence.foreign) * main + evidence.foreign * other + SECOND_VOICE * share[Method.MULTILINGUAL]
    if 0 < evidence.faq.sum() < len(evidence.faq):
        voices = voices + SECOND_TITLE * share[Method.TITLE_MULTILINGUAL]
    total: Numbers = voices + exact - OTHER_LANGUAGE * evidence.other_language - FAQ * evidence.faq
    return total


def _share(column: Numbers, *, cosine: bool) -> Numbers:
    """Scores as a share of the best one, 0 to 1; where there is none, the lowest cosine or half the lowest BM25.

    A share of the best, unlike min-max, does not change with the number of candidates.
    """
    known = column[~np.isnan(column)]
    if not len(known) or known.max() <= 0:
        return np.zeros_like(column)
    missing = known.min() if cosine else 0.5 * known.min()
    filled = np.nan_to_num(column, nan=missing)
    share: Numbers = np.clip(filled / known.max(), 0.0, 1.0)
    return share


def column(values: Mapping[str, float], keys: Sequence[str]) -> Numbers:
    """One score per key, NaN where there is none."""
    return np.array([values.get(key, np.nan) for key in keys], dtype=np.float64)
