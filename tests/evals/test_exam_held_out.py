"""Which fit a set is graded by."""

import json

from evals import held_out
from evals.fit_confidence import FITTED_ON, HELD_OUT
from knowledge.settings import KnowledgeSettings

SETTINGS = KnowledgeSettings()


def test_every_set_the_shipped_fit_was_made_from_is_graded_by_a_fit_without_it():
    stored = json.loads(HELD_OUT.read_text())["without"]
    for name in FITTED_ON:
        fitted, note = held_out.fit_without(name, SETTINGS)
        assert fitted.weights == tuple(stored[name]["weights"])
        assert f"without {name}" in note


def test_a_set_of_the_operators_own_is_graded_by_the_shipped_fit():
    _, note = held_out.fit_without("their_own", SETTINGS)
    assert "has not seen this set" in note


def test_the_operators_thresholds_hold():
    strict, _ = held_out.fit_without("techqa", KnowledgeSettings(target_error=0.01))
    loose, _ = held_out.fit_without("techqa", KnowledgeSettings(target_error=0.3, offer_from=0.05))
    assert loose.answer_from < strict.answer_from
    assert loose.unsure_from == 0.05
