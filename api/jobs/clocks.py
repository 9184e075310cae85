"""The clocks' own work: alarms that are due become events, and clocks told by an earlier edition of the files are told anew."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.database import Database
from escalation import alarms, keeping
from escalation.alarms import Rung

ABOUT = "warns before a promise to a visitor is broken, says when it is, and calls the next tier of the escalation chain"
BATCH = 200
MOST_BATCHES = 4  # of one run, a few seconds' work
log = structlog.get_logger()


def work(service: Service, now: datetime) -> str:
    """One round for the server's jobs."""
    return run(service.database, now, timedelta(hours=service.settings.escalation.alarm_hours))


def run(database: Database, now: datetime, patience: timedelta = alarms.PATIENCE) -> str:
    """One round; what was done, in words. A ticket that cannot be told is named in the log and never stops the others.

    What should have rung longer than `patience` ago, or was late before its clocks were told by this book, is quiet.
    """
    failed = set[str]()
    rung, anew = _each(
        database, failed, lambda session: keeping.stale(session, BATCH, failed), lambda s, one: alarms.tell_anew(s, one, now=now)
    )
    more, _ = _each(
        database,
        failed,
        lambda session: keeping.alarms(session, now, BATCH, failed),
        lambda session, one: alarms.ring(session, one, now=now, patience=patience),
    )
    rung += more
    told = f"{rung.warned} warned, {rung.breached} breached, {rung.escalated} escalated"
    besides = ((rung.quiet, "late already"), (anew, "told anew"), (len(failed), "could not be told"))
    return ", ".join([told, *(f"{count} {what}" for count, what in besides if count)])


Find = Callable[[Session], Sequence[str]]
Do = Callable[[Session, str], Rung]


def _each(database: Database, failed: set[str], find: Find, do: Do) -> tuple[Rung, int]:
    """Do something with each ticket that is found, in a transaction of its own; what fails is added to `failed`. How many went well."""
    rung, done = Rung(), 0
    for _ in range(MOST_BATCHES):
        with database.read() as session:
            found = find(session)
        if not found:
            break
        for ticket_id in found:
            try:
                with database.write() as session:
                    rung += do(session, ticket_id)
                done += 1
            except Exception:  # one poisonous ticket
                log.exception("the clocks of a ticket cannot be told", ticket=ticket_id)
                failed.add(ticket_id)
    return rung, done
