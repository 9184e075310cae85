"""The command line: read articles in, ask, search, serve, keep keys."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.cli import doctor as cli_doctor
from api.cli import golden as cli_golden
from api.cli import guard as cli_guard
from api.cli import jobs as cli_jobs
from api.cli import messages as cli_messages
from api.cli import sla as cli_sla
from api.cli import staff as cli_staff

if TYPE_CHECKING:  # imported late where they are used, so that --help is instant
    from api.database import Database
    from api.operations import Operations

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Firstline: answers from your help articles, with the source.",
    pretty_exceptions_enable=False,
)
keys = typer.Typer(no_args_is_help=True, help="API keys for programs that keep the articles.")
app.add_typer(keys, name="keys")
app.command("doctor")(cli_doctor.doctor)
app.command("work")(cli_jobs.work)
app.command("jobs")(cli_jobs.jobs)
app.add_typer(cli_staff.staff, name="staff")
app.add_typer(cli_messages.outbox, name="outbox")
app.add_typer(cli_messages.webhooks, name="webhooks")
app.add_typer(cli_sla.sla, name="sla")
app.add_typer(cli_golden.golden, name="golden")
app.command("lift")(cli_golden.lift)
app.add_typer(cli_guard.guard, name="guard")
app.add_typer(cli_guard.ledger, name="ledger")
app.add_typer(cli_guard.quarantine, name="quarantine")

SAMPLE = Path(__file__).parents[2] / "knowledge" / "sample"
SAMPLE_QUESTIONS = (
    "How do I get my money back for a yearly plan?",
    "my dashboard takes forever to load",
    "Wie lade ich Kolleginnen in meinen Arbeitsbereich ein?",
)


def main() -> None:
    """Run the command line; errors an operator can mend are one sentence, not a traceback."""
    try:
        app()
    except Exception as error:
        from api.troubles import explained

        sentence = explained(error)
        if sentence is None:
            raise
        fail(sentence)


def fail(sentence: str) -> NoReturn:
    """Say what is wrong and stop with exit code 2."""
    typer.echo(f"firstline: {sentence}", err=True)
    sys.exit(2)


@app.command()
def ingest(
    path: Annotated[Path, typer.Argument(help="A file or folder of Markdown, HTML, text, JSONL, CSV or JSON.")],
    source: Annotated[str, typer.Option(help="The name of where these come from; by default the folder's name.")] = "",
    prune: Annotated[bool, typer.Option("--prune", help="Retire the source's articles that are no longer there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also replace articles that a person edited since.")] = False,
) -> None:
    """Publish help articles and FAQs. Exit code 1 when something could not be read."""
    from api.cli.printing import ingest_progress, print_report
    from api.ingesting import Order, ingest

    if not path.exists():
        fail(f"there is no file or folder {path}")
    order = Order(path, source or path.resolve().stem, prune, dry_run, overwrite)
    with operations() as do, ingest_progress() as progress:
        report = ingest(order, do, progress)
    print_report(report, dry_run=dry_run)
    raise typer.Exit(1 if report.failed else 0)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What a visitor would write.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a question: the reply, its sources, how it ended, how sure, how long."""
    from api.cli.printing import print_answer

    _check(question)
    with operations() as do:
        print_answer(do.ask(question), as_json=as_json)


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="What to search for.")],
    explain: Annotated[bool, typer.Option("--explain", help="Show each method's scores, what was dropped and the decision.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The passages that may answer a question, best first."""
    from api.cli.printing import print_search

    _check(question)
    with operations() as do:
        print_search(do.explain(question), explain=explain, as_json=as_json)


@app.command()
def suggest(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make all groups of questions anew, even where it is not due.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from conversations and tickets: group open questions, and suggest to writers what is ready."""
    from api.cli.printing import print_learned

    with operations() as do:
        print_learned(do.suggest(rebuild=rebuild), as_json=as_json)


@app.command()
def lint(path: Annotated[Path, typer.Argument(help="A Markdown file or a folder of them.")]) -> None:
    """Check the house style of articles. Exit code 1 when there is something to mend."""
    from knowledge.lint import lint as complaints_of

    complaints = complaints_of(path)
    for complaint in complaints:
        typer.echo(f"{complaint.file}:{complaint.line}: {complaint.message} [{complaint.rule}]")
    typer.echo(f"{len(complaints)} to mend" if complaints else "nothing to mend", err=True)
    raise typer.Exit(1 if complaints else 0)


@app.command()
def reindex() -> None:
    """Build the index anew from the database, beside the old one, then swap."""
    with operations() as do:
        live = do.reindex(lambda done, of: typer.echo(f"\r{done} of {of} articles", nl=False, err=True))
    typer.echo(f"\n{live} passages are live")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; by default FIRSTLINE_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port; by default FIRSTLINE_PORT.", min=-1, max=65535)] = -1,
) -> None:
    """Answer visitors over HTTP."""
    _serve(host, port, questions=())


@app.command()
def demo(port: Annotated[int, typer.Option(help="Port; by default FIRSTLINE_PORT.", min=-1, max=65535)] = -1) -> None:
    """Read the sample help centre and answer visitors from it."""
    import os

    os.environ.setdefault("FIRSTLINE_PRODUCT", "Tallyboard")
    os.environ.setdefault("FIRSTLINE_CONTACT", "support@tallyboard.example")
    os.environ.setdefault("FIRSTLINE_TARGET_ERROR", "0.2")  # on this help centre 6 of 58 answered were wrong at this target
    _serve("", port, questions=SAMPLE_QUESTIONS)


def _serve(host: str, port: int, questions: tuple[str, ...]) -> None:
    from api.settings import from_environment

    settings = from_environment()  # a wrong one is told at once, before what takes seconds to import
    from api.bootstrap import running
    from api.cli.printing import ingest_progress, print_welcome
    from api.ingesting import Order, ingest
    from api.operations import LocalOperations
    from api.serving import configure_logs, first_admin, serve
    from api.staff.accounts import address

    listen = {**({"host": host} if host else {}), **({"port": port} if port >= 0 else {})}
    settings = settings.model_copy(update={"api": settings.api.model_copy(update=listen)})
    configure_logs(settings.api.log_level)
    with running(settings, announce=lambda line: typer.echo(line, err=True)) as service:
        if questions:
            with ingest_progress() as progress:
                ingest(Order(SAMPLE, "sample"), LocalOperations(service), progress)
        token = first_admin(service)
        serve(service, lambda url: print_welcome(url, questions, token and address(settings.api.public_url or url, token)))


@keys.command("create")
def create_key(name: Annotated[str, typer.Argument(help="What the key is for.")]) -> None:
    """Make a key and print it: it is shown this once."""
    from api import identity
    from api.bootstrap import new_id, new_secret, utc_now

    secret = f"fl_{new_secret()}"
    with database() as opened, opened.write() as session:
        identity.create_key(session, name=name, secret=secret, key_id=new_id(), now=utc_now())
    typer.echo(secret)


@keys.command("list")
def list_keys() -> None:
    """Every key by id and name, revoked ones included."""
    from sqlalchemy import select

    from api.tables import ApiKey

    with database() as opened, opened.read() as session:
        for key in session.scalars(select(ApiKey).order_by(ApiKey.created_at)):
            state = f"revoked {key.revoked_at.astimezone(UTC):%Y-%m-%d}" if key.revoked_at else "in use"
            typer.echo(f"{key.id}  {key.created_at.astimezone(UTC):%Y-%m-%d}  {state:20}  {key.name}")


@keys.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="The key's id, as `firstline keys list` shows it.")]) -> None:
    """Make a key useless from now on."""
    from api.bootstrap import utc_now
    from api.tables import ApiKey

    with database() as opened, opened.write() as session:
        key = session.get(ApiKey, key_id)
        if key is None:
            fail(f"there is no key {key_id}")
        key.revoked_at = key.revoked_at or utc_now()
    typer.echo(f"revoked {key.name}")


def _check(question: str) -> None:
    if not question.strip():
        fail("the question is empty")


@contextmanager
def operations() -> Iterator["Operations"]:
    """The operations done here, or by the server that owns the index."""
    from api.settings import from_environment

    settings = from_environment()  # a wrong one is told at once, before what takes seconds to import
    from api.bootstrap import IndexInUseError, running
    from api.operations import LocalOperations, RemoteOperations
    from api.serving import configure_logs

    configure_logs("warning")
    service = running(settings, announce=lambda line: typer.echo(line, err=True))
    try:
        opened = service.__enter__()
    except IndexInUseError as busy:
        if "url" not in busy.owner:
            raise
        yield RemoteOperations(busy.owner["url"], busy.owner["token"])
        return
    try:
        yield LocalOperations(opened)
    finally:
        service.__exit__(None, None, None)


@contextmanager
def database() -> Iterator["Database"]:
    """The database, open and at the present schema."""
    from api.database import Database
    from api.settings import from_environment

    opened = Database(from_environment().api.sql)
    try:
        opened.prepare()
        yield opened
    finally:
        opened.close()


if __name__ == "__main__":
    main()
