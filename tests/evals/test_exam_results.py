"""The stored shape of a report, and what holds it against thresholds and a baseline."""

import json
from pathlib import Path

import pytest

from evals import gate, results
from evals.gate import BrokenThresholds, State, Threshold
from evals.results import BrokenReport, Measure, Report, SetResult, Trouble

HALF = Measure(0.5, 0.4, 0.6, 100)
MEASURED = {"retrieval/shop": {"hit@1": HALF, "ece": Measure(0.04, 0.02, 0.06, 100)}}


def thresholds_in(folder: Path, text: str) -> Path:
    file = folder / "thresholds.toml"
    file.write_text(text, encoding="utf-8")
    return file


def checked(*wanted: Threshold, every: bool = False) -> bool:
    return gate.passes(gate.check(MEASURED, list(wanted)), MEASURED, every=every)


def test_a_report_is_stored_as_sets_of_metrics_and_nothing_else(tmp_path):
    report = Report((SetResult("retrieval/shop", {"hit@1": HALF}),), troubles=(Trouble("retrieval/x", "is empty"),))
    results.write(report, tmp_path / "new" / "report.json")
    stored = json.loads((tmp_path / "new" / "report.json").read_text())
    assert stored == {"sets": {"retrieval/shop": {"metrics": {"hit@1": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}}}}}


def test_a_stored_report_reads_back_as_it_was(tmp_path):
    results.write(Report((SetResult("retrieval/shop", {"hit@1": HALF}),)), tmp_path / "r.json")
    assert results.read(tmp_path / "r.json") == {"retrieval/shop": {"hit@1": HALF}}


def test_what_could_not_be_measured_is_left_out():
    assert results.known([("auc", Measure(float("nan"), 0, 1, 5)), ("hit@1", Measure(0, 0, 1, 0)), ("ece", HALF)]) == {"ece": HALF}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sets": []}', '{"sets": {"a": {"metrics": {"m": 1}}}}'])
def test_a_file_that_is_no_report_is_named(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(BrokenReport, match=r"r\.json"):
        results.read(tmp_path / "r.json")


def test_a_missing_report_is_named(tmp_path):
    with pytest.raises(BrokenReport, match="cannot be read"):
        results.read(tmp_path / "none.json")


def test_the_gate_lets_a_value_equal_to_its_threshold_pass():
    assert checked(Threshold("retrieval/shop", "hit@1", at_least=0.5))
    assert checked(Threshold("retrieval/shop", "ece", at_most=0.04))


def test_the_gate_stops_a_value_on_the_wrong_side():
    assert not checked(Threshold("retrieval/shop", "hit@1", at_least=0.51))
    assert not checked(Threshold("retrieval/shop", "ece", at_most=0.03))


def test_a_metric_missing_from_a_graded_set_fails_the_gate():
    good = Threshold("retrieval/shop", "hit@1", at_least=0.1)
    assert not checked(good, Threshold("retrieval/shop", "auc", at_least=0.1))


def test_a_set_that_was_not_graded_fails_only_when_all_are_asked_for():
    wanted = [Threshold("retrieval/shop", "hit@1", at_least=0.1), Threshold("retrieval/other", "hit@1", at_least=0.1)]
    assert checked(*wanted)
    assert not checked(*wanted, every=True)
    assert gate.check(MEASURED, wanted)[1].state is State.MISSING


def test_a_report_of_which_nothing_is_asked_does_not_pass():
    assert not checked(Threshold("retrieval/other", "hit@1", at_least=0.1))


def test_a_threshold_is_the_bar_or_the_measured_value_less_a_hundredth(tmp_path):
    file = thresholds_in(
        tmp_path,
        '["retrieval/shop"]\n"hit@1" = {at_least = 0.5, bar = 0.5}\n'
        '"ece" = {at_most = 0.05, bar = 0.03, measured = 0.04, reason = "few"}\n',
    )
    assert [t.wanted for t in gate.thresholds(file)] == ["≥ 0.5", "≤ 0.05"]
    assert [t.metric for t in gate.missed_bars(gate.thresholds(file))] == ["ece"]


@pytest.mark.parametrize(
    "entry",
    [
        "{at_least = 0.4, bar = 0.5}",
        '{at_least = 0.3, bar = 0.5, measured = 0.45, reason = "why"}',
        "{at_least = 0.44, bar = 0.5, measured = 0.45}",
        "{at_least = 0.5, at_most = 0.6, bar = 0.5}",
        "{bar = 0.5}",
        "{at_leest = 0.5, bar = 0.5}",
    ],
)
def test_a_threshold_without_its_reason_is_refused_by_name(tmp_path, entry):
    with pytest.raises(BrokenThresholds, match="hit@1"):
        gate.thresholds(thresholds_in(tmp_path, f'["retrieval/shop"]\n"hit@1" = {entry}\n'))


def test_the_shipped_thresholds_can_be_read_and_the_shipped_baseline_reaches_them():
    wanted = gate.thresholds()
    measured = results.read(gate.BASELINE)
    assert gate.passes(gate.check(measured, wanted), measured, every=True)


def test_a_difference_within_the_intervals_is_chance():
    before = {"a": {"m": HALF, "gone": HALF}, "not run": {"m": HALF}}
    now = {"a": {"m": Measure(0.55, 0.45, 0.65, 100), "new": HALF}}
    by_name = {d.metric: d for d in gate.compare(now, before)}
    assert by_name.keys() == {"m", "new", "gone"}
    assert by_name["m"].change == pytest.approx(0.05)
    assert not by_name["m"].beyond_chance
    assert by_name["new"].change is None


def test_a_difference_beyond_both_intervals_is_marked():
    (difference,) = gate.compare({"a": {"m": Measure(0.8, 0.7, 0.9, 100)}}, {"a": {"m": HALF}})
    assert difference.beyond_chance
