"""How sure we are that the best passages answer the question: a calibrated probability and three bands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

FITTED = Path(__file__).parent / "fitted" / "confidence.json"

FEATURES = ("meaning", "title", "margin")


class Band(StrEnum):
    """What may be done with the passages."""

    ANSWER = "answer"
    UNSURE = "unsure"  # offer the nearest titles as choices, not as citations
    NOT_COVERED = "not_covered"


@dataclass(frozen=True)
class Confidence:
    """A logistic curve over features, and the thresholds between the bands."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    answer_from: float
    unsure_from: float

    def probability(self, features: Mapping[str, float]) -> float:
        """That the top passages answer the question, 0 to 1."""
        centred = (np.array([features.get(name, 0.0) for name in self.features]) - np.asarray(self.means)) / np.asarray(self.spreads)
        return float(1.0 / (1.0 + np.exp(-(centred @ np.asarray(self.weights) + self.bias))))

    def band(self, probability: float) -> Band:
        """Which of the three bands a probability falls in."""
        if probability >= self.answer_from:
            return Band.ANSWER
        return Band.UNSURE if probability >= self.unsure_from else Band.NOT_COVERED


def plain_confidence() -> Confidence:
    """Before anything is fitted: a cosine of .5 is as good as a coin."""
    return Confidence(FEATURES, (0.5, 0.5, 0.0), (0.15, 0.2, 0.1), (1.5, 0.7, 0.3), 0.0, 0.7, 0.35)


def load(file: Path = FITTED) -> Confidence:
    """The shipped fit."""
    if not file.exists():
        return plain_confidence()
    stored = json.loads(file.read_text(encoding="utf-8"))["confidence"]
    return Confidence(**{key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()})
