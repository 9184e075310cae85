"""The command line's golden questions: those that every edit is tried on before it is published. Works beside a running server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from sqlalchemy.orm import Session

golden = typer.Typer(no_args_is_help=True, help="Questions with the article that must answer them; protected ones block a publish.")
By = Annotated[str, typer.Option(help="Who does this: the name of a person.")]
Name = Annotated[str, typer.Argument(help="The question's id, as `firstline golden list` shows it.")]


@golden.command()
def add(
    question: Annotated[str, typer.Argument(help="What a visitor asks.")],
    article: Annotated[str, typer.Argument(help="The article that must answer: its id or the last part of its address.")],
    by: By,
    unprotected: Annotated[bool, typer.Option("--unprotected", help="Show when its answer changes, but block nothing.")] = False,
) -> None:
    """Keep a question; one that is kept already gets this article and protection."""
    from api.bootstrap import new_id, utc_now
    from api.cli.main import database, fail
    from knowledge.articles import NoSuchArticle
    from knowledge.golden import Golden
    from knowledge.golden import add as keep

    with database() as opened, opened.write() as session:
        try:
            row = keep(session, Golden(question, _article(session, article), not unprotected), new_id(), by=by, now=utc_now())
        except (NoSuchArticle, ValueError) as wrong:
            fail(str(wrong))
        typer.echo(row.id)


@golden.command("list")
def list_golden() -> None:
    """Every golden question: id, whether it is protected, the article, and who added it."""
    from api.cli.main import database
    from knowledge.golden import listed
    from knowledge.tables import Article

    with database() as opened, opened.read() as session:
        for row in listed(session):
            article = session.get_one(Article, row.article_id)
            state = "protected" if row.protected else "shown"
            typer.echo(f"{row.id}  {state:9}  {article.slug:40}  {row.question}  ({row.origin}, {row.changed_by or row.added_by})")


@golden.command("import")
def import_golden(
    file: Annotated[Path, typer.Argument(help="JSON lines with question, article and, by default true, protected.")], by: By
) -> None:
    """Keep many questions; all of them or, when one is wrong, none."""
    from api.bootstrap import new_id, utc_now
    from api.cli.main import database, fail
    from knowledge.articles import NoSuchArticle
    from knowledge.golden import Golden
    from knowledge.golden import add as keep
    from knowledge.lift_tables import GoldenOrigin

    if not file.is_file():
        fail(f"there is no file {file}")
    rows = [(n, line) for n, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if line.strip()]
    with database() as opened, opened.write() as session:
        for number, line in rows:
            try:
                given = _read(line)
                article_id = _article(session, given["article"])
                one = Golden(given["question"], article_id, given["protected"], GoldenOrigin.IMPORTED)
                keep(session, one, new_id(), by=by, now=utc_now())
            except (NoSuchArticle, ValueError) as wrong:
                session.rollback()
                fail(f"{file}:{number}: {wrong}; nothing was kept")
    typer.echo(f"{len(rows)} kept")


@golden.command()
def protect(golden_id: Name, by: By) -> None:
    """Block every publish that would break this question."""
    _set(golden_id, by, protected=True)


@golden.command("lift")
def lift_protection(golden_id: Name, by: By) -> None:
    """Lift a question's protection, under your name."""
    _set(golden_id, by, protected=False)


@golden.command()
def remove(golden_id: Name, by: By) -> None:
    """Forget a question that is not protected."""
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from knowledge.golden import NoSuchGolden
    from knowledge.golden import remove as forget

    with database() as opened, opened.write() as session:
        try:
            forget(session, golden_id, by=by, now=utc_now())
        except (NoSuchGolden, ValueError) as wrong:
            fail(str(wrong))


def lift() -> None:
    """What each accepted suggestion changed, as it was last measured (`firstline jobs --now lift` measures anew)."""
    from datetime import UTC, timedelta

    from api.bootstrap import utc_now
    from api.cli.main import database
    from api.library.loop import NOT_MEASURED, VERDICTS, loop

    with database() as opened, opened.read() as session:
        for one in loop(session, utc_now(), timedelta(days=180)).lifted:
            typer.echo(f"{one.accepted_at.astimezone(UTC):%Y-%m-%d}  {VERDICTS.get(one.verdict, NOT_MEASURED):16}  {one.title}")
            typer.echo(f"            {one.words}")


def _set(golden_id: str, by: str, *, protected: bool) -> None:
    from api.bootstrap import utc_now
    from api.cli.main import database, fail
    from knowledge.golden import NoSuchGolden
    from knowledge.golden import protect as change

    with database() as opened, opened.write() as session:
        try:
            change(session, golden_id, protected=protected, by=by, now=utc_now())
        except (NoSuchGolden, ValueError) as wrong:
            fail(str(wrong))


def _read(line: str) -> dict[str, Any]:
    """One line of an import. Raise ValueError."""
    given = json.loads(line)
    if not isinstance(given, dict) or not isinstance(given.get("question"), str) or not isinstance(given.get("article"), str):
        raise ValueError("a line needs the texts question and article")  # noqa: TRY004 - a mistake in a file
    if not isinstance(given.setdefault("protected", True), bool):
        raise ValueError("protected is true or false")  # noqa: TRY004 - the same
    return given


def _article(session: "Session", name: str) -> str:
    """The id of the article with this id or slug. Raise NoSuchArticle."""
    from sqlalchemy import select

    from knowledge.articles import NoSuchArticle
    from knowledge.tables import Article

    found = session.scalars(select(Article.id).where((Article.id == name) | (Article.slug == name))).first()
    if found is None:
        raise NoSuchArticle(f"there is no article {name}")
    return str(found)
