"""Whether the measure of lift keeps its word: the interval covers the truth, "helped" is said when it is so, and rarely else.

`python -m evals lift` plays invented histories (lift_histories.py) with fixed seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from evals.lift_histories import World, history
from knowledge.lift import Lift, Verdict, measure

HISTORIES, SEED = 200, 20261127
LEAST_COVERED, MOST_COVERED = 0.90, 0.99
MOST_FALSELY_HELPED, LEAST_HELPED = 0.05, 0.80
HALVED = 0.5

GRADED = tuple(World(ratio, trend=trend, spike=spike) for ratio in (1.0, HALVED) for trend in (False, True) for spike in (False, True))
REPORTED = (
    *(World(ratio, weeks=weeks) for weeks in (4, 8, 12) for ratio in (1.0, HALVED)),
    World(2.0),
    World(1.0, own=0.01),
    World(HALVED, own=0.01),
    World(1.0, new=True),
    World(HALVED, new=True),
)


@dataclass(frozen=True)
class Row:
    """What came out for one kind of history; shares of all histories."""

    world: World
    covered: float
    median: float
    verdicts: dict[Verdict, float]
    graded: bool

    @property
    def failures(self) -> list[str]:
        """Which bars of the issue it misses; none are asked of rows that are only reported."""
        if not self.graded:
            return []
        helped = self.verdicts[Verdict.HELPED]
        missed = []
        if not LEAST_COVERED <= self.covered <= MOST_COVERED:
            missed.append(f"covers {self.covered:.3f}")
        if self.world.ratio == 1.0 and helped > MOST_FALSELY_HELPED:
            missed.append(f"falsely helped {helped:.3f}")
        if self.world.ratio == HALVED and helped < LEAST_HELPED:
            missed.append(f"helped only {helped:.3f}")
        return missed


def play(world: World, histories: int, *, seed: int = SEED, graded: bool = True) -> Row:
    """Measure that many histories of one kind."""
    rng = np.random.default_rng([seed, _number(world)])
    lifts = [measure(history(world, rng)) for _ in range(histories)]
    ratios = [lift.ratio for lift in lifts if lift.ratio is not None]
    verdicts = {verdict: sum(lift.verdict is verdict for lift in lifts) / histories for verdict in Verdict}
    covered = sum(_covers(lift, world.ratio) for lift in lifts) / histories
    return Row(world, covered, float(np.median(ratios)), verdicts, graded)


def exam(histories: int = HISTORIES, *, seed: int = SEED) -> list[Row]:
    """Every kind: those the issue grades, then others that are good to know."""
    rows = [play(world, histories, seed=seed) for world in GRADED]
    return rows + [play(world, histories, seed=seed, graded=False) for world in REPORTED]


def show(rows: Sequence[Row], console: Console) -> None:
    """The table; below it what the columns mean."""
    table = Table(title="Lift on invented histories")
    for name in ("ratio", "trend", "entry", "weeks", "covered", "median", *Verdict, ""):
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        world, shares = row.world, [f"{row.verdicts[verdict]:.3f}" for verdict in Verdict]
        trend = f"own {world.own:.0%} a week" if world.own else "yes" if world.trend else "no"
        entry = "new trouble" if world.new else "spike" if world.spike else "any day"
        mark = "; ".join(row.failures) or ("ok" if row.graded else "reported")
        table.add_row(f"{world.ratio:.1f}", trend, entry, str(world.weeks), f"{row.covered:.3f}", f"{row.median:.2f}", *shares, mark)
    console.print(table)
    console.print("covered: share of 95 % intervals that hold the true ratio. Verdicts are shares of all histories, small groups included.")


def _covers(lift: Lift, truth: float) -> bool:
    return (lift.low is None or lift.low <= truth) and (lift.high is None or truth <= lift.high)


def _number(world: World) -> int:
    """A seed of its own for each kind, so that rows do not share their luck."""
    return (*GRADED, *REPORTED).index(world) if world in (*GRADED, *REPORTED) else len(GRADED) + len(REPORTED)
