"""The README's numbers are those of the last settled report."""

from evals.readme import README, ROWS, guard_table, with_guards
from evals.results import Measure


def test_the_guard_table_says_what_the_baseline_says() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_guards(text) == text


def test_a_row_shows_value_interval_count_and_bar() -> None:
    row = ROWS[0]
    table = guard_table({row.set: {row.metric: Measure(0.92, 0.81, 1.0, 50)}})
    assert table.splitlines()[2:] == ["| legal advice caught | .920 | .810 to 1.000 | 50 | ≥ .97 |"]
