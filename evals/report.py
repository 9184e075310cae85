"""A report for people: tables in the terminal, and one HTML file that needs nothing else."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from evals.gate import Check, Difference, State, Threshold
from evals.page import render
from evals.results import Report, SetResult

NOTICED = 0.005  # a change of less is not listed unless asked for
LARGE = 10  # from here on one decimal is enough
PART = re.compile(r"@(?!\d+(?:@|$))")  # in a metric's name: what stands behind it names a part of the set; @10 is a rank


def show(report: Report, wanted: Sequence[Threshold], console: Console) -> None:
    """One table per set with the bar beside each number; parts of sets are counted, not listed."""
    by_name = {(t.set, t.metric): t for t in wanted}
    for result in report.sets:
        console.print(_table(result, by_name))
        for note in result.notes:
            console.print(f"  {note}", style="dim")
    for trouble in report.ungraded:
        console.print(f"not graded  {trouble.name}: {trouble.reason}", style="yellow")
    for trouble in report.broken:
        console.print(f"BROKEN      {trouble.name}: {trouble.reason}", style="bold red")


def show_checks(checks: Sequence[Check], console: Console) -> None:
    """What the gate asked and found; what was reached is only counted."""
    table = Table(*_names(), "wanted", "measured", "", title="Gate")
    for check in checks:
        if check.state is not State.REACHED:
            measured = shown(check.measure.value) if check.measure else "–"
            style = "red" if check.state is State.SHORT else "yellow"
            table.add_row(check.threshold.set, check.threshold.metric, check.threshold.wanted, measured, check.state, style=style)
    reached = sum(check.state is State.REACHED for check in checks)
    if table.row_count:
        console.print(table)
    console.print(f"{reached} of {len(checks)} thresholds reached")


def show_differences(differences: Sequence[Difference], console: Console, *, every: bool) -> None:
    """Now against the baseline; without `every` only what changed by .005 or more, or is new or gone."""
    table = Table(*_names(), "baseline", "now", "change", "beyond chance", title="Against the baseline")
    for d in differences:
        if every or d.change is None or abs(d.change) >= NOTICED:
            before, now = (shown(m.value) if m else "–" for m in (d.before, d.now))
            change = "–" if d.change is None else f"{d.change:+.3f}"
            table.add_row(d.set, d.metric, before, now, change, "yes" if d.beyond_chance else "")
    if table.row_count:
        console.print(table)
    console.print(f"{len(differences)} metrics compared, {table.row_count} shown")


def write_html(report: Report, wanted: Sequence[Threshold], file: Path) -> None:
    """Everything on one page: all metrics, the risk–coverage curves, what is broken and what went wrong."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(render(report, wanted), encoding="utf-8")


def shown(value: float) -> str:
    """A number with three decimals, or one when it is large."""
    return f"{value:.3f}" if abs(value) < LARGE else f"{value:.1f}"


def _names() -> list[Column]:
    """Columns that are never cut short: they hold what is looked for."""
    return [Column("set", overflow="fold"), Column("metric", overflow="fold")]


def _table(result: SetResult, by_name: dict[tuple[str, str], Threshold]) -> Table:
    table = Table("metric", title=result.name, title_justify="left", caption_justify="left", min_width=72)
    for name in ("value", "95 %", "n", "wanted"):
        table.add_column(name, justify="right")
    wanted_parts = {metric for of_set, metric in by_name if of_set == result.name}
    rows = [(name, m) for name, m in result.metrics.items() if not PART.search(name) or name in wanted_parts]
    for name, m in rows:
        threshold = by_name.get((result.name, name))
        style = "red" if threshold and not threshold.holds(m.value) else ""
        table.add_row(name, shown(m.value), f"{shown(m.low)}–{shown(m.high)}", str(m.n), _wanted(threshold), style=style)
    if hidden := len(result.metrics) - len(rows):
        table.caption = f"and {hidden} for parts of the set, in --json and --html"
    return table


def _wanted(threshold: Threshold | None) -> str:
    if threshold is None:
        return ""
    bar = f" (bar {threshold.bar:g})" if threshold.bar is not None and threshold.bar not in {threshold.at_least, threshold.at_most} else ""
    return threshold.wanted + bar
