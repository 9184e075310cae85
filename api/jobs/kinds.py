"""What runs by itself: one row a kind, with how often, and the function that does it.

A new kind is one line in JOBS. Its function takes the service and the moment, works in short transactions, does at most
a few seconds' work a run and says in a sentence what it did. It may be interrupted anywhere and run again elsewhere, so
running it twice must do no more than running it once. A kind that needs the index or the encoders says `needs_index`: with
the embedded index it runs inside `firstline serve` only, for that process owns the index.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.jobs import clocks, housekeeping, lifting
from api.library import numbers as library_numbers
from api.messages import delivering


@dataclass(frozen=True)
class Job:
    """One kind. `budget` is how long a run may take before another worker may take it over.

    `idle` says by a cheap look whether there is nothing to do: then a worker need not note a run more often than once a minute.
    """

    name: str
    every: timedelta
    run: Callable[[Service, datetime], str]
    needs_index: bool = False
    budget: timedelta = timedelta(minutes=2)
    about: str = ""
    idle: Callable[[Session, datetime], bool] | None = None


HALF_HOUR = timedelta(minutes=30)
SOON = timedelta(seconds=2)
JOBS: tuple[Job, ...] = (
    Job("outbox", SOON, delivering.spread, about=delivering.SPREAD, idle=delivering.nothing_to_spread),
    Job("mail", SOON, delivering.send_mail, about=delivering.MAIL, idle=delivering.no_mail_due),
    Job("webhooks", SOON, delivering.call_webhooks, about=delivering.WEBHOOKS, idle=delivering.no_webhook_due),
    Job(
        "index", timedelta(minutes=15), housekeeping.repair_index, needs_index=True, budget=timedelta(minutes=30), about=housekeeping.INDEX
    ),
    Job("clocks", timedelta(seconds=30), clocks.work, about=clocks.ABOUT),
    Job("citations", timedelta(minutes=5), library_numbers.follow_job, about=library_numbers.ABOUT),
    Job("suggest", timedelta(minutes=10), housekeeping.suggest, needs_index=True, budget=HALF_HOUR, about=housekeeping.LEARN),
    Job("lift", timedelta(hours=6), lifting.work, needs_index=True, budget=timedelta(minutes=30), about=lifting.ABOUT),
    Job("sweep", timedelta(hours=1), housekeeping.sweep, about=housekeeping.SWEEP),
)
