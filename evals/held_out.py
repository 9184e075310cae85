"""The probability a set is graded with: of a fit that has not seen it, so that no set praises its own fit."""

import json

from evals.fit_confidence import FITTED_ON, HELD_OUT
from knowledge import confidence
from knowledge.confidence import Confidence


def fit_without(name: str, target_error: float) -> tuple[Confidence, str]:
    """A fit on everything but the set of that name, and one sentence on which it was.

    `fit_confidence` leaves out each set it knows in turn; any other set has not been seen by the shipped fit.
    """
    stored = json.loads(HELD_OUT.read_text(encoding="utf-8"))["without"] if HELD_OUT.exists() else {}
    if name in stored:
        return confidence.from_json(stored[name]).for_target(target_error), f"probabilities by the fit without {name} (held_out.json)"
    seen = "which has seen this set: run fit_confidence --write" if name in FITTED_ON else "which has not seen this set"
    return confidence.load(target_error=target_error), f"probabilities by the shipped fit, {seen}"
