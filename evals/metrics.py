"""Measures of ranking and of knowing when not to answer; all plain functions of arrays."""

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

DEPTH = 10  # of mrr and ndcg
BINS = 10  # of the calibration error, as quality-bars.md says


def rank_of_gold(ranked: Sequence[str], gold: AbstractSet[str]) -> int | None:
    """The place of the first right document, 0 for the first; None when it is not there."""
    return next((place for place, doc_id in enumerate(ranked) if doc_id in gold), None)


def hit_at(ranks: Sequence[int | None], k: int) -> float:
    """Share of questions with a right document among the first `k`."""
    return sum(rank is not None and rank < k for rank in ranks) / max(len(ranks), 1)


def mrr_at_10(ranks: Sequence[int | None]) -> float:
    """Mean of one over the place of the first right document; 0 beyond the tenth."""
    return sum(1.0 / (rank + 1) for rank in ranks if rank is not None and rank < DEPTH) / max(len(ranks), 1)


def ndcg_at_10(ranked: Sequence[str], gold: AbstractSet[str]) -> float:
    """Discounted gain with right or wrong as the grades."""
    gain = sum(1.0 / math.log2(place + 2) for place, doc_id in enumerate(ranked[:DEPTH]) if doc_id in gold)
    ideal = sum(1.0 / math.log2(place + 2) for place in range(min(len(gold), DEPTH)))
    return gain / ideal if ideal else 0.0


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Chance that a positive scores above a negative; ties count half."""
    values, labels = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    inside, outside = np.sort(values[labels]), values[~labels]
    if not len(inside) or not len(outside):
        return math.nan
    below = np.searchsorted(inside, outside, side="left")
    at_most = np.searchsorted(inside, outside, side="right")
    return float(1.0 - (below + at_most).sum() / (2.0 * len(inside) * len(outside)))


def ece(probabilities: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error: mean distance of stated and found share in bins of equal width, weighted by size."""
    stated, found = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(stated):
        return math.nan
    which = np.minimum((stated * bins).astype(int), bins - 1)
    total = np.bincount(which, weights=stated - found, minlength=bins)
    return float(np.abs(total).sum() / len(stated))


def ece_band(probabilities: Sequence[float], *, seed: int = 0, draws: int = 2000, bins: int = BINS) -> float:
    """The calibration error that a perfectly calibrated model of these probabilities stays below 95 % of the time."""
    stated = np.asarray(probabilities, dtype=np.float64)
    random = np.random.default_rng(seed)
    which = np.minimum((stated * bins).astype(int), bins - 1)
    errors = []
    for _ in range(draws):
        found = random.random(len(stated)) < stated
        errors.append(np.abs(np.bincount(which, weights=stated - found, minlength=bins)).sum() / len(stated))
    return float(np.quantile(errors, 0.95))


@dataclass(frozen=True)
class RiskPoint:
    """Answering only at or above `threshold`: how many are answered, and how many of those wrongly."""

    threshold: float
    coverage: float
    risk: float


def risk_coverage(probabilities: Sequence[float], right: Sequence[bool]) -> list[RiskPoint]:
    """The curve from the surest question to all of them; questions of the same probability are answered together."""
    order = np.argsort(-np.asarray(probabilities, dtype=np.float64), kind="stable")
    stated = np.asarray(probabilities, dtype=np.float64)[order]
    wrong = np.cumsum(~np.asarray(right, dtype=bool)[order])
    last = np.flatnonzero(np.append(stated[1:] != stated[:-1], True))
    return [RiskPoint(float(stated[n]), (n + 1) / len(stated), float(wrong[n] / (n + 1))) for n in last]


def at_threshold(probabilities: Sequence[float], right: Sequence[bool], threshold: float) -> RiskPoint:
    """Coverage and risk of one threshold; risk 0 when nothing is answered."""
    answered = np.asarray(probabilities, dtype=np.float64) >= threshold
    wrong = answered & ~np.asarray(right, dtype=bool)
    return RiskPoint(threshold, float(answered.mean()), float(wrong.sum() / max(answered.sum(), 1)))


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)
