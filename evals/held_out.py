"""The probability a set is graded with: of a fit that has not seen it, so that no set praises its own fit."""

import json
from dataclasses import replace

from evals.fit_confidence import FITTED_ON, HELD_OUT
from knowledge import confidence
from knowledge.confidence import Confidence
from knowledge.settings import KnowledgeSettings


def fit_without(name: str, settings: KnowledgeSettings) -> tuple[Confidence, str]:
    """A fit on everything but the set of that name, with the operator's thresholds, and one sentence on which it was.

    `fit_confidence` leaves out each set it knows in turn; any other set has not been seen by the shipped fit.
    """
    stored = json.loads(HELD_OUT.read_text(encoding="utf-8"))["without"] if HELD_OUT.exists() else {}
    if name in stored:
        fitted = replace(confidence.from_json(stored[name]), unsure_from=settings.offer_from)
        return fitted.for_target(settings.target_error), f"probabilities by the fit without {name} (held_out.json)"
    seen = "which has seen this set: run fit_confidence --write" if name in FITTED_ON else "which has not seen this set"
    shipped = confidence.load(target_error=settings.target_error, unsure_from=settings.offer_from)
    return shipped, f"probabilities by the shipped fit, {seen}"
