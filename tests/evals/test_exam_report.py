"""What people see of a run."""

from rich.console import Console

from evals import report
from evals.gate import Check, Difference, State, Threshold
from evals.page import render
from evals.results import Measure, Report, SetResult, Trouble

HALF = Measure(0.5, 0.4, 0.6, 100)
RESULT = SetResult("retrieval/shop", {"hit@1": HALF, "hit@1@hub=true": HALF}, ("by a note",), ((0.1, 0.0), (1.0, 0.6)), ("<b>miss</b>",))
REPORT = Report((RESULT,), (Trouble("retrieval/torn", "line 3"), Trouble("poems/odes", "no grader", broken=False)))
WANTED = [Threshold("retrieval/shop", "hit@1", at_least=0.6, bar=0.6)]


def printed(show) -> str:
    console = Console(record=True, width=160, file=None, quiet=True)
    with console.capture() as got:
        console.quiet = False
        show(console)
    return got.get()


def test_the_table_shows_value_interval_and_what_is_wanted_and_names_what_was_not_graded():
    text = printed(lambda console: report.show(REPORT, WANTED, console))
    for part in ("hit@1", "0.500", "0.400–0.600", "≥ 0.6", "by a note", "BROKEN", "line 3", "not graded", "poems/odes"):
        assert part in text
    assert "hub=true" not in text
    assert "and 1 for parts of the set" in text


def test_the_page_needs_nothing_from_outside_and_escapes_what_strangers_wrote():
    page = render(REPORT, WANTED)
    assert "http" not in page
    assert "src=" not in page
    assert "&lt;b&gt;miss&lt;/b&gt;" in page
    assert "hit@1@hub=true" in page
    assert 'class="short"' in page


def test_the_curve_is_drawn_once_for_each_set_that_has_one():
    assert render(Report((RESULT, SetResult("own/x", {"hit@1": HALF}))), []).count("<polyline") == 1


def test_the_gate_lists_what_falls_short_and_counts_the_rest():
    checks = [Check(WANTED[0], State.SHORT, HALF), Check(Threshold("a", "b", at_most=1), State.REACHED, HALF)]
    text = printed(lambda console: report.show_checks(checks, console))
    assert "falls short" in text
    assert "1 of 2 thresholds reached" in text


def test_small_differences_are_listed_only_on_request():
    small = Difference("a", "m", Measure(0.501, 0.4, 0.6, 9), HALF)
    assert "+0.001" not in printed(lambda console: report.show_differences([small], console, every=False))
    assert "+0.001" in printed(lambda console: report.show_differences([small], console, every=True))
