"""The command line's clocks: what the profiles promise, a round of the clocks by hand, and what other promises would have come to."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from escalation.sla import Book
    from escalation.whatif import Told

sla = typer.Typer(no_args_is_help=True, help="Promises to visitors: profiles, clocks, escalation chains.")
SINCE = re.compile(r"(\d{1,4})([hdw])")
ENDED = {
    "met": "met",
    "breached": "ended late",
    "overdue": "overdue",
    "running": "still in time",
    "paused": "paused",
    "never": "never due",
    "dropped": "ended without a reply",
    "merged": "merged",
}
HOURS = {"h": 1, "d": 24, "w": 168}


@sla.command()
def show() -> None:
    """What is promised to visitors, who is called when nobody comes, and the other profiles. Exit code 2 when a file is wrong."""
    from api.cli.sla_words import chain_lines, profile_lines
    from api.settings import from_environment
    from escalation import sla as promises

    settings = from_environment()
    book = settings.sla_book()
    others = [f"  {name}: {title}" for name, title in promises.titles(settings.sla_files().profiles).items() if name != book.profile.name]
    for line in (*profile_lines(book.profile), "", *chain_lines(book)):
        typer.echo(line)
    if others:
        typer.echo("\nOther profiles, chosen with FIRSTLINE_SLA_PROFILE (to compare: `firstline sla what-if --profile NAME`):")
        typer.echo("\n".join(others))


@sla.command()
def calendars() -> None:
    """Every calendar: its hours by the wall clock of its zone, its holidays, and the next days on which it is closed."""
    from api.bootstrap import utc_now
    from api.cli.sla_words import calendar_lines
    from api.settings import from_environment
    from escalation import calendars as known

    today = utc_now()
    for calendar in known.load(from_environment().sla_files().calendars).values():
        for line in calendar_lines(calendar, today.astimezone(calendar.zone).date()):
            typer.echo(line)


@sla.command()
def run() -> None:
    """Write the alarms that are due now: warnings, breaches, next tiers. The server does this by itself."""
    from api.bootstrap import utc_now
    from api.cli.main import database
    from api.jobs import clocks
    from api.settings import from_environment
    from escalation import keeping

    settings = from_environment()
    book = settings.sla_book()
    with database() as opened:
        opened.info[keeping.BOOK] = book
        typer.echo(clocks.run(opened, utc_now(), timedelta(hours=settings.escalation.alarm_hours)))


@sla.command("what-if")
def what_if(
    profile: Annotated[str, typer.Option(help="The profile to try.")],
    since: Annotated[str, typer.Option(help="How far back: 36h, 30d or 4w.")] = "30d",
    file: Annotated[Path | None, typer.Option(help="A file of profiles; by default the one that counts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """How many promises the tickets of a time broke, and would have broken under another profile; from their events alone."""
    from dataclasses import replace

    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from api.settings import from_environment
    from escalation import sla as promises
    from escalation import whatif

    match = SINCE.fullmatch(since)
    if not match:
        fail(f"{since!r} is no length of time; write 36h, 30d or 4w")
    settings = from_environment()
    now = settings.sla_book()
    files = settings.sla_files()
    then = promises.book(profile, replace(files, profiles=file) if file else files)
    until = utc_now()
    with database() as opened, opened.read() as session:
        books = {"before": now, "after": then}
        told = whatif.what_if(session, books, until - timedelta(hours=int(match[1]) * HOURS[match[2]]), until)
    _print(told, books, as_json=as_json)


def _print(told: "Told", books: "dict[str, Book]", *, as_json: bool) -> None:
    from escalation.sla import PROMISED
    from escalation.whatif import ENDINGS, every, late

    before, after = told.tallies["before"], told.tallies["after"]
    if as_json:
        named = {
            name: [{"clock": k, "queue": q, "ending": how, "count": n} for (k, q, how), n in sorted(t.items())]
            for name, t in told.tallies.items()
        }
        typer.echo(json.dumps({"tickets": told.tickets, **{f"{n}_profile": b.profile.name for n, b in books.items()}, **named}, indent=2))
        return
    old, new = (f"“{books[name].profile.name}”" for name in ("before", "after"))
    many = "1 ticket" if told.tickets == 1 else f"{told.tickets} tickets"
    typer.echo(f"{many}, told under {old}, which counts now, and under {new}. A promise is broken when its clock ended late or is overdue.")
    typer.echo(f"\n{'clock':14}{'queue':14}{old:>24}{new:>24}{'change':>9}")
    for kind in PROMISED:
        queues = sorted({queue for tally in (before, after) for k, queue, _ in tally if k == kind})
        for queue in [*queues, None]:
            was, would = late(before, kind, queue), late(after, kind, queue)
            shown = [f"{broken} of {every(tally, kind, queue)} broken" for broken, tally in ((was, before), (would, after))]
            typer.echo(f"{kind.replace('_', ' '):14}{queue or 'all queues':14}{shown[0]:>24}{shown[1]:>24}{would - was:+9}")
    typer.echo("")
    for name, tally in (("before", before), ("after", after)):
        sums = {how: sum(n for (_, _, h), n in tally.items() if h == how) for how in ENDINGS}
        said = ", ".join(f"{count} {ENDED[how]}" for how, count in sums.items() if count) or "no clock"
        typer.echo(f"Under “{books[name].profile.name}”: {said}.")
