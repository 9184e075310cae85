"""Who runs a kind of job: a lease in SQL, so that several workers share the kinds and a killed one's are taken over.

Every function runs in the caller's transaction. The moments are the callers', whose clocks must agree to within some
seconds: on Postgres they go by the server's (api/jobs/agreeing.py).
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.tables import JobRun

LEASE = timedelta(seconds=60)  # a killed holder's kind is due again after this
LONGEST_BACKOFF = timedelta(minutes=5)
MESSAGE_CHARACTERS = 500
VANISHED = "the worker that ran it ended without a word"


class NoSuchJob(LookupError):
    """No kind has that name."""


@dataclass(frozen=True)
class Claim:
    """One run of a kind: whoever still holds it may tell how it ended."""

    name: str
    holder: str
    started_at: datetime


@dataclass(frozen=True)
class Ended:
    """How a run ended; `message` is what it did, or what went wrong."""

    well: bool
    message: str
    seconds: float


def register(session: Session, names: Iterable[str], *, now: datetime) -> None:
    """Make a row, due at once, for every kind that has none."""
    known = set(session.scalars(select(JobRun.name)))
    for name in sorted(set(names) - known):
        with suppress(IntegrityError), session.begin_nested():  # another worker may be first
            session.execute(insert(JobRun).values(name=name, next_at=now, runs=0, failures=0, message=""))


def due(session: Session, names: Iterable[str], *, now: datetime) -> list[JobRun]:
    """The kinds that somebody should run now, the longest due first."""
    query = select(JobRun).where(JobRun.name.in_(list(names)), _free(now)).order_by(JobRun.next_at, JobRun.name)
    return list(session.scalars(query))


def claim(session: Session, name: str, holder: str, *, now: datetime) -> Claim | None:
    """Take a kind that is due; None when somebody else was quicker. A run that its holder never ended counts as failed."""
    held = select(JobRun.holder).where(JobRun.name == name, JobRun.holder.is_not(None))
    vanished = session.scalar(held) is not None
    taking = update(JobRun).where(JobRun.name == name, _free(now)).values(holder=holder, leased_until=now + LEASE, started_at=now)
    if not _changed(session, taking):
        return None
    if vanished:
        session.execute(update(JobRun).where(JobRun.name == name).values(failures=JobRun.failures + 1, message=VANISHED))
    return Claim(name, holder, now)


def renew(session: Session, held: Claim, *, now: datetime) -> bool:
    """Hold it longer; False when it is held by somebody else meanwhile."""
    return _changed(session, update(JobRun).where(*_mine(held)).values(leased_until=now + LEASE))


def finish(session: Session, held: Claim, ended: Ended, every: timedelta, *, now: datetime) -> bool:
    """Tell how a run ended and when the next is due: after `every`, later after failures. False when somebody else holds it."""
    row = session.scalars(select(JobRun).where(*_mine(held)).with_for_update()).one_or_none()
    if row is None:
        return False
    row.holder = row.leased_until = None
    row.runs += 1
    row.finished_at, row.seconds, row.message = now, ended.seconds, ended.message[:MESSAGE_CHARACTERS]
    row.failures = 0 if ended.well else row.failures + 1
    row.succeeded_at = now if ended.well else row.succeeded_at
    row.next_at = now + (every if ended.well else backoff(every, row.failures))
    return True


def release(session: Session, held: Claim) -> None:
    """Give it back unended, for somebody else to run at once."""
    session.execute(update(JobRun).where(*_mine(held)).values(holder=None, leased_until=None))


def run_soon(session: Session, name: str, *, now: datetime) -> None:
    """Make a kind due at once. Raise NoSuchJob."""
    if not _changed(session, update(JobRun).where(JobRun.name == name).values(next_at=now)):
        raise NoSuchJob(f"there is no job {name}")


def listed(session: Session, names: Sequence[str]) -> dict[str, JobRun]:
    """The rows of these kinds, as far as they have ever been seen by a worker."""
    return {row.name: row for row in session.scalars(select(JobRun).where(JobRun.name.in_(names)))}


def backoff(every: timedelta, failures: int) -> timedelta:
    """How long after so many failures in a row it is tried again: twice as long each time, up to five minutes or its usual pause."""
    longer: timedelta = every * 2 ** min(failures, 20)
    return min(longer, max(every, LONGEST_BACKOFF))


def _free(now: datetime) -> Any:
    """Due and held by nobody; also what ended or was taken in what is the future now, for then the clock was set back since."""
    due = or_(JobRun.next_at <= now, JobRun.finished_at > now + LEASE)
    return due & or_(JobRun.leased_until.is_(None), JobRun.leased_until <= now, JobRun.leased_until > now + 2 * LEASE)


def _mine(held: Claim) -> tuple[Any, ...]:
    return JobRun.name == held.name, JobRun.holder == held.holder, JobRun.started_at == held.started_at


def _changed(session: Session, statement: Any) -> bool:
    result: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return bool(result.rowcount)
