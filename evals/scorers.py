"""From what happened to each question to measures with 95 % intervals.

Shares get Wilson's interval, everything else the percentile bootstrap over questions (Efron, 1979).
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evals import metrics
from evals.metrics import rank_of_gold
from evals.results import Measure, known

DRAWS = 500  # of the bootstrap: the ends of an interval are then good to about a tenth of its width
SEED = 11
CURVE_POINTS = 60  # of a risk–coverage curve that are drawn


@dataclass(frozen=True)
class Asked:
    """One question of a set and what came back, by the set's own names of articles; articles best first.

    `probability` is the stated chance that the passages answer; `parts` names the parts of the set it belongs to.
    """

    question: str
    answerable: bool
    gold: frozenset[str]
    ranked: tuple[str, ...]
    probability: float
    cited: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether an answer from the first article would be right: what `probability` is the probability of."""
        return self.answerable and bool(self.ranked) and self.ranked[0] in self.gold

    @property
    def answered(self) -> bool:
        """Whether the visitor got an answer with sources."""
        return bool(self.cited)

    @property
    def answered_wrong(self) -> bool:
        """Answered, although nothing answers it or from an article that does not."""
        return self.answered and not (self.answerable and self.cited[0] in self.gold)

    @property
    def gold_in_reply(self) -> bool:
        """Whether a right article is among the sources or the choices."""
        return bool(self.gold & {*self.cited, *self.offered})


def share(flags: Iterable[bool]) -> Measure:
    """A share with Wilson's interval."""
    values = list(flags)
    yes = sum(values)
    low, high = metrics.wilson(yes, len(values))
    return Measure(yes / max(len(values), 1), low, high, len(values))


def bootstrapped(rows: Sequence[Asked], statistic: Callable[[Sequence[Asked]], float]) -> Measure:
    """A statistic of questions with its percentile bootstrap interval; draws on which it is undefined are left out.

    A calibration error grows in every draw, so its interval can lie above its value: it is widened to hold it.
    """
    if not rows:
        return Measure(math.nan, math.nan, math.nan, 0)
    random = np.random.default_rng(SEED)
    drawn = [statistic([rows[i] for i in random.integers(0, len(rows), len(rows))]) for _ in range(DRAWS)]
    finite = [value for value in drawn if math.isfinite(value)]
    value = statistic(rows)
    low, high = np.quantile(finite, [0.025, 0.975]) if finite else (value, value)
    return Measure(value, min(float(low), value), max(float(high), value), len(rows))


def bootstrapped_mean(values: Sequence[float]) -> Measure:
    """A mean with its percentile bootstrap interval."""
    if not values:
        return Measure(math.nan, math.nan, math.nan, 0)
    random = np.random.default_rng(SEED)
    drawn = [float(np.mean(random.choice(values, len(values)))) for _ in range(DRAWS)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Measure(float(np.mean(values)), float(low), float(high), len(values))


def finding(rows: Sequence[Asked]) -> dict[str, Measure]:
    """How well the right articles are found, over the questions that have some: hit@k, mrr@10, ndcg@10."""
    with_gold = [row for row in rows if row.gold]
    ranks = {id(row): rank_of_gold(row.ranked, row.gold) for row in with_gold}
    hits = [(k, share(_within(ranks[id(row)], k) for row in with_gold)) for k in (1, 5)]
    return known(
        [
            *((f"hit@{k}", measure) for k, measure in hits),
            ("mrr@10", bootstrapped(with_gold, lambda part: metrics.mrr_at_10([ranks[id(row)] for row in part]))),
            ("ndcg@10", bootstrapped(with_gold, lambda part: float(np.mean([metrics.ndcg_at_10(row.ranked, row.gold) for row in part])))),
        ]
    )


def knowing(rows: Sequence[Asked]) -> dict[str, Measure]:
    """How well it is known when not to answer: auc, ece beside its limit, and what happens at the target error."""
    stated = [row.probability for row in rows]
    answered = [row for row in rows if row.answered]
    answerable = [row for row in rows if row.answerable]
    limit = metrics.ece_band(stated) if rows else math.nan
    error = bootstrapped(rows, _ece)
    return known(
        [
            ("auc", bootstrapped(rows, _auc)),
            ("ece", error),
            ("ece_limit", Measure(limit, limit, limit, len(rows))),
            ("ece_excess", Measure(error.value - limit, error.low - limit, error.high - limit, len(rows))),
            ("coverage", share(row.answered for row in rows)),
            ("error_at_target", share(row.answered_wrong for row in answered)),
            ("cites_gold", share(bool(row.gold & set(row.cited)) for row in answered)),
            ("answer_or_offer", share(row.gold_in_reply for row in answerable)),
            ("answered_unanswerable", share(row.answered for row in rows if not row.answerable)),
        ]
    )


def by_part(rows: Sequence[Asked], measure: Callable[[Sequence[Asked]], dict[str, Measure]]) -> dict[str, Measure]:
    """The measures of the whole, then of each part under NAME@PART."""
    found = dict(measure(rows))
    for part in dict.fromkeys(part for row in rows for part in row.parts):
        of_part = measure([row for row in rows if part in row.parts])
        found |= {f"{name}@{part}": value for name, value in of_part.items()}
    return found


def curve(rows: Sequence[Asked]) -> tuple[tuple[float, float], ...]:
    """Coverage and risk from the surest question on, thinned for drawing; the first few questions are too few for a risk."""
    points = metrics.risk_coverage([row.probability for row in rows], [row.right for row in rows]) if rows else []
    drawn = [(round(p.coverage, 4), round(p.risk, 4)) for p in points if p.coverage >= min(1.0, 10 / len(rows))]
    step = max(1, math.ceil(len(drawn) / CURVE_POINTS))
    return tuple(drawn[::step])


def _within(rank: int | None, k: int) -> bool:
    return rank is not None and rank < k


def _auc(rows: Sequence[Asked]) -> float:
    return metrics.auc([row.probability for row in rows], [row.answerable for row in rows])


def _ece(rows: Sequence[Asked]) -> float:
    return metrics.ece([row.probability for row in rows], [row.right for row in rows])
