"""The exam's command line: run, gate, compare, settle, bench, and the knowledge loop's exams of `loop_commands`."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from evals import loop_commands

HELP = "The exam: how well Firstline finds, answers, declines and guards, and how fast."
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=HELP)
app.add_typer(loop_commands.app)

Data = Annotated[Path | None, typer.Option(help="A folder of sets: retrieval/NAME/, guardrails/NAME.jsonl, …; without it only our own.")]
Material = Annotated[Path, typer.Option(help="A folder with corpora/, retrieval/ and intents/ to make passages and questions of.")]
Only = Annotated[list[str] | None, typer.Option(help="A set or a kind of sets, such as own or retrieval/techqa; may be repeated.")]
ChatModel = Annotated[str, typer.Option(help="Also grade answers written by this model, as in FIRSTLINE_CHAT_MODEL, beside the quoted.")]
Json = Annotated[Path | None, typer.Option(help="Write the numbers here.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with everything here.")]
Cache = Annotated[Path, typer.Option(help="Where vectors and models are kept between runs.")]
Stored = Annotated[Path, typer.Argument(help="A report of `run --json`.")]
Baseline = Annotated[Path | None, typer.Argument(help="Another report; by default evals/baseline.json.")]
Every = Annotated[bool, typer.Option("--all", help="Also fail for sets that are not in the report.")]
Unchanged = Annotated[bool, typer.Option("--all", help="Also list what did not change.")]
Scale = Annotated[int, typer.Option(help="Passages of the large index, synthetic ones included; 0: none.", min=0, max=1_000_000)]
Histories = Annotated[int, typer.Option(help="Invented histories of each kind.", min=20, max=100_000)]
Changes = Annotated[int, typer.Option(help="How many of them.", min=1, max=1000)]
Seed = Annotated[int, typer.Option(help="Where chance starts; another one gives other histories.", min=0)]


@app.command()
def run(
    *,
    data: Data = None,
    json: Json = None,
    html: Html = None,
    only: Only = None,
    cache: Cache = Path("build/evals"),
    chat_model: ChatModel = "",
) -> None:
    """Grade our own examples and every set found under DATA. Exit code 1 when a set is broken."""
    from rich.console import Console  # noqa: PLC0415

    from api.chat import ChatModelError  # noqa: PLC0415
    from api.settings import from_environment  # noqa: PLC0415
    from evals import gate, report, results, runner  # noqa: PLC0415
    from evals.folders import BrokenSet  # noqa: PLC0415
    from guardrails.support.entailment import UnusableModel  # noqa: PLC0415

    console, aside = Console(), Console(stderr=True)
    settings = from_environment()
    plan = runner.Run(
        runner.quoting(settings), data, only or (), cache, lambda line: aside.print(line, style="dim"), chat_model, judged=settings
    )
    try:
        done = runner.run(plan)
    except (BrokenSet, ChatModelError, UnusableModel) as trouble:
        _fail(str(trouble))
    wanted = gate.thresholds()
    if json:
        results.write(done, json)
    if html:
        report.write_html(done, wanted, html)
    report.show(done, wanted, console)
    raise typer.Exit(1 if done.broken else 0)


@app.command("gate")
def check(report: Stored, *, every: Every = False) -> None:
    """Hold a report against thresholds.toml. Exit code 1 when a metric falls short."""
    from rich.console import Console  # noqa: PLC0415

    from evals import gate, results  # noqa: PLC0415
    from evals.report import show_checks  # noqa: PLC0415

    try:
        measured = results.read(report)
        checks = gate.check(measured, gate.thresholds())
    except (results.BrokenReport, gate.BrokenThresholds) as trouble:
        _fail(str(trouble))
    show_checks(checks, Console())
    raise typer.Exit(0 if gate.passes(checks, measured, every=every) else 1)


@app.command()
def compare(report: Stored, baseline: Baseline = None, *, every: Unchanged = False) -> None:
    """Show how a report differs from the baseline."""
    from rich.console import Console  # noqa: PLC0415

    from evals import gate, results  # noqa: PLC0415
    from evals.report import show_differences  # noqa: PLC0415

    try:
        differences = gate.compare(results.read(report), results.read(baseline or gate.BASELINE))
    except results.BrokenReport as trouble:
        _fail(str(trouble))
    show_differences(differences, Console(), every=every)


@app.command()
def settle(report: Stored) -> None:
    """Write thresholds.toml and baseline.json anew from a report: each metric at its bar, or just below what was measured."""
    from evals import gate, results, settling  # noqa: PLC0415

    try:
        measured = results.read(report)
        settling.write(settling.settle(gate.thresholds(), measured), gate.THRESHOLDS)
    except (results.BrokenReport, gate.BrokenThresholds) as trouble:
        _fail(str(trouble))
    gate.BASELINE.write_bytes(report.read_bytes())


@app.command()
def bench(*, data: Material, json: Json = None, scale: Scale = 100_000, cache: Cache = Path("build/evals")) -> None:
    """Measure speed and size, each beside a reference of the same run. Takes about a quarter of an hour."""
    from rich.console import Console  # noqa: PLC0415

    from api.settings import from_environment  # noqa: PLC0415
    from evals import bench as benchmark  # noqa: PLC0415
    from evals.material import MissingMaterial  # noqa: PLC0415
    from evals.visiting import ServerFailed  # noqa: PLC0415

    aside = Console(stderr=True)
    plan = benchmark.Plan(data, cache, scale=scale)
    try:
        done = benchmark.bench(plan, from_environment({}), lambda line: aside.print(line, style="dim"))
    except (MissingMaterial, ServerFailed) as trouble:
        _fail(str(trouble))
    benchmark.show(done, Console())
    if json:
        benchmark.write(done, json)


@app.command()
def lift(*, histories: Histories = 200, seed: Seed = 20261127) -> None:
    """Play invented histories of accepted suggestions and see whether the measured lift holds the truth. Exit code 1 below a bar."""
    from rich.console import Console  # noqa: PLC0415

    from evals import lift_exam  # noqa: PLC0415

    rows = lift_exam.exam(histories, seed=seed)
    lift_exam.show(rows, Console(width=150))
    raise typer.Exit(1 if any(row.failures for row in rows) else 0)


@app.command()
def freshness(*, changes: Changes = 40, cache: Cache = Path("build/evals")) -> None:
    """Publish and retract FAQs on a server of its own: seconds until answered, and until gone. Exit code 1 over 5 s (p95)."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import freshness as fresh  # noqa: PLC0415
    from evals.visiting import ServerFailed  # noqa: PLC0415

    try:
        done = fresh.measure(from_environment({}), cache, changes)
    except ServerFailed as trouble:
        _fail(str(trouble))
    for name, values in (("published, answered", done.published), ("retracted, gone", done.retracted)):
        shown = ", ".join(f"p{share} {fresh.percentile(values, share):.2f} s" for share in (50, 95, 100))
        typer.echo(f"{name}: {shown} ({len(values)} changes; bar: p95 at most {fresh.LIMIT:.0f} s)")
    raise typer.Exit(1 if done.failures else 0)


@app.command("library-pages")
def library_pages(*, count: Changes = 300, requests: Changes = 40, cache: Cache = Path("build/evals")) -> None:
    """Time the library's pages with so many articles and suggestions. Exit code 1 over 300 ms (p95)."""
    from api.settings import from_environment  # noqa: PLC0415
    from evals import library_bench  # noqa: PLC0415

    found = library_bench.measure(from_environment({}), cache, count, requests)
    for one in found:
        typer.echo(one.row())
    raise typer.Exit(1 if any(one.slow for one in found) else 0)


def _fail(sentence: str) -> NoReturn:
    """Say what is wrong and stop with exit code 1."""
    typer.echo(f"evals: {sentence}", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
