"""Measures worked out by hand."""

import pytest

from evals import scorers
from evals.scorers import Asked


def asked(gold: str = "", ranked: str = "", probability: float = 0.5, cited: str = "", offered: str = "", **more) -> Asked:
    """A question; articles are single letters."""
    return Asked("?", bool(gold), frozenset(gold), tuple(ranked), probability, tuple(cited), tuple(offered), **more)


def test_hits_count_the_first_right_article_within_k():
    found = scorers.finding([asked("a", "abc"), asked("b", "abc"), asked("z", "abcdef"), asked(ranked="abc")])
    assert found["hit@1"].value == pytest.approx(1 / 3)
    assert found["hit@5"].value == pytest.approx(2 / 3)
    assert found["mrr@10"].value == pytest.approx((1 + 1 / 2) / 3)
    assert found["hit@1"].n == 3


def test_ndcg_is_one_when_all_right_articles_stand_first():
    assert scorers.finding([asked("ab", "bac")])["ndcg@10"].value == pytest.approx(1)


def test_an_interval_holds_its_value_and_narrows_with_more_questions():
    few, many = (scorers.share([True, False] * n) for n in (5, 500))
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low


def test_wrong_is_an_answer_from_another_article_or_to_what_nothing_answers():
    rows = [asked("a", "a", cited="a"), asked("a", "b", cited="ba"), asked(ranked="a", cited="a"), asked("a", "a")]
    found = scorers.knowing(rows)
    assert found["coverage"].value == pytest.approx(3 / 4)
    assert found["error_at_target"].value == pytest.approx(2 / 3)
    assert found["cites_gold"].value == pytest.approx(2 / 3)
    assert found["answered_unanswerable"].value == 1


def test_an_offered_right_article_counts_for_answer_or_offer_but_not_for_coverage():
    found = scorers.knowing([asked("a", "ba", offered="ba"), asked("a", "b", offered="b")])
    assert found["answer_or_offer"].value == pytest.approx(1 / 2)
    assert found["coverage"].value == 0
    assert "error_at_target" not in found


def test_auc_is_left_out_where_everything_is_answerable():
    assert "auc" not in scorers.knowing([asked("a", "a"), asked("b", "b")])


def test_a_model_that_is_sure_and_right_has_no_calibration_error():
    rows = [asked("a", "a", probability=1.0)] * 20 + [asked(ranked="a", probability=0.0)] * 20
    found = scorers.knowing(rows)
    assert found["ece"].value == 0
    assert found["auc"].value == 1
    assert found["ece_excess"].value <= 0


def test_a_model_that_is_sure_and_wrong_exceeds_what_chance_explains():
    assert scorers.knowing([asked("a", "b", probability=0.95)] * 30)["ece_excess"].value > 0.8


def test_parts_are_named_behind_the_metric():
    rows = [asked("a", "a", parts=("hub=true",)), asked("a", "b", parts=("hub=false",))]
    found = scorers.by_part(rows, scorers.finding)
    assert (found["hit@1"].value, found["hit@1@hub=true"].value, found["hit@1@hub=false"].value) == (0.5, 1, 0)


def test_the_curve_goes_from_the_surest_question_to_all_of_them():
    rows = [asked("a", "a" if n < 50 else "b", probability=1 - n / 100) for n in range(100)]
    points = scorers.curve(rows)
    assert points[0][1] == 0
    assert points[-1][0] == pytest.approx(1, abs=0.05)
    assert points[-1][1] == pytest.approx(0.5, abs=0.05)


def test_no_questions_give_no_measures():
    assert scorers.finding([]) == {}
    assert scorers.knowing([]) == {}
    assert scorers.curve([]) == ()
