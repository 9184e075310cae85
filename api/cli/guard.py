"""The command line's guard side: explain a decision, try other policies on past traffic, check the ledger, release held passages."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from api.database import Database
    from guardrails.screen import Guard

guard = typer.Typer(no_args_is_help=True, help="What the guards decide and why.")
ledger = typer.Typer(no_args_is_help=True, help="The chained record of every guard decision.")
quarantine = typer.Typer(no_args_is_help=True, help="Passages kept out of the index because they carry instructions.")


@guard.command()
def explain(
    text: Annotated[str, typer.Argument(help="What a visitor would write.")],
    language: Annotated[str, typer.Option(help="The language a refusal would be in.")] = "en",
) -> None:
    """Policies, scores, the nearest examples, and what would be said."""
    from api.cli.printing import print_guard_explanation
    from guardrails.checks.personal_data import mask_personal, redact_secrets
    from guardrails.explain import explain as explained

    with _guard() as built:
        print_guard_explanation(explained(mask_personal(redact_secrets(text).text), built, language))


@guard.command()
def replay(
    since: Annotated[str, typer.Option(help="How far back, such as 30d.")] = "30d",
    policies: Annotated[Path | None, typer.Option(help="A folder of changed policies; by default the present ones.")] = None,
) -> None:
    """Judge recorded messages again: what would be newly blocked, what newly allowed."""
    from sqlalchemy import select

    from api.bootstrap import utc_now
    from api.cli.printing import print_replay
    from guardrails.findings import Stage
    from guardrails.replay import Recorded
    from guardrails.replay import replay as replayed
    from guardrails.tables import GuardDecision

    days = _days(since)
    with _database() as database, database.read() as session:
        query = select(GuardDecision).where(GuardDecision.stage == Stage.INCOMING, GuardDecision.at >= utc_now() - timedelta(days=days))
        rows = session.scalars(query.order_by(GuardDecision.number)).all()
    recorded = [Recorded(r.number, r.text, r.action, r.blocked, r.language) for r in rows if r.text is not None]
    with _guard(policies) as built:
        print_replay(replayed(recorded, built))


@guard.command()
def judge(
    number: Annotated[int, typer.Argument(help="The decision's number in the ledger.")],
    right: Annotated[bool, typer.Option("--right/--wrong", help="Whether the block was right.")],
    by: Annotated[str, typer.Option(help="Who says so.")] = "operator",
) -> None:
    """Keep a person's opinion of a block; it counts into each policy's precision."""
    from api.bootstrap import utc_now
    from guardrails import ledger as book

    with _database() as database, database.write() as session:
        book.judge(session, number, right=right, by=by, now=utc_now())
        for row in book.precision(session):
            typer.echo(f"{row.policy}: {row.right} of {row.judged} judged blocks were right")


@guard.command()
def judged() -> None:
    """Judged blocks as examples for the exam, one JSON object a line."""
    from guardrails import ledger as book

    with _database() as database, database.read() as session:
        for row in book.judged_examples(session):
            typer.echo(json.dumps(row, ensure_ascii=False))


@ledger.command()
def verify() -> None:
    """Find a changed or missing decision. Exit code 1 when there is one."""
    from guardrails import ledger as book

    with _database() as database, database.read() as session:
        troubles = book.verify(session)
        count, digest = book.head(session)
    for trouble in troubles:
        typer.echo(trouble)
    typer.echo(f"{count} decisions; the head is {digest}")
    raise typer.Exit(1 if troubles else 0)


@ledger.command()
def export() -> None:
    """Every decision as a line of JSON, oldest first."""
    from guardrails import ledger as book

    with _database() as database, database.read() as session:
        for line in book.export(session):
            typer.echo(line)


@quarantine.command("list")
def held() -> None:
    """Passages that are held back, with the reason."""
    from sqlalchemy import select

    from knowledge.tables import Article, Passage

    with _database() as database, database.read() as session:
        query = (
            select(Passage, Article.title).join(Article, Article.id == Passage.article_id).where(Passage.held.is_not(None), Passage.live)
        )
        for passage, title in session.execute(query):
            typer.echo(f"{passage.id}  {title}  {passage.held}")


@quarantine.command()
def release(passage: Annotated[str, typer.Argument(help="The passage's id, as `firstline quarantine list` shows it.")]) -> None:
    """Index a held passage after a person has read it."""
    from api.cli.main import fail, operations

    with operations() as do:
        try:
            do.release(passage)
        except LookupError as unknown:
            fail(str(unknown))
    typer.echo("released")


def _days(text: str) -> int:
    from api.cli.main import fail

    if not (text.endswith("d") and text[:-1].isdigit()):
        fail(f"{text} is not a number of days, such as 30d")
    return int(text[:-1])


@contextmanager
def _guard(policies: Path | None = None) -> Iterator["Guard"]:
    """The guard as the settings make it, without database or index."""
    from api.bootstrap import encoders, silence_telemetry
    from api.settings import from_environment
    from guardrails.screen import Guard

    silence_telemetry()
    settings = from_environment()
    yield Guard.build(encoders(settings), settings.api.data / "models", policies, settings=settings.guardrails)


@contextmanager
def _database() -> Iterator["Database"]:
    from api.cli.main import database

    with database() as opened:
        yield opened
