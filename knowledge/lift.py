"""What an accepted suggestion changed: how often the group's question stays open, before and after, and how sure that is.

Pure arithmetic over daily counts. The rate is questions of the group that ended unresolved, or became a ticket, per
conversation. Four things would fool a plain comparison, and each has one answer here:

- Traffic and the help centre as a whole change. All other open questions are the control: what changed for them too is
  not the suggestion's doing (difference in differences, as a ratio of ratios).
- A group is suggested because it was high. Days that were chosen for being high are no measure of the time before
  (regression to the mean), so the days that led to the suggestion are left out.
- Questions come in bursts. Whole weeks are compared, which also evens out weekdays, and the spread from week to week
  says how much less than that many independent questions they tell (quasi-Poisson: McCullagh & Nelder, Generalized
  Linear Models, 1989, section 6.2).
- Counts are small. Given their sum, two Poisson counts are binomial (Przyborowski & Wilenski 1940), and Jeffreys' interval
  of that share keeps its level for few (Brown, Cai & DasGupta 2001, Statistical Science 16), with the counts divided by the
  spread and its degrees of freedom respected as Korn & Graubard (1998, Survey Methodology 24) do for clustered samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

Floats = NDArray[np.float64]
Days = NDArray[np.int64]

WEEK = 7  # days of a block; whole weeks have every weekday once
LONGEST = 26  # weeks looked back, and followed; what lies further off says little about this answer
LEVEL = 0.95  # of the interval
USUAL_DRIFT = 0.25  # standard deviation of the log by which a desk's share of open questions moves in half a year
HALVING = 0.5  # the effect that "no effect yet" promises would probably have shown …
POWER = 0.8  # … with this probability


class Verdict(StrEnum):
    """What the interval says."""

    HELPED = "helped"
    NO_EFFECT = "no_effect_yet"
    HARMED = "harmed"
    TOO_LITTLE = "too_little_data"


@dataclass(frozen=True)
class History:
    """One group's days, oldest first; three rows of whole numbers, one per day.

    `counts`: its questions that ended unresolved or became a ticket. `conversations`: all that were begun.
    `others`: open questions of all other groups. `triggered`: first day, and day after the last, of the window that made
    it a suggestion. `accepted`: the first day with the answer published.
    """

    counts: Days
    conversations: Days
    others: Days
    triggered: tuple[int, int]
    accepted: int


@dataclass(frozen=True)
class Side:
    """Whole weeks on one side of the acceptance."""

    weeks: int
    questions: int
    conversations: int

    @property
    def per_thousand(self) -> float:
        """Open questions of the group per 1,000 conversations; 0 when there were none."""
        return 1000.0 * self.questions / self.conversations if self.conversations else 0.0


@dataclass(frozen=True)
class Lift:
    """Before and after, the ratio of the rates with its interval (1: nothing changed; .5: halved), and the verdict.

    `expected`: questions that would have come after at the rate before, with the trend of all others.
    `spread`: variance of weekly counts as a multiple of a Poisson's. `new`: the days that made it a suggestion stand out
    more than chance explains; the interval then spans the comparison with them too. Nothing without a week on both sides.
    """

    before: Side
    after: Side
    verdict: Verdict
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    expected: float = 0.0
    trend: float = 1.0
    spread: float = 1.0
    new: bool = False


@dataclass(frozen=True)
class _Weeks:
    """Weekly sums: the group's questions, conversations, others' questions."""

    counts: Floats
    conversations: Floats
    others: Floats

    def side(self) -> Side:
        return Side(len(self.counts), int(self.counts.sum()), int(self.conversations.sum()))


def measure(history: History) -> Lift:
    """The lift of one accepted suggestion."""
    before, after = _before(history), _after(history)
    sides = before.side(), after.side()
    if not all(side.weeks and side.conversations for side in sides):
        return Lift(*sides, Verdict.TOO_LITTLE)
    trend = _trend(before, after)
    spread = _dispersion([(before.counts, before.conversations), (after.counts, after.conversations)])
    noise = _Noise(spread, max(1, sides[0].weeks + sides[1].weeks - 2), trend.variance)
    exposure = sides[1].conversations / sides[0].conversations * trend.ratio
    counts = sides[0].questions, sides[1].questions
    low, high = _interval(*counts, exposure, noise)
    news = _news(history, before, after, trend, noise)
    if news is not None:
        low, high = min(low, news[0]), None if high is None or news[1] is None else max(high, news[1])
    verdict = _verdict(low, high, told=news is None and _would_tell(counts[0], exposure, noise))
    if verdict is Verdict.HARMED and sides[1].per_thousand < _triggers(history).per_thousand * trend.ratio:
        verdict = Verdict.TOO_LITTLE  # more than long before, but less than when it became a suggestion
    ratio = counts[1] / (counts[0] * exposure) if counts[0] else None
    return Lift(*sides, verdict, ratio, low, high, counts[0] * exposure, trend.ratio, spread, news is not None)


@dataclass(frozen=True)
class _Trend:
    """What changed for everybody: the ratio of the rates of all other questions, and the variance of its logarithm."""

    ratio: float
    variance: float


@dataclass(frozen=True)
class _Noise:
    """What blurs the comparison: `spread` of the counts, told by `freedom` weeks, and the variance of the trend's logarithm."""

    spread: float
    freedom: int
    trend: float

    def quantile(self, probability: float) -> float:
        """Of Student's distribution."""
        return float(stdtrit(self.freedom, probability))


def _weeks(history: History, days: Sequence[int]) -> _Weeks:
    """Sums over whole weeks of these days, counted from the first; what is left of a week is dropped."""
    chosen = np.asarray(days[: len(days) // WEEK * WEEK], dtype=np.int64).reshape(-1, WEEK)
    rows = (history.counts, history.conversations, history.others)
    return _Weeks(*(np.asarray(row, dtype=np.float64)[chosen].sum(axis=1) for row in rows))


def _before(history: History) -> _Weeks:
    """Weeks counted back from the acceptance, without the days that made the group a suggestion.

    They begin after the group's first question: the day of a first question is high by being one.
    """
    asked = np.flatnonzero(history.counts[: history.accepted])
    first = int(asked[0]) + 1 if len(asked) else 0
    start, end = history.triggered
    days = [day for day in range(history.accepted - 1, first - 1, -1) if not start <= day < end]
    return _weeks(history, days[: LONGEST * WEEK])


def _after(history: History) -> _Weeks:
    return _weeks(history, range(history.accepted, min(len(history.counts), history.accepted + LONGEST * WEEK)))


def _triggers(history: History) -> Side:
    return _weeks(history, range(*history.triggered)).side()


def _trend(before: _Weeks, after: _Weeks) -> _Trend:
    """How the others' rate changed, drawn towards "not at all" as far as few questions tell it."""
    counts = before.others.sum(), after.others.sum()
    exposure = after.conversations.sum() / before.conversations.sum()
    seen = float(np.log((counts[1] + 0.5) / (counts[0] + 0.5) / exposure))
    chance = _dispersion([(before.others, before.conversations), (after.others, after.conversations)])
    variance = chance * float(1 / (counts[0] + 0.5) + 1 / (counts[1] + 0.5))
    trust = USUAL_DRIFT**2 / (USUAL_DRIFT**2 + variance)
    return _Trend(float(np.exp(trust * seen)), trust * variance)


def _dispersion(sides: Sequence[tuple[Floats, Floats]]) -> float:
    """Pearson's chi-square over its degrees of freedom, each side with a rate of its own; never under 1."""
    total, freedom = 0.0, -len(sides)
    for counts, exposure in sides:
        expected = exposure * counts.sum() / exposure.sum()
        known = expected > 0
        total += float((np.square(counts - expected)[known] / expected[known]).sum())
        freedom += len(counts)
    return max(1.0, total / freedom) if freedom > 0 else 1.0


def _interval(before: float, after: float, exposure: float, noise: _Noise, level: float = LEVEL) -> tuple[float, float | None]:
    """Limits of the ratio of the rates; no upper one when nothing was asked before. `exposure`: after's over before's.

    Jeffreys' interval, then widened on the log scale by the variance of the trend (Zou & Donner 2008, Statistics in
    Medicine 27: limits of a difference are recovered from the limits of its parts).
    """
    quantile = noise.quantile((1 + level) / 2)
    whole = (float(ndtri((1 + level) / 2)) / quantile) ** 2 / noise.spread
    b, a = before * whole, after * whole
    tail = (1 - level) / 2
    low = _odds(float(betaincinv(a + 0.5, b + 0.5, tail))) / exposure if a else 0.0
    high = _odds(float(betaincinv(a + 0.5, b + 0.5, 1 - tail))) / exposure if b else None
    centre = float(np.log((after + 0.5) / (before + 0.5) / exposure))
    return (
        float(np.exp(centre - np.hypot(centre - np.log(low), quantile * noise.trend**0.5))) if low else 0.0,
        float(np.exp(centre + np.hypot(np.log(high) - centre, quantile * noise.trend**0.5))) if high else None,
    )


def _odds(share: float) -> float:
    return share / max(1.0 - share, 1e-12)


def _verdict(low: float, high: float | None, *, told: bool) -> Verdict:
    if high is not None and high < 1:
        return Verdict.HELPED
    if low > 1:
        return Verdict.HARMED
    return Verdict.NO_EFFECT if told else Verdict.TOO_LITTLE


def _would_tell(before: float, exposure: float, noise: _Noise) -> bool:
    """Whether a halving would have shown in four of five cases: the usual normal approximation on the log scale."""
    if not before:
        return False
    error = math.sqrt(noise.spread * (1 / before + 1 / (HALVING * before * exposure)) + noise.trend)
    return -math.log(HALVING) > (noise.quantile((1 + LEVEL) / 2) + noise.quantile(POWER)) * error


def _news(history: History, before: _Weeks, after: _Weeks, trend: _Trend, noise: _Noise) -> tuple[float, float | None] | None:
    """Limits against the days that made the group a suggestion, when these were no chance; else None.

    A highest fortnight is to be expected. One that stands out further than the highest of so many would by chance
    (Bonferroni) may be the start of something new, and then the time before it is no measure of what would have come.
    """
    triggers = _triggers(history)
    if not triggers.conversations:
        return None
    earlier = before.side()
    strict = 1 - (1 - LEVEL) / max(1.0, earlier.weeks / 2)  # the history has half as many fortnights as weeks
    longer = triggers.conversations / earlier.conversations
    if _interval(earlier.questions, triggers.questions, longer, noise, strict)[0] <= 1:
        return None
    exposure = after.side().conversations / triggers.conversations * trend.ratio
    return _interval(triggers.questions, after.side().questions, exposure, noise)
