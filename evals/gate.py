"""Whether a report reaches what thresholds.toml asks for, and how it differs from the baseline."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from evals.results import Measure

THRESHOLDS = Path(__file__).parent / "thresholds.toml"
BASELINE = Path(__file__).parent / "baseline.json"
SLACK = 0.01  # a bar that was missed is held at the measured value less this, so that it does not get worse unseen

Measured = Mapping[str, Mapping[str, Measure]]


class BrokenThresholds(ValueError):
    """thresholds.toml asks for something that cannot be checked."""


class State(StrEnum):
    """How a threshold came out."""

    REACHED = "reached"
    SHORT = "falls short"
    MISSING = "not in this report"


@dataclass(frozen=True)
class Threshold:
    """What one metric of one set must reach; exactly one of `at_least` and `at_most` is given.

    Where it is not the bar itself, `bar`, `measured` and `reason` say what was aimed at, what came out and why.
    """

    set: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    bar: float | None = None
    measured: float | None = None
    reason: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value is good enough; equality is."""
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)

    @property
    def wanted(self) -> str:
        """The same in signs."""
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


@dataclass(frozen=True)
class Check:
    """A threshold beside what was measured."""

    threshold: Threshold
    state: State
    measure: Measure | None = None


@dataclass(frozen=True)
class Difference:
    """A metric now and in the baseline; either may be absent."""

    set: str
    metric: str
    now: Measure | None
    before: Measure | None

    @property
    def change(self) -> float | None:
        """Now minus before."""
        return self.now.value - self.before.value if self.now and self.before else None

    @property
    def beyond_chance(self) -> bool:
        """Whether each value lies outside the other's 95 % interval: more than noise explains."""
        if not (self.now and self.before):
            return True
        return not (self.before.low <= self.now.value <= self.before.high) and not (self.now.low <= self.before.value <= self.now.high)


def thresholds(file: Path = THRESHOLDS) -> list[Threshold]:
    """What must be reached. Raise BrokenThresholds naming the entry that is wrong."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenThresholds(f"{file}: {error}") from error
    return [_threshold(name, metric, entry) for name, metrics in tables.items() for metric, entry in metrics.items()]


def check(measured: Measured, wanted: list[Threshold]) -> list[Check]:
    """Every threshold beside what was measured, in the file's order."""
    return [_check(measured, threshold) for threshold in wanted]


def passes(checks: list[Check], measured: Measured, *, every: bool) -> bool:
    """No metric falls short or is missing from a set that was graded, and something was checked at all.

    A set that is not in the report at all is only a failure when `every` threshold must be checked:
    an operator who has not got the public sets can still hold the line on the others.
    """
    short = any(c.state is State.SHORT for c in checks)
    lost = any(c.state is State.MISSING and (every or c.threshold.set in measured) for c in checks)
    return not short and not lost and any(c.state is State.REACHED for c in checks)


def compare(now: Measured, before: Measured) -> list[Difference]:
    """Every metric of the sets in `now`, and of the baseline's same sets; sets that were not run are left out."""
    return [
        Difference(name, metric, now[name].get(metric), before.get(name, {}).get(metric))
        for name in now
        for metric in dict.fromkeys([*now[name], *before.get(name, {})])
    ]


def missed_bars(wanted: list[Threshold]) -> Iterator[Threshold]:
    """Thresholds that hold a measured value because the bar was not reached."""
    return (t for t in wanted if t.bar is not None and t.bar not in {t.at_least, t.at_most})


def _check(measured: Measured, threshold: Threshold) -> Check:
    found = measured.get(threshold.set, {}).get(threshold.metric)
    if found is None:
        return Check(threshold, State.MISSING)
    return Check(threshold, State.REACHED if threshold.holds(found.value) else State.SHORT, found)


def _threshold(name: str, metric: str, entry: Any) -> Threshold:
    where = f'thresholds.toml: ["{name}"] "{metric}"'
    try:
        threshold = Threshold(name, metric, **entry)
    except TypeError as error:
        raise BrokenThresholds(f"{where}: {error}") from error
    if (threshold.at_least is None) == (threshold.at_most is None):
        raise BrokenThresholds(f"{where}: give at_least or at_most")
    if not _reasoned(threshold):
        raise BrokenThresholds(f"{where}: is neither the bar nor the measured value with a slack of {SLACK}; it needs measured and reason")
    return threshold


def _reasoned(threshold: Threshold) -> bool:
    """The bar itself, or the measured value with the slack, the bar and the reason beside it."""
    limit = threshold.at_least if threshold.at_least is not None else threshold.at_most
    if limit is None or (threshold.bar is not None and threshold.bar == limit):
        return limit is not None
    if threshold.measured is None or not threshold.reason:
        return False
    slack = -SLACK if threshold.at_least is not None else SLACK
    return math.isclose(threshold.measured + slack, limit, abs_tol=1e-9)
