"""What an accepted suggestion changed, and how sure that is."""

import numpy as np
import pytest

from knowledge.lift import History, Verdict, measure

WEEKS = 12
TRIGGERED = (WEEKS * 7 - 21, WEEKS * 7 - 7)


def history(
    *,
    before: int,
    after: int,
    weeks: int = WEEKS,
    triggered: int | None = None,
    others: tuple[int, int] = (40, 40),
    visitors: tuple[int, int] = (100, 100),
) -> History:
    """Daily counts that are the same every day of a side; `triggered` in the fortnight before the last week."""
    accepted = WEEKS * 7
    counts = np.array([before] * accepted + [after] * (weeks * 7))
    counts[slice(*TRIGGERED)] = before if triggered is None else triggered
    sides = [np.repeat(pair, [accepted, weeks * 7]) for pair in (visitors, others)]
    return History(counts, sides[0], sides[1], TRIGGERED, accepted)


def test_half_as_many_open_questions_is_help():
    lift = measure(history(before=4, after=2))
    assert lift.verdict is Verdict.HELPED
    assert lift.ratio == pytest.approx(0.5, abs=0.001)
    assert lift.low is not None
    assert lift.high is not None
    assert lift.low < 0.5 < lift.high < 1
    assert (lift.before.per_thousand, lift.after.per_thousand) == (40.0, 20.0)
    assert lift.expected == pytest.approx(4 * 7 * WEEKS, rel=0.2)


def test_as_many_as_before_is_no_effect_yet():
    lift = measure(history(before=4, after=4))
    assert lift.verdict is Verdict.NO_EFFECT
    assert lift.ratio == pytest.approx(1.0, abs=0.001)


def test_twice_as_many_is_harm():
    assert measure(history(before=4, after=8)).verdict is Verdict.HARMED


def test_more_than_long_before_but_less_than_when_it_was_suggested_is_no_harm():
    lift = measure(history(before=1, after=4, triggered=8))
    assert lift.new
    assert lift.verdict is Verdict.TOO_LITTLE


def test_the_days_that_made_it_a_suggestion_are_no_measure_of_the_time_before():
    calm, spiked = measure(history(before=4, after=4)), measure(history(before=4, after=4, triggered=9))
    assert spiked.ratio == pytest.approx(calm.ratio)
    assert spiked.verdict is not Verdict.HELPED


def test_what_changed_for_every_question_is_not_the_suggestions_doing():
    lift = measure(history(before=4, after=2, others=(40, 20)))
    assert lift.verdict is Verdict.NO_EFFECT
    assert lift.ratio == pytest.approx(1.0, abs=0.05)


def test_twice_the_visitors_with_twice_the_questions_is_no_effect():
    lift = measure(history(before=4, after=8, others=(40, 80), visitors=(100, 200)))
    assert lift.verdict is Verdict.NO_EFFECT
    assert lift.ratio == pytest.approx(1.0, abs=0.001)


def test_before_a_whole_week_has_passed_nothing_is_said():
    lift = measure(history(before=4, after=0, weeks=0))
    assert (lift.verdict, lift.ratio, lift.low, lift.high) == (Verdict.TOO_LITTLE, None, None, None)


def test_a_few_questions_are_too_little_data():
    few = history(before=0, after=0)
    few.counts[[3, 20, 80, 90, 120]] = 1
    lift = measure(few)
    assert lift.verdict is Verdict.TOO_LITTLE
    assert lift.high is not None
    assert lift.high > 1


def test_a_group_never_asked_before_has_no_upper_limit():
    late = history(before=0, after=1)
    lift = measure(late)
    assert lift.ratio is None
    assert lift.high is None
    assert lift.verdict is not Verdict.HELPED


def test_bursts_make_the_interval_wider():
    even, uneven = history(before=4, after=3), history(before=4, after=3)
    uneven.counts[:] = np.where(np.arange(len(uneven.counts)) // 7 % 2, 0, 2 * uneven.counts)
    calm, bursts = measure(even), measure(uneven)
    assert bursts.spread > calm.spread == 1.0
    assert calm.high is not None
    assert bursts.high is not None
    assert bursts.high > calm.high


def test_a_desk_without_any_other_open_question_still_gets_a_verdict():
    assert measure(history(before=4, after=1, others=(0, 0))).verdict is Verdict.HELPED


def test_days_without_conversations_divide_nothing_by_zero():
    lift = measure(history(before=0, after=0, visitors=(0, 0), others=(0, 0)))
    assert lift.verdict is Verdict.TOO_LITTLE
