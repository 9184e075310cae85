"""What an exam gives: measures with their uncertainty, per set; the shape every grader, report and gate shares."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BrokenReport(ValueError):
    """A file is not a report of `python -m evals run`."""


@dataclass(frozen=True)
class Measure:
    """A number with its 95 % interval; `n` counts the examples it was taken over."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class SetResult:
    """The measures of one set by name; `curve` holds (coverage, risk) pairs where answering can be declined."""

    name: str
    metrics: Mapping[str, Measure]
    notes: tuple[str, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    misses: tuple[str, ...] = ()
    """Examples that went wrong, one sentence each, for whoever wants to make it better."""


@dataclass(frozen=True)
class Trouble:
    """A set that could not be graded, and why: it is `broken`, or there is no grader for what it holds."""

    name: str
    reason: str
    broken: bool = True


@dataclass(frozen=True)
class Report:
    """One run of the exam: what was graded, what is broken, and what has no grader yet."""

    sets: tuple[SetResult, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> list[Trouble]:
        """What must be mended before it can be graded."""
        return [trouble for trouble in self.troubles if trouble.broken]

    @property
    def ungraded(self) -> list[Trouble]:
        """What waits for a grader."""
        return [trouble for trouble in self.troubles if not trouble.broken]


Metrics = Mapping[str, Measure]


def as_json(report: Report) -> dict[str, Any]:
    """The stable shape that README.md documents: {"sets": {NAME: {"metrics": {METRIC: {value, low, high, n}}}}}."""
    return {"sets": {result.name: {"metrics": {name: _row(m) for name, m in result.metrics.items()}} for result in report.sets}}


def write(report: Report, file: Path) -> None:
    """Store the measures; folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(file: Path) -> dict[str, dict[str, Measure]]:
    """The measures of a stored report by set and metric. Raise BrokenReport saying what is wrong with the file."""
    try:
        sets = json.loads(file.read_text(encoding="utf-8"))["sets"]
        return {name: from_json(entry) for name, entry in sets.items()}
    except OSError as error:
        raise BrokenReport(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenReport(f"{file}: is not a report of `python -m evals run --json`: {error!r}") from error


def from_json(entry: Mapping[str, Any]) -> dict[str, Measure]:
    """The measures of one set in the stored shape; numbers that are not finite are left out."""
    rows = {name: Measure(float(m["value"]), float(m["low"]), float(m["high"]), int(m["n"])) for name, m in entry["metrics"].items()}
    return known(rows.items())


def known(rows: Iterable[tuple[str, Measure]]) -> dict[str, Measure]:
    """Those that could be measured: no examples or no finite number is no measure."""
    return {name: m for name, m in rows if m.n > 0 and math.isfinite(m.value)}


def _row(measure: Measure) -> dict[str, float | int]:
    value, low, high = (round(x, 6) for x in (measure.value, measure.low, measure.high))
    return {"value": value, "low": low, "high": high, "n": measure.n}
