"""The command line's side of what runs by itself: a worker as a process of its own, and how every kind of job went."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from api.jobs.kinds import Job
    from api.tables import JobRun


def work() -> None:
    """Run jobs until a signal comes, beside `firstline serve` or instead of its own worker; several at once share them.

    With the embedded index, jobs that need it are left to the server, which owns it.
    """
    import signal
    import threading

    from api.bootstrap import running, running_without_index, worker_name
    from api.jobs.agreeing import in_step
    from api.jobs.kinds import JOBS
    from api.jobs.worker import here, work_until
    from api.serving import configure_logs
    from api.settings import from_environment

    settings = from_environment()
    configure_logs(settings.api.log_level)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    shared = bool(settings.api.chroma_url)
    with running(settings) if shared else running_without_index(settings) as service:
        jobs_here = here(JOBS, with_index=shared)
        work_until(in_step(service), worker_name(), jobs_here, stopped, lambda line: typer.echo(f"firstline: {line}", err=True))


def jobs(
    now: Annotated[str, typer.Option("--now", help="Make this job due at once.", metavar="NAME")] = "",
) -> None:
    """Every job: last run, next run, how long it took, failures since, and what it said. Exit code 1 when one fails."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.jobs import leases as job_store
    from api.jobs.kinds import JOBS

    names = [job.name for job in JOBS]
    moment = utc_now()
    with database() as opened, opened.write() as session:
        job_store.register(session, names, now=moment)
        if now:
            try:
                job_store.run_soon(session, now, now=moment)
            except job_store.NoSuchJob:
                fail(f"there is no job {now}; there are {', '.join(names)}")
        rows = job_store.listed(session, names)
        lines = [_line(job, rows[job.name], moment) for job in JOBS]
        failing = any(row.failures for row in rows.values())
    for line in lines:
        typer.echo(line)
    raise typer.Exit(1 if failing else 0)


def _line(job: "Job", row: "JobRun", now: datetime) -> str:
    last = f"{row.finished_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if row.finished_at else "never"
    took = f"{row.seconds:.2f} s" if row.seconds is not None else ""
    if row.holder and row.leased_until and row.leased_until > now and row.started_at:
        due = f"runs since {row.started_at.astimezone(UTC):%H:%M:%S}"
    else:
        due = "now" if row.next_at <= now else f"{row.next_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return f"{job.name:16} last {last:19} {took:>9}  next {due:19}  {row.failures} failures  {row.message}".rstrip()
