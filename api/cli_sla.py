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
HOURS = {"h": 1, "d": 24, "w": 168}


@sla.command()
def show() -> None:
    """The profile that counts, row by row, and the chains. Exit code 2 and a sentence when a file is wrong."""
    from api.settings import from_environment
    from escalation.datafile import words

    book = from_environment().sla_book()
    profile = book.profile
    typer.echo(f"{profile.name}: {profile.title}; warns at {profile.warn_at:.0%}; edition {book.edition}")
    for row in profile.rows:
        about = [", ".join(sorted(among)) for among in (row.queues, row.channels, row.priorities) if among]
        said = [f"{kind.replace('_', ' ')} {words(span) if span else 'none'}" for kind, span in row.spans.items()]
        typer.echo(f"  {' · '.join(about) or 'every ticket'}: {', '.join(said)} ({row.calendar.title}, {row.calendar.zone.key})")
    for chain in book.chains.values():
        typer.echo(f"{chain.title} chain ({', '.join(chain.queues)}; {chain.calendar.title})")
        for number, tier in enumerate(chain.tiers, start=1):
            until = f" until {tier.until} within {words(tier.within)}" if tier.within else ""
            only = f", only {', '.join(sorted(tier.only))}" if tier.only else ""
            typer.echo(f"  {number}. {tier.who}{' ' + tier.does if tier.does else ''}{until}{only}")


@sla.command()
def run() -> None:
    """Write the alarms that are due now: warnings, breaches, next tiers. The server does this by itself."""
    from api import clocks
    from api.bootstrap import utc_now
    from api.cli import database
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
    from api.cli import database, fail
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
    old, new = books["before"].profile.name, books["after"].profile.name
    typer.echo(f"{told.tickets} tickets, told under “{old}” and under “{new}”; broken: ended late, or overdue now")
    typer.echo(f"{'clock':14}{'queue':14}{old + ' broken':>20}{'of':>6}{new + ' broken':>20}{'of':>6}{'change':>9}")
    for kind in PROMISED:
        queues = sorted({queue for tally in (before, after) for k, queue, _ in tally if k == kind})
        for queue in [*queues, None]:
            was, of_was, would, of_would = (
                late(before, kind, queue),
                every(before, kind, queue),
                late(after, kind, queue),
                every(after, kind, queue),
            )
            typer.echo(f"{kind.replace('_', ' '):14}{queue or 'all':14}{was:20}{of_was:6}{would:20}{of_would:6}{would - was:+9}")
    for name, tally in (("before", before), ("after", after)):
        sums = {how: sum(n for (_, _, h), n in tally.items() if h == how) for how in ENDINGS}
        said = ", ".join(f"{count} {how}" for how, count in sums.items() if count) or "no clock"
        typer.echo(f"{books[name].profile.name}: {said}; {sum(sums.values())} clocks in all")
