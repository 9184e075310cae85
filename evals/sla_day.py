"""A working day in fast time: 200 visitors, three agents, a holiday behind it; on the real service, with a report that must add up.

    python -m evals.sla_day [--tickets 200] [--seed 7]

Visitors write from seven to seven on the day before Christmas Eve in Berlin, by chat and by form. Three agents take what
stands first in the queue, answer, wait, resolve and merge through the desk's own verbs, in their hours only; some visitors
write again, some are not satisfied. The clocks' job runs every quarter of an hour until the Monday after. Then every
clock is counted three times: as stored, as told anew from the events, and by the events that were written. Exit code 1
when a sum does not add up.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from api.bootstrap import Service, running
from api.desk import work as desk_work
from api.desk import worklist as views
from api.desk.shapes import MergeIn, MoveIn, PriorityIn, ReplyIn
from api.desk.worklist import Filters, View
from api.jobs import clocks as job
from api.settings import ApiSettings, Settings
from api.shapes import In
from api.staff.sessions import Signed
from api.tables import Account, StaffRole
from assistant import conversation, reception
from assistant.conversation import Incoming
from assistant.tables import Conversation, ConversationId, Holder
from assistant.turn import take_turn
from escalation.rules import Form
from escalation.settings import EscalationSettings
from escalation.sla import PROMISED
from escalation.tables import ClockKind, EventKind, Priority, Ticket, TicketClock, TicketEvent, TicketId, TicketState
from escalation.whatif import ENDINGS, Tally, what_if
from knowledge.settings import KnowledgeSettings

CALENDARS = """
always: {title: around the clock, zone: UTC, always: true}
office:
  title: office hours
  zone: Europe/Berlin
  hours: {monday-friday: "09:00-12:30, 13:15-17:30"}
  holidays: {country: DE, subdivision: BE}
  closed: [12-24]
"""
FIRST, LAST = datetime(2026, 12, 23, 6, tzinfo=UTC), datetime(2026, 12, 28, 17, tzinfo=UTC)
ARRIVING = timedelta(hours=12)
TICK, ROUND = timedelta(minutes=5), timedelta(minutes=15)
PEOPLE = ("Ada", "Kim", "Jonas")
BUSY = 0.55  # share of ticks in which an agent gets something done
TROUBLES = (
    "I cannot export my dashboard, it says error E42 in Firefox.",
    "We were charged twice on our last invoice.",
    "How many seats can we buy with a discount?",
    "Please delete the personal data of our former colleague.",
)


@dataclass
class Moving:
    """A clock that the day moves."""

    at: datetime = FIRST

    def __call__(self) -> datetime:
        """What it shows."""
        return self.at


@dataclass
class Day:
    """The day while it passes; `later` are the conversations whose visitors write again, and when."""

    service: Service
    clock: Moving
    chance: random.Random
    agents: Sequence[Signed]
    later: list[tuple[datetime, str]] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)

    # ── visitors ────────────────────────────────────────────────────────────────────────────────────

    def arrives(self, number: int) -> None:
        """One more visitor, by chat or by form."""
        now, text = self.clock(), self.chance.choice(TROUBLES)
        new = self.service.new_id
        if self.chance.random() < 1 / 3:
            made = ConversationId(new())
            started = Conversation(id=made, secret_hash=new() * 2, holder=Holder.ASSISTANT, locale="en", created_at=now, updated_at=now)
            told = {"email": f"v{number}@example.org"}
            reception.send_form(self.service.assistant, Form.CONTACT, told, text, started, ticket_id=TicketId(new()), now=now)
            self.did["forms sent"] += 1
            return
        with self.service.database.write() as session:
            started = conversation.start(session, secret=new(), locale="en", new_id=new, now=now)
        take_turn(self.service.assistant, started.id, Incoming(text), now=now)
        reception.call_person(self.service.assistant, started.id, {}, now=now)
        self.did["chats handed over"] += 1

    def write_again(self) -> None:
        """Visitors whose time has come."""
        due = [one for one in self.later if one[0] <= self.clock()]
        self.later = [one for one in self.later if one[0] > self.clock()]
        for _, conversation_id in due:
            text = self.chance.choice(("Thank you!", "It still fails, with the same error E42.", "It is the account of our colleague."))
            take_turn(self.service.assistant, ConversationId(conversation_id), Incoming(text), now=self.clock())
            self.did["visitors wrote again"] += 1

    # ── agents ──────────────────────────────────────────────────────────────────────────────────────

    def work(self, me: Signed) -> None:
        """What stands first in the queue and does not wait for anybody."""
        with self.service.database.read() as session:
            lines = views.page(session, Filters(View.OPEN), me.account_id).lines
            ours = [line for line in lines if line.state != TicketState.WAITING_CUSTOMER]
            if not ours:
                return
            line = ours[0]
            ticket = session.get_one(Ticket, TicketId(line.id))
        body = self.chosen(line, ours)
        desk_work.change(self.service, me, line.number, body)
        self.did[f"agents: {type(body).__name__.removesuffix('In').lower()}"] += 1
        if isinstance(body, ReplyIn) and self.chance.random() < 1 / 2:
            again = timedelta(minutes=self.chance.randint(10, 400))
            self.later.append((self.clock() + again, ticket.conversation_id))

    def chosen(self, line: views.Line, ours: Sequence[views.Line]) -> In:
        """A reply mostly; sometimes another priority, a merge, or a resolve without a word."""
        luck = self.chance.random()
        if luck < 0.04 and line.state == TicketState.OPEN:  # noqa: PLR2004 - a share
            return PriorityIn(priority=self.chance.choice(list(Priority)), version=line.version)
        if luck < 0.07 and len(ours) > 1:  # noqa: PLR2004 - a share
            return MergeIn(into=ours[1].number, version=line.version)
        if luck < 0.1 and line.state == TicketState.ACKNOWLEDGED:  # noqa: PLR2004 - a share
            return MoveIn(to=TicketState.RESOLVED, version=line.version)
        then = self.chance.choice((TicketState.RESOLVED, TicketState.RESOLVED, TicketState.WAITING_CUSTOMER, None))
        if line.state != TicketState.OPEN and then is None:
            then = TicketState.RESOLVED
        return ReplyIn(text="Hello, we looked into it.", version=line.version, then=then)


def pass_day(day: Day, tickets: int) -> None:
    """From the first visitor to the last round of the clocks."""
    office = day.service.settings.sla_book().profile.calendar
    arrivals = sorted(FIRST + ARRIVING * day.chance.random() for _ in range(tickets))
    number = 0
    while day.clock() <= LAST:
        while number < tickets and arrivals[number] <= day.clock():
            number += 1
            day.arrives(number)
        day.write_again()
        for me in day.agents if office.is_open(day.clock()) else ():
            if day.chance.random() < BUSY:
                day.work(me)
        if (day.clock() - FIRST) % ROUND == timedelta():
            job.run(day.service.database, day.clock())
        day.clock.at += TICK
    day.clock.at -= TICK


# ── the report ──────────────────────────────────────────────────────────────────────────────────────


def report(service: Service, until: datetime) -> list[str]:
    """Print how every clock ended; the sums that do not add up come back."""
    book = service.settings.sla_book()
    with service.database.read() as session:
        tickets = session.scalar(select(func.count()).select_from(Ticket)) or 0
        rows = session.scalars(select(TicketClock).where(TicketClock.kind.in_(PROMISED))).all()
        events = session.scalars(select(TicketEvent)).all()
        told = what_if(session, {"told": book}, FIRST, until).tallies["told"]
        queues = {str(id_): str(queue) for id_, queue in session.execute(select(Ticket.id, Ticket.queue))}
    stored: Tally = Counter((row.kind, queues[row.ticket_id], _stands(row, until)) for row in rows)
    wrong = [] if stored == told else [f"stored and told anew differ: {(stored - told) + (told - stored)}"]
    sys.stdout.write(f"{'clock':14}" + "".join(f"{how:>10}" for how in ENDINGS) + f"{'all':>10}\n")
    for kind in PROMISED:
        counts = [sum(n for (k, _, how), n in stored.items() if k == kind and how == one) for one in ENDINGS]
        every = sum(row.kind == kind for row in rows)
        sys.stdout.write(f"{kind.replace('_', ' '):14}" + "".join(f"{n:10}" for n in counts) + f"{every:10}\n")
        wrong += [f"{kind}: {sum(counts)} by ending, {every} clocks"] if sum(counts) != every else []
        if kind != ClockKind.NEXT_REPLY and every != tickets:
            wrong.append(f"{kind}: {every} clocks for {tickets} tickets")
    return wrong + _alarms(rows, events, service, until)


def _stands(row: TicketClock, until: datetime) -> str:
    if row.state in {"running", "paused"} and row.due_at is not None and row.due_at < until:
        return "overdue"
    return row.state if row.due_at is not None or row.state != "running" else "never"


def _alarms(rows: Sequence[TicketClock], events: Sequence[TicketEvent], service: Service, until: datetime) -> list[str]:
    """Each alarm once, none outside of working hours' reach, and none missing."""
    office = service.settings.sla_book().profile.calendar
    rung = Counter(event.kind for event in events if event.by == "clock")
    said = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(rung.items()))
    sys.stdout.write(f"the clocks wrote: {said}\n")
    breaches = [event for event in events if event.kind == EventKind.CLOCK_BREACHED]
    keys = Counter((event.ticket_id, event.details["clock"], event.details["since"], event.details["due"]) for event in breaches)
    wrong = [f"told twice: {key}" for key, count in keys.items() if count > 1]
    for event in breaches:
        due = datetime.fromisoformat(event.details["due"])
        if not office.is_open(due - timedelta(microseconds=1)):
            wrong.append(f"due outside of working hours: {due}")
    marked = {(event.ticket_id, event.details["clock"], event.details["since"]) for event in breaches}
    for row in rows:
        overdue = row.state == "running" and row.due_at is not None and row.due_at + ROUND < until
        if overdue and (row.ticket_id, row.kind, row.version) not in marked:
            wrong.append(f"overdue since {row.due_at}, and nobody was told")
    return wrong


def main() -> None:
    """Let the day pass, then count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calendars.yaml"
        file.write_text(CALENDARS, encoding="utf-8")
        promised = EscalationSettings(sla_calendars=str(file))
        settings = Settings(
            api=ApiSettings(data=Path(folder) / "data"), knowledge=KnowledgeSettings(embedder="hashing"), escalation=promised
        )
        clock = Moving()
        with running(settings, now=clock) as service:
            day = Day(service, clock, random.Random(chosen.seed), _agents(service))  # noqa: S311 - nothing is guarded by it
            pass_day(day, chosen.tickets)
            sys.stdout.write(f"{chosen.tickets} visitors from {FIRST:%a %d %b %H:%M} UTC, counted at {clock():%a %d %b %H:%M} UTC\n")
            sys.stdout.write(", ".join(f"{count} {what}" for what, count in sorted(day.did.items())) + "\n")
            wrong = report(service, clock())
    for one in wrong:
        sys.stdout.write(f"DOES NOT ADD UP: {one}\n")
    sys.stdout.write("" if wrong else "every ticket is accounted for; stored, told anew and written agree\n")
    sys.exit(1 if wrong else 0)


def _agents(service: Service) -> list[Signed]:
    with service.database.write() as session:
        made = [
            Account(id=service.new_id(), email=f"{name}@example.org", name=name, role=StaffRole.AGENT, password_hash="x", created_at=FIRST)  # noqa: S106 - nobody signs in with it
            for name in PEOPLE
        ]
        session.add_all(made)
        return [Signed(one.id, one.name, one.email, StaffRole.AGENT, "", "") for one in made]


if __name__ == "__main__":
    main()
