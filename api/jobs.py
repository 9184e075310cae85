"""What runs by itself: one row a kind, with how often, and the function that does it.

A new kind is one line in JOBS. Its function takes the service and the moment, works in short transactions, does at most
a few seconds' work a run and says in a sentence what it did. It may be interrupted anywhere and run again elsewhere, so
running it twice must do no more than running it once. A kind that needs the index or the encoders says `needs_index`: with
the embedded index it runs inside `firstline serve` only, for that process owns the index.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from api import clocks, housekeeping, library_numbers
from api.bootstrap import Service


@dataclass(frozen=True)
class Job:
    """One kind. `budget` is how long a run may take before another worker may take it over."""

    name: str
    every: timedelta
    run: Callable[[Service, datetime], str]
    needs_index: bool = False
    budget: timedelta = timedelta(minutes=2)
    about: str = ""


HALF_HOUR = timedelta(minutes=30)
JOBS: tuple[Job, ...] = (
    Job(
        "index", timedelta(minutes=15), housekeeping.repair_index, needs_index=True, budget=timedelta(minutes=30), about=housekeeping.INDEX
    ),
    Job("clocks", timedelta(seconds=30), clocks.work, about=clocks.ABOUT),
    Job("citations", timedelta(minutes=5), library_numbers.follow_job, about=library_numbers.ABOUT),
    Job("sweep", timedelta(hours=1), housekeeping.sweep, about=housekeeping.SWEEP),
)
