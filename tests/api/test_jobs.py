"""What runs by itself: due in time, held by one worker at a time, taken over from the dead, and never in each other's way."""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from api.bootstrap import IndexInUseError, Service, running_without_index, utc_now
from api.database import Database
from api.jobs import leases as job_store
from api.jobs.agreeing import SharedClock, in_step
from api.jobs.housekeeping import repair_index, sweep
from api.jobs.kinds import JOBS, Job
from api.jobs.leases import Ended
from api.jobs.worker import Worker, here, run_due, working
from api.tables import JobRun, StaffSession
from tests.api.staffing import Colleague
from tests.builders import (
    FIRSTLINE,
    ROOT,
    START,
    Clock,
    article,
    environment,
    firstline,
    in_line,
    publish,
    serving,
    settings_in,
    wait_until,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_log() -> None:
    structlog.configure(processors=[lambda _logger, _name, _event: ""], logger_factory=structlog.ReturnLoggerFactory())


def job(
    name: str, run: Callable[[Service, datetime], str] = lambda _service, _now: "done", every: timedelta = MINUTE, **more: object
) -> Job:
    return Job(name, every, run, **more)  # type: ignore[arg-type]


def broken(_service: Service, _now: datetime) -> str:
    raise ValueError("no such thing\nand more of it")


def row(service: Service, name: str) -> JobRun:
    with service.database.read() as session:
        return session.get_one(JobRun, name)


# ── when ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_runs_at_once_and_then_every_so_often(service_on_both: Service, clock: Clock) -> None:
    seen: list[datetime] = []
    jobs = (job("often", lambda _service, now: (seen.append(now), f"run {len(seen)}")[1]),)
    assert run_due(service_on_both, jobs) == {"often": True}
    clock.move(59)
    assert run_due(service_on_both, jobs) == {}
    clock.move(1)
    assert run_due(service_on_both, jobs) == {"often": True}
    assert seen == [START, START + MINUTE]
    found = row(service_on_both, "often")
    assert (found.message, found.runs, found.failures, found.finished_at, found.next_at) == ("run 2", 2, 0, clock.at, clock.at + MINUTE)
    assert found.seconds is not None


def test_a_clock_that_is_set_back_a_day_stops_no_job(service_on_both: Service, clock: Clock) -> None:
    jobs = (job("often"), job("held"))
    run_due(service_on_both, jobs)
    clock.move(60)
    with service_on_both.database.write() as session:
        assert job_store.claim(session, "held", "killed", now=clock.at) is not None
    clock.at -= timedelta(days=1)
    assert run_due(service_on_both, jobs) == {"often": True, "held": True}
    clock.move(10)
    assert run_due(service_on_both, jobs) == {}


def test_a_job_that_fails_waits_longer_each_time_and_says_why(service: Service, clock: Clock) -> None:
    poison = (job("poison", broken),)
    waits = []
    for _ in range(5):
        assert run_due(service, poison) == {"poison": False}
        waits.append((row(service, "poison").next_at - clock.at).total_seconds())
        clock.at = row(service, "poison").next_at
    assert waits == [120, 240, 300, 300, 300]
    assert row(service, "poison").message == "ValueError: no such thing"
    assert row(service, "poison").succeeded_at is None
    assert run_due(service, (job("poison"),)) == {"poison": True}
    assert (row(service, "poison").failures, row(service, "poison").succeeded_at) == (0, clock.at)


def test_a_job_that_fails_changes_nothing_for_others(service: Service, clock: Clock) -> None:
    jobs = (job("mail", every=timedelta(seconds=3)), *(job(f"poison-{number}", broken, timedelta(seconds=3)) for number in range(5)))
    runs = 0
    for _ in range(20):
        runs += run_due(service, jobs).get("mail", False)
        clock.move(3)
    assert runs == 20


def test_a_job_can_be_made_due_at_once(service: Service) -> None:
    jobs = (job("rare", every=timedelta(days=1)),)
    run_due(service, jobs)
    assert run_due(service, jobs) == {}
    with service.database.write() as session:
        job_store.run_soon(session, "rare", now=service.now())
        with pytest.raises(job_store.NoSuchJob):
            job_store.run_soon(session, "unknown", now=service.now())
    assert run_due(service, jobs) == {"rare": True}


# ── who ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_killed_holders_job_is_retaken_within_two_minutes_and_counted(service_on_both: Service, clock: Clock) -> None:
    database = service_on_both.database
    with database.write() as session:
        job_store.register(session, ["mail"], now=clock.at)
        dead = job_store.claim(session, "mail", "dead", now=clock.at)
    assert dead is not None
    clock.move(59)
    assert run_due(service_on_both, (job("mail"),)) == {}
    clock.move(1)
    with database.write() as session:
        taken = job_store.claim(session, "mail", "alive", now=clock.at)
    assert taken is not None
    found = row(service_on_both, "mail")
    assert (found.failures, found.message, found.holder) == (1, job_store.VANISHED, "alive")
    with database.write() as session:
        assert not job_store.finish(session, dead, Ended(True, "late", 1.0), MINUTE, now=clock.at)
        assert not job_store.renew(session, dead, now=clock.at)
        assert job_store.finish(session, taken, Ended(True, "done", 1.0), MINUTE, now=clock.at)
    assert row(service_on_both, "mail").message == "done"


@pytest.mark.postgres
def test_workers_whose_clocks_differ_by_minutes_take_nothing_from_each_other(tmp_path: Path, postgres_url: str) -> None:
    """One machine is five minutes slow, the other five minutes fast: both go by the clock of the database."""
    settings = settings_in(tmp_path / "data", database_url=postgres_url)
    hold, begun = threading.Event(), threading.Event()
    jobs = (job("mail", lambda _service, _now: (begun.set(), hold.wait(30), "sent")[2]),)
    minutes = timedelta(minutes=5)
    with (
        running_without_index(settings, now=lambda: utc_now() - minutes) as slow,
        running_without_index(settings, now=lambda: utc_now() + minutes) as fast,
    ):
        assert in_step(fast).now() - in_step(slow).now() < timedelta(seconds=30)
        first, second, third = Worker(in_step(slow), jobs, "slow"), Worker(in_step(fast), jobs, "fast"), Worker(fast, jobs, "alone")
        assert first.look() == ["mail"]
        assert begun.wait(30)
        assert second.look() == []
        assert third.look() == ["mail"], "by its own clock it takes what is held"
        hold.set()
        for worker in (first, third):
            worker.drain()


def test_a_database_that_does_not_tell_its_time_leaves_the_difference_as_it_was(service: Service, clock: Clock) -> None:
    shared = SharedClock(service.database, clock, ticking=lambda: 0.0)
    shared.ahead = timedelta(seconds=7)
    assert shared() == clock.at + timedelta(seconds=7)
    assert in_step(service) is service


def test_workers_at_once_never_run_the_same_job_twice(service_on_both: Service) -> None:
    ran: list[str] = []
    lock = threading.Lock()
    gate = threading.Barrier(4)

    def note(name: str) -> Callable[[Service, datetime], str]:
        def run(_service: Service, _now: datetime) -> str:
            with lock:
                ran.append(name)
            return name

        return run

    jobs = tuple(job(f"kind-{number}", note(f"kind-{number}"), timedelta(hours=1)) for number in range(12))

    def worker(number: int) -> None:
        gate.wait()
        run_due(service_on_both, jobs, f"worker {number}")

    threads = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == sorted(job.name for job in jobs)


def test_a_hanging_job_keeps_its_lease_for_its_time_and_stops_no_other(service: Service, clock: Clock) -> None:
    hang, begun = threading.Event(), threading.Event()

    def hanging(_service: Service, _now: datetime) -> str:
        begun.set()
        hang.wait(30)
        return "at last"

    quick = threading.Semaphore(0)
    jobs = (job("hangs", hanging, budget=timedelta(minutes=3)), job("mail", lambda _service, _now: (quick.release(), "sent")[1]))
    worker, other = Worker(service, jobs, "one"), Worker(service, jobs[:1], "two")
    try:
        assert sorted(worker.look()) == ["hangs", "mail"]
        assert begun.wait(10)
        for _ in range(3):
            assert quick.acquire(timeout=10)
            wait_until(lambda: row(service, "mail").holder is None)
            clock.move(30)
            worker.look()
            assert other.look() == []
            clock.move(30)
            worker.look()
        wait_until(lambda: row(service, "mail").holder is None)
        clock.move(120)  # beyond its time, and its lease was not renewed
        assert "hangs" not in worker.look()  # its thread is still busy here
        assert other.look() == ["hangs"]
    finally:
        hang.set()
        worker.stop()
        worker.drain()
        other.drain()
    assert row(service, "hangs").message == "at last"


def test_a_worker_ends_cleanly_and_gives_back_what_does_not_end(service: Service) -> None:
    hang, begun = threading.Event(), threading.Event()

    def hanging(_service: Service, _now: datetime) -> str:
        begun.set()
        hang.wait(30)
        return "late"

    worker = Worker(service, (job("hangs", hanging),), "one")
    worker.look()
    assert begun.wait(10)
    worker.drain(patience=0.05)
    assert row(service, "hangs").holder is None
    assert run_due(service, (job("hangs"),)) == {"hangs": True}
    hang.set()


def test_a_worker_survives_a_database_that_is_away(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    real, failed = service.database.read, threading.Event()

    @contextmanager
    def away() -> Iterator[object]:
        if not failed.is_set():
            failed.set()
            raise OSError("the database is away")
        with real() as session:
            yield session

    monkeypatch.setattr(service.database, "read", away)
    monkeypatch.setattr("api.jobs.worker.LOOK_SECONDS", 0.01)
    with working(service, "one", (job("mail", lambda _service, _now: (done.set(), "sent")[1]),)):
        assert done.wait(10)
    assert failed.is_set()


# ── where ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_without_the_index_runs_only_what_needs_none(tmp_path: Path) -> None:
    with running_without_index(settings_in(tmp_path / "data"), now=Clock()) as alone:
        kinds = here(JOBS, with_index=False)
        assert {job.name for job in kinds} == {job.name for job in JOBS if not job.needs_index}
        assert run_due(alone, kinds) == dict.fromkeys((job.name for job in kinds), True)
        with pytest.raises(IndexInUseError, match="works there only"):
            alone.library.repair()


def test_every_job_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert [job.name for job in JOBS if not job.about] == []


def test_every_job_runs_twice_in_a_row_on_both_databases(service_on_both: Service, clock: Clock) -> None:
    publish(service_on_both, article())
    for _ in range(2):
        assert run_due(service_on_both) == {job.name: True for job in JOBS}
        clock.move(86_400)


# ── the chores ──────────────────────────────────────────────────────────────────────────────────────


def test_the_index_is_repaired_but_what_is_being_published_stays(service: Service) -> None:
    publish(service, article(), article("invoices", "Download an invoice", "Open **Invoices**."))
    index = service.library.publisher.index
    collection = next(iter(index.collections.values()))
    lost = next(iter(collection.ids()))
    collection.remove([lost])
    index.put(["staged"], index.embed(["a vector that a publish has just staged"]))
    assert repair_index(service, service.now()) == "1 vectors added, 0 removed"
    assert "staged" in set(collection.ids())
    assert repair_index(service, service.now()) == "0 vectors added, 1 removed"
    assert repair_index(service, service.now()) == "nothing to repair"
    assert in_line(service)


def test_what_has_run_out_is_swept(service: Service, clock: Clock) -> None:
    gone = Colleague.arrives(service)
    clock.move(11 * 3600)
    kept = Colleague.arrives(service)
    clock.move(2 * 3600)
    assert sweep(service, clock.at) == "1 sessions, 0 links and 0 messages deleted"
    with service.database.read() as session:
        assert session.get(StaffSession, kept.new.id) is not None
        assert session.get(StaffSession, gone.new.id) is None


# ── as processes ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def data(tmp_path: Path, prepared_sqlite: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(prepared_sqlite, folder)
    return folder


@contextmanager
def worker(data: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """`firstline work` as a process of its own, killed at the end if it still lives."""
    process = subprocess.Popen(
        [str(FIRSTLINE), "work"], env=environment(data, **settings), cwd=data.parent, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        assert process.stderr is not None
        process.stderr.close()


def rows_of(url: str) -> dict[str, JobRun]:
    database = Database(url)
    try:
        with database.read() as session:
            return job_store.listed(session, [job.name for job in JOBS])
    finally:
        database.close()


def test_a_worker_beside_a_server_leaves_the_index_to_it_and_ends_on_a_signal(data: Path) -> None:
    url = f"sqlite:///{data / 'firstline.db'}"
    with serving(data, FIRSTLINE_JOBS_IN_SERVER="false"):
        wait_until(lambda: "index" in (found := rows_of(url)) and found["index"].runs == 1)
        assert "sweep" not in rows_of(url)
        with worker(data) as process:
            wait_until(lambda: "sweep" in (found := rows_of(url)) and found["sweep"].runs == 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        holders = {name: row.holder for name, row in rows_of(url).items()}
        assert holders == dict.fromkeys(holders)
        told = firstline(data, "jobs")
        assert told.returncode == 0, told.stderr
        assert {line.split()[0] for line in told.stdout.splitlines()} == {job.name for job in JOBS}
    unknown = firstline(data, "jobs", "--now", "nothing")
    assert (unknown.returncode, "there is no job nothing" in unknown.stderr) == (2, True)


HANGING = """
import sys, threading
from datetime import timedelta
from pathlib import Path
from api.bootstrap import running_without_index, worker_name
from api.jobs.kinds import Job
from api.settings import ApiSettings, Settings
from api.jobs.worker import working

def hang(service, now):
    print("held", flush=True)
    threading.Event().wait()

data, url = sys.argv[1:]
with running_without_index(Settings(api=ApiSettings(data=Path(data), database_url=url))) as service:
    with working(service, worker_name(), [Job("mail", timedelta(seconds=1), hang)]):
        threading.Event().wait()
"""


def test_a_worker_killed_in_the_middle_of_a_job_holds_it_for_a_minute_and_no_longer(tmp_path: Path, database_url: str) -> None:
    command = [sys.executable, "-c", HANGING, str(tmp_path / "data"), database_url]
    with subprocess.Popen(command, env=environment(tmp_path / "data"), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        process.kill()
    clock = Clock(utc_now())
    with running_without_index(settings_in(tmp_path / "data", database_url=database_url), now=clock) as service:
        held = row(service, "mail")
        assert held.holder
        assert held.leased_until
        assert timedelta(0) < held.leased_until - clock.at <= timedelta(minutes=1)
        assert run_due(service, (job("mail"),)) == {}
        clock.move(61)
        assert run_due(service, (job("mail"),)) == {"mail": True}
        assert row(service, "mail").runs == 1
