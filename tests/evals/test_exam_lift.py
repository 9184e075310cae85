"""The measure of lift keeps its word on invented histories."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from evals import lift_exam
from evals.lift_histories import World, history


def test_the_same_seed_gives_the_same_history():
    one, two = (history(World(0.5), np.random.default_rng(7)) for _ in range(2))
    assert (one.counts == two.counts).all()
    assert one.accepted == two.accepted


def test_a_group_that_enters_by_its_spike_was_asked_more_in_those_days_than_before():
    rng = np.random.default_rng(3)
    rises = []
    for _ in range(100):
        played = history(World(1.0, trend=False), rng)
        start, end = played.triggered
        rises.append(played.counts[start:end].mean() / max(played.counts[:start].mean(), 0.01))
    assert np.median(rises) > 1.3


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_with_trend_and_a_spike_the_interval_covers_and_the_verdict_is_right(ratio: float):
    assert lift_exam.play(World(ratio), 100).failures == []


@pytest.mark.slow
def test_every_bar_of_the_issue_holds_over_the_full_count():
    rows = lift_exam.exam()
    assert {row.world: row.failures for row in rows if row.failures} == {}
    page = StringIO()
    lift_exam.show(rows, Console(file=page, width=150))
    assert page.getvalue().count("ok") == len(lift_exam.GRADED)
