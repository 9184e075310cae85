"""Thresholds written anew from a report."""

import json

from typer.testing import CliRunner

from evals import gate, settling
from evals.__main__ import app
from evals.gate import Threshold
from evals.results import Measure

MEASURED = {"a": {"up": Measure(0.51239, 0.4, 0.6, 9), "down": Measure(0.31231, 0.2, 0.4, 9)}}


def settled(threshold: Threshold) -> Threshold:
    (found,) = settling.settle([threshold], MEASURED)
    return found


def test_a_bar_that_is_reached_is_held_itself():
    assert settled(Threshold("a", "up", at_least=0.2, bar=0.5, measured=0.21, reason="old")) == Threshold("a", "up", at_least=0.5, bar=0.5)
    assert settled(Threshold("a", "down", at_most=0.5, bar=0.4)) == Threshold("a", "down", at_most=0.4, bar=0.4)


def test_a_bar_that_is_missed_is_held_just_below_the_measured_value_with_its_reason():
    found = settled(Threshold("a", "up", at_least=0.75, bar=0.75, reason="few words"))
    assert found == Threshold("a", "up", at_least=0.5023, bar=0.75, measured=0.5123, reason="few words")
    assert settled(Threshold("a", "down", at_most=0.05, bar=0.05)).at_most == 0.3224


def test_a_metric_without_a_bar_is_held_where_it_is():
    assert settled(Threshold("a", "up", at_least=0, measured=0.01, reason="held")).at_least == 0.5023


def test_sets_that_were_not_run_keep_their_thresholds():
    other = Threshold("b", "up", at_least=0.75, bar=0.75)
    assert settled(other) == other


def test_what_is_written_can_be_read_and_the_report_reaches_it(tmp_path):
    wanted = [Threshold("a", "up", at_least=0.75, bar=0.75, reason='a "quoted" \\ reason'), Threshold("a", "down", at_most=0.4, bar=0.4)]
    file = tmp_path / "thresholds.toml"
    settling.write(settling.settle(wanted, MEASURED), file)
    read = gate.thresholds(file)
    assert read == settling.settle(wanted, MEASURED)
    assert gate.passes(gate.check(MEASURED, read), MEASURED, every=True)


def test_a_file_that_is_no_report_settles_nothing(tmp_path):
    before = gate.THRESHOLDS.read_bytes()
    (tmp_path / "r.json").write_text(json.dumps({"figures": {}}))
    assert CliRunner().invoke(app, ["settle", str(tmp_path / "r.json")]).exit_code == 1
    assert gate.THRESHOLDS.read_bytes() == before
