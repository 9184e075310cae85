"""What the command line prints, for a person or as JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.ingesting import Report
from api.operations import Asked
from guardrails.explain import Explanation
from guardrails.replay import ReplayReport
from knowledge.publishing import Change


@contextmanager
def ingest_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error with throughput and time to go."""
    columns = (TextColumn("Reading articles"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, rate="")

        def tell(done: int, of: int) -> None:
            speed = progress.tasks[0].speed
            progress.update(task, completed=done, total=of, rate=f"{speed:.0f} a second" if speed else "")

        yield tell


def print_report(report: Report, *, dry_run: bool) -> None:
    """The closing table, and the reasons behind what failed."""
    console = Console()
    table = Table(show_header=False, box=None)
    for change in Change:
        table.add_row(change.value, str(report.counts[change]))
    if dry_run:
        console.print("What would happen:")
    console.print(table)
    for line in report.troubles:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    for line in report.cautions[:20]:
        console.print(f"  left out: {line}", markup=False, highlight=False, soft_wrap=True)
    if len(report.cautions) > 20:  # noqa: PLR2004
        console.print(f"  … and {len(report.cautions) - 20} more left out")
    console.print(f"{sum(report.counts.values())} in {report.seconds:.1f} s, {report.per_second:.1f} a second")


def print_answer(asked: Asked, *, as_json: bool) -> None:
    """The reply with its numbered sources, then how it ended."""
    if as_json:
        typer.echo(json.dumps(asdict(asked), ensure_ascii=False))
        return
    console = Console()
    console.print(Markdown(asked.text))
    for choice in asked.choices:
        console.print(f"  • {choice['title']}", markup=False, highlight=False)
        if choice.get("preview"):
            console.print(f"    {choice['preview']}", markup=False, highlight=False, style="dim")
    for source in asked.sources:
        console.print(f"\n\\[{source['number']}] {source['title']}  {source['url']}", highlight=False, soft_wrap=True)
    sure = "" if asked.probability is None else f" · {asked.probability:.0%} sure"
    by = f" · written by {asked.written}, every sentence checked against its source" if asked.written else ""
    console.print(f"\n{asked.outcome}{by}{sure} · {asked.milliseconds:.0f} ms", style="dim", highlight=False)


def print_search(explained: dict[str, Any], *, explain: bool, as_json: bool) -> None:
    """The passages found; with `explain` each method's score, the features and what was dropped."""
    if as_json:
        typer.echo(json.dumps(explained, ensure_ascii=False))
        return
    console = Console()
    methods = sorted({name for hit in explained["passages"] for name in hit["scores"]}) if explain else []
    table = Table("", "article", "score", *methods, box=None)
    for rank, hit in enumerate(explained["passages"], start=1):
        scores = [f"{hit['scores'][m]:.3f}" if m in hit["scores"] else "–" for m in methods]
        table.add_row(str(rank), hit["title"], f"{hit['score']:.3f}", *scores)
    console.print(table)
    console.print(f"decision: {explained['decision']}, probability {explained['probability']:.3f}", highlight=False)
    if explain:
        console.print(f"language: {explained['language'] or 'not told'}", highlight=False)
        for name, value in explained["features"].items():
            console.print(f"  {name}: {value:.4f}", highlight=False)
        console.print(f"dropped, not live: {len(explained['dropped'])}", highlight=False)


def print_welcome(url: str, questions: tuple[str, ...], first_admin: str) -> None:
    """Where the server is, what to try, and the link for the first admin where there is none."""
    typer.echo(f"Firstline answers on {url}")
    if first_admin:
        typer.echo("Nobody can sign in yet. Make the first admin's account here, once; the next start prints another link:")
        typer.echo(f"  {first_admin}")
    if questions:
        typer.echo("Three questions to try, in another terminal:")
        for question in questions:
            typer.echo(f'  .venv/bin/firstline ask "{question}"')
        typer.echo("Stop with Ctrl-C.")


def print_guard_explanation(explained: Explanation) -> None:
    """What was decided, each policy's score beside its threshold, and the examples that are nearest."""
    console = Console()
    verdict = explained.verdict
    decided = f"{verdict.action.value} by {verdict.policy}" if verdict.action else "allowed"
    console.print(f"{decided}", style="bold", highlight=False)
    for finding in verdict.findings:
        part = explained.text[finding.span[0] : finding.span[1]]
        mode = "" if finding.enforced else " (shadow)"
        console.print(
            f"  {finding.policy}{mode} {finding.score:.2f}: {finding.reason}: {part!r}", markup=False, highlight=False, soft_wrap=True
        )
    if verdict.action and verdict.action.blocks and verdict.allowed:
        console.print(f"  still answered: {verdict.allowed!r}", markup=False, highlight=False, soft_wrap=True)
    if explained.said:
        console.print(f"  said: {explained.said}", markup=False, highlight=False, soft_wrap=True)
    table = Table("policy", "message", "highest sentence", "threshold", box=None)
    for score in explained.scores[:6]:
        table.add_row(score.policy, f"{score.whole:.2f}", f"{score.highest:.2f}", f"{score.threshold:.2f}")
    console.print(table)
    for near in explained.nearest:
        kind = "example" if near.caught else "allowed"
        console.print(
            f"  {near.likeness:.2f} {near.policy or 'ordinary'} {kind}: {near.text[:100]}", markup=False, highlight=False, soft_wrap=True
        )


def print_replay(report: ReplayReport) -> None:
    """How many messages other policies would decide otherwise, with the first of each kind."""
    console = Console()
    console.print(f"{report.messages} messages, {report.unchanged} decided the same way")
    for title, changes in (
        ("newly blocked", report.newly_blocked),
        ("newly allowed", report.newly_allowed),
        ("otherwise", report.otherwise),
    ):
        console.print(f"{title}: {len(changes)}")
        for change in changes[:10]:
            line = f"  {change.number}: {change.before or 'allowed'} → {change.after or 'allowed'} ({change.policy}): {change.text[:120]}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_learned(learned: Mapping[str, Any], *, as_json: bool) -> None:
    """What `firstline suggest` found and did, in sentences."""
    if as_json:
        typer.echo(json.dumps(learned, ensure_ascii=False))
        return
    for sentence in learned_in_words(learned):
        typer.echo(sentence)


def learned_in_words(learned: Mapping[str, Any]) -> list[str]:
    """The same as sentences: what is new, what was suggested, and why the rest was not."""
    told = [f"{learned['new']} new open questions; {learned['placed']} placed in groups."]
    if learned["groups"] is not None:
        told.append(f"All groups were made anew: there are {learned['groups']}.")
    if learned["woken"] or learned["expired"]:
        told.append(f"{learned['woken']} suggestions woke up, {learned['expired']} expired.")
    if learned["wordings"]:
        told.append(f"{learned['wordings']} FAQs learned how people ask for them.")
    told += [f"Suggested: {title}" for title in learned["suggested"]]
    told += [f"{count} groups are not suggested: {reason}." for reason, count in sorted(learned["not_ready"].items())]
    return told if learned["suggested"] else [*told, "Nothing new is suggested."]
