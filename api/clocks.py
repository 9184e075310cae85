"""The clocks' own work: alarms that are due become events, and clocks told by an earlier edition of the files are told anew."""

from datetime import datetime

import structlog

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
    return run(service.database, now)


def run(database: Database, now: datetime) -> str:
    """One round; what was done, in words. A ticket that cannot be told is named in the log and never stops the others."""
    refreshed = _refresh(database)
    rung, failed = Rung(), set[str]()
    for _ in range(MOST_BATCHES):
        with database.read() as session:
            due = keeping.alarms(session, now, BATCH, failed)
        if not due:
            break
        for ticket_id in due:
            try:
                with database.write() as session:
                    rung += alarms.ring(session, ticket_id, now=now)
            except Exception:  # one poisonous ticket
                log.exception("the clocks of a ticket cannot be told", ticket=ticket_id)
                failed.add(ticket_id)
    told = f"{rung.warned} warned, {rung.breached} breached, {rung.escalated} escalated"
    more = [f"{refreshed} told anew"] if refreshed else []
    return ", ".join([told, *more, *([f"{len(failed)} could not be told"] if failed else [])])


def _refresh(database: Database) -> int:
    done = 0
    for _ in range(MOST_BATCHES):
        with database.write() as session:
            some = keeping.refresh(session, BATCH)
        done += some
        if some < BATCH:
            break
    return done
