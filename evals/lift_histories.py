"""Invented histories of repeated questions, to see whether `knowledge.lift` finds an effect that we know.

Each is a desk of its own: visitors who come by weekday and grow in number, a share of questions nothing answers that
drifts over the months, and one group whose daily counts are Poisson with a gamma-distributed rate (by day, and by week,
because a bad week is bad every day). The group's suggestion enters at its highest fortnight of half a year.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.lift import History

Floats = NDArray[np.float64]

WEEK, FORTNIGHT = 7, 14
QUIET_DAYS = 56  # before a group may enter
ENTRY_DAYS = 126  # in which it does
SMALLEST, LARGEST = 3.0, 200.0  # questions a fortnight, of which the logarithm is uniform
NEW_DAYS = 10  # days before the entry when a new kind of trouble began …
SELDOM = 0.125  # … and how often it came before
WEEKDAYS = (1.2, 1.15, 1.1, 1.05, 1.0, 0.45, 0.35)


@dataclass(frozen=True)
class World:
    """What is true in a set of histories. `ratio`: what acceptance multiplies the group's rate by."""

    ratio: float
    trend: bool = True  # visitors and the share of questions without an answer change over time
    spike: bool = True  # the group enters at its highest fortnight, else on any day
    weeks: int = 26  # followed after acceptance
    own: float = 0.0  # weekly growth of this group's rate alone, which no control shows
    new: bool = False  # the trouble began shortly before it was suggested, and was rare until then


def history(world: World, rng: np.random.Generator) -> History:
    """One group from its first day to `weeks` after its suggestion was accepted."""
    days = QUIET_DAYS + ENTRY_DAYS + FORTNIGHT + world.weeks * WEEK
    time = np.arange(days)
    weekday = np.resize(np.roll(WEEKDAYS, int(rng.integers(WEEK))), days)
    visitors = np.exp(rng.uniform(np.log(50), np.log(2000))) * weekday
    failing = np.full(days, 1.0)
    if world.trend:
        visitors *= np.exp(rng.uniform(-0.01, 0.03) * time / WEEK)
        failing *= np.exp(rng.uniform(-0.02, 0.02) * time / WEEK)
    size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    level = visitors * failing
    rate = level * size / (level[: QUIET_DAYS + ENTRY_DAYS].mean() * FORTNIGHT)
    rate *= np.exp(world.own * (time - QUIET_DAYS) / WEEK)
    if world.new:
        rate[: QUIET_DAYS + ENTRY_DAYS - NEW_DAYS] *= SELDOM
    rate *= _wobble(days, rng, by_day=(1.5, 12.0), by_week=(10.0, 60.0))
    others = level * _share_of_others(size, level, rng) * _wobble(days, rng, by_day=(20.0, 60.0), by_week=(60.0, 200.0))
    before = rng.poisson(rate)
    entered = _entered(world, before, level, rng)
    accepted = entered + int(rng.integers(1, FORTNIGHT))
    after = rng.poisson(rate * world.ratio)
    counts = np.where(time < accepted, before, after)
    end = accepted + world.weeks * WEEK
    return History(
        counts=counts[:end],
        conversations=rng.poisson(visitors)[:end],
        others=rng.poisson(others)[:end],
        triggered=(max(0, entered - FORTNIGHT), entered),
        accepted=accepted,
    )


def _entered(world: World, counts: NDArray[np.int64], level: Floats, rng: np.random.Generator) -> int:
    if world.new:
        return QUIET_DAYS + ENTRY_DAYS
    return _spike(counts, level) if world.spike else int(rng.integers(QUIET_DAYS, QUIET_DAYS + ENTRY_DAYS))


def _spike(counts: NDArray[np.int64], level: Floats) -> int:
    """The day after the fortnight whose count stands highest over what its visitors would give."""
    window = np.ones(FORTNIGHT)
    excess = np.convolve(counts, window, "valid") / np.convolve(level, window, "valid")
    first = QUIET_DAYS - FORTNIGHT
    return first + int(np.argmax(excess[first : first + ENTRY_DAYS])) + FORTNIGHT


def _wobble(days: int, rng: np.random.Generator, *, by_day: tuple[float, float], by_week: tuple[float, float]) -> Floats:
    """Factors with mean 1: gamma by day and by week, of a shape drawn from each range (small shapes wobble more)."""
    day, week = (float(np.exp(rng.uniform(*np.log(shape)))) for shape in (by_day, by_week))
    weekly = np.repeat(rng.gamma(week, 1 / week, days // WEEK + 1), WEEK)[:days]
    factors: Floats = rng.gamma(day, 1 / day, days) * weekly
    return factors


def _share_of_others(size: float, level: Floats, rng: np.random.Generator) -> float:
    """How many other questions find no answer: three to forty times the group's, per unit of `level`."""
    return float(np.exp(rng.uniform(np.log(3), np.log(40))) * size / (level.mean() * FORTNIGHT))
