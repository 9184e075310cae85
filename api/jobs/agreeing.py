"""One clock for several workers: leases are compared across machines, so where there is a database server its clock counts."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from api.bootstrap import Service
from api.database import Database

log = structlog.get_logger()
ASKED_EVERY = 60.0  # seconds
REMARKABLE = timedelta(seconds=5)


class SharedClock:
    """Tells the time of the database server: this machine's, corrected by how much they differ, which is asked once a minute."""

    def __init__(self, database: Database, own: Callable[[], datetime], ticking: Callable[[], float] = time.monotonic) -> None:
        """`own` is this machine's clock; `ticking` counts seconds and never jumps."""
        self.database, self.own, self.ticking = database, own, ticking
        self.ahead = timedelta(0)
        self._asked: float | None = None

    def __call__(self) -> datetime:
        """The time now; where the server does not answer, by the difference that was last seen."""
        if self._asked is None or self.ticking() - self._asked >= ASKED_EVERY:
            self._asked = self.ticking()
            try:
                self.ahead = self._difference()
            except SQLAlchemyError as error:
                log.warning("database_clock_unknown", error=type(error).__name__)
        return self.own() + self.ahead

    def _difference(self) -> timedelta:
        with self.database.read() as session:
            session.connection()  # what connecting takes is no difference
            before = self.own()
            theirs: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            found = theirs - (before + (self.own() - before) / 2)
        if abs(found) >= REMARKABLE:
            log.warning("clocks_differ", seconds=round(found.total_seconds(), 1))
        return found


def in_step(service: Service) -> Service:
    """The service by the clock that all its workers share; SQLite has one machine and keeps that machine's."""
    with service.database.read() as session:
        postgres = session.get_bind().dialect.name == "postgresql"
    return replace(service, now=SharedClock(service.database, service.now)) if postgres else service
