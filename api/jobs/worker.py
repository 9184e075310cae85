"""The worker: one thread that looks every second what is due and gives each kind a thread of its own.

So a kind that hangs or fails delays no other. It runs inside `firstline serve`, or as `firstline work`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.jobs import leases as job_store
from api.jobs.kinds import JOBS, Job
from api.jobs.leases import Claim, Ended
from api.tables import JobRun

log = structlog.get_logger()
LOOK_SECONDS = 1.0
NOTE_IDLE_EVERY = timedelta(minutes=1)
RENEW_EVERY = job_store.LEASE / 3
PATIENCE_SECONDS = 20.0  # how long an end waits for runs that have begun


@dataclass
class _Run:
    """A kind that runs here now."""

    job: Job
    claim: Claim
    thread: threading.Thread
    renewed_at: datetime


class Worker:
    """Runs kinds as they are due. `name` tells it from other workers."""

    def __init__(self, service: Service, jobs: Sequence[Job], name: str) -> None:
        """Nothing runs before `look` or `work`."""
        self.service, self.name = service, name
        self.jobs = {job.name: job for job in jobs}
        self._runs: dict[str, _Run] = {}
        self._stopping = threading.Event()
        self._registered = False

    def work(self) -> None:
        """Look again and again until `stop`; a database that is away for a while ends nothing."""
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:
                log.exception("worker_look_failed", error=type(error).__name__)
            self._stopping.wait(LOOK_SECONDS)

    def look(self) -> list[str]:
        """Renew what runs, begin what is due; the kinds that were begun."""
        now = self.service.now()
        self._forget_ended()
        self._renew(now)
        idle = self.jobs.keys() - self._runs.keys()
        if not self._registered:
            with self.service.database.write() as session:
                job_store.register(session, self.jobs, now=now)
            self._registered = True
        with self.service.database.read() as session:
            rows = job_store.due(session, idle, now=now)
            waiting = [row.name for row in rows if not self._may_wait(session, row, now)]
        return [name for name in waiting if self._begin(self.jobs[name], now)]

    def _may_wait(self, session: Session, row: JobRun, now: datetime) -> bool:
        """Whether there is nothing to do and it ran not long ago: then no run is noted."""
        idle = self.jobs[row.name].idle
        recent = row.finished_at is not None and now - row.finished_at < NOTE_IDLE_EVERY and not row.failures
        return idle is not None and recent and row.holder is None and idle(session, now)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    def drain(self, patience: float = PATIENCE_SECONDS) -> None:
        """Wait for what runs, after `work` has ended. What does not end is given back, for others to run again."""
        until = time.monotonic() + patience
        for run in self._runs.values():
            run.thread.join(max(0.0, until - time.monotonic()))
        left = [run.claim for run in self._runs.values() if run.thread.is_alive()]
        if left:
            with self.service.database.write() as session:
                for claim in left:
                    job_store.release(session, claim)

    def _begin(self, job: Job, now: datetime) -> bool:
        with self.service.database.write() as session:
            claim = job_store.claim(session, job.name, self.name, now=now)
        if claim is None:
            return False
        thread = threading.Thread(target=run_claimed, args=(self.service, job, claim), name=f"job {job.name}", daemon=True)
        self._runs[job.name] = _Run(job, claim, thread, now)
        thread.start()
        return True

    def _forget_ended(self) -> None:
        self._runs = {name: run for name, run in self._runs.items() if run.thread.is_alive()}

    def _renew(self, now: datetime) -> None:
        """Hold on to what still runs; not to what runs longer than it may, which another worker may take."""
        stale = [run for run in self._runs.values() if now - run.renewed_at >= RENEW_EVERY]
        within = [run for run in stale if now - run.claim.started_at <= run.job.budget]
        if within:
            with self.service.database.write() as session:
                for run in within:
                    job_store.renew(session, run.claim, now=now)
                    run.renewed_at = now


def run_claimed(service: Service, job: Job, claim: Claim) -> bool:
    """One run of a kind that was claimed, told as it ended; whether it went well."""
    begun = time.monotonic()
    try:
        well, message = True, job.run(service, claim.started_at)
    except Exception as error:
        well, message = False, f"{type(error).__name__}: {error}".splitlines()[0]
        log.exception("job_failed", job=job.name, error=type(error).__name__)
    seconds = time.monotonic() - begun
    try:
        with service.database.write() as session:
            told = job_store.finish(session, claim, Ended(well, message, seconds), job.every, now=service.now())
    except Exception as error:
        log.exception("job_not_told", job=job.name, error=type(error).__name__)
        return False
    if not told:
        log.warning("job_lost", job=job.name, seconds=round(seconds, 1))
    return well


def run_due(service: Service, jobs: Sequence[Job] = JOBS, name: str = "by hand") -> dict[str, bool]:
    """Run everything that is due here and now, one after another; how each went. For tests and simulations in fast time."""
    now = service.now()
    known = {job.name: job for job in jobs}
    ended = {}
    with service.database.write() as session:
        job_store.register(session, known, now=now)
        waiting = [row.name for row in job_store.due(session, known, now=now)]
    for kind in waiting:
        with service.database.write() as session:
            claim = job_store.claim(session, kind, name, now=now)
        if claim is not None:
            ended[kind] = run_claimed(service, known[kind], claim)
    return ended


@contextmanager
def working(service: Service, name: str, jobs: Sequence[Job] = JOBS) -> Iterator[Worker]:
    """A worker in a thread of its own, until the block ends."""
    worker = Worker(service, jobs, name)
    thread = threading.Thread(target=worker.work, name="worker", daemon=True)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(PATIENCE_SECONDS)
        worker.drain()


def here(jobs: Sequence[Job], *, with_index: bool) -> tuple[Job, ...]:
    """The kinds that this process can run."""
    return tuple(job for job in jobs if with_index or not job.needs_index)


def work_until(service: Service, name: str, jobs: Sequence[Job], stopped: threading.Event, announce: Callable[[str], None]) -> None:
    """Work until `stopped` is set; `announce` gets one line once it has begun."""
    with working(service, name, jobs):
        announce(f"working on {', '.join(job.name for job in jobs)}")
        while not stopped.wait(timedelta(seconds=1).total_seconds()):
            pass
