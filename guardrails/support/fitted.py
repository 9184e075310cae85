"""The fitted sum of what speaks for and against a claim: a logistic curve in which each sign may only count in its own direction.

`python -m evals.fit_grounding` writes the numbers; fitted/grounding.json keeps them with their provenance.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent.parent / "fitted" / "grounding.json"


@dataclass(frozen=True)
class Curve:
    """`thresholds` has, by the share of wrong sentences to be caught, the score below which a sentence is cut."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    thresholds: tuple[tuple[float, float], ...]

    def score(self, found: Mapping[str, float]) -> float:
        """From 0, surely unsupported, to 1; what was not measured (an encoder that is switched off) counts as usual."""
        values = np.array([found.get(name, mean) for name, mean in zip(self.features, self.means, strict=True)])
        logit = float((values - self.means) / self.spreads @ np.array(self.weights)) + self.bias
        return float(1.0 / (1.0 + np.exp(-np.clip(logit, -50.0, 50.0))))

    def threshold(self, caught: float) -> float:
        """The score to reach so that this share of our own wrong sentences, held out, is cut."""
        shares = [share for share, _ in self.thresholds]
        return float(np.interp(caught, shares, [threshold for _, threshold in self.thresholds]))


@dataclass(frozen=True)
class Fitted:
    """One curve for a claim in the language of its passages, one for a claim in another language."""

    same: Curve
    across: Curve


@cache
def shipped() -> Fitted:
    """The fit that comes with the product."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return Fitted(curve_from(stored["same"]), curve_from(stored["across"]))


def curve_from(stored: Mapping[str, object]) -> Curve:
    """What `dataclasses.asdict` made of a Curve and JSON kept."""
    return Curve(**{name: _frozen(value) for name, value in stored.items()})  # type: ignore[arg-type]


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
