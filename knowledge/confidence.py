"""How sure we are that the best passages answer the question: a calibrated probability and three bands.

A logistic curve over a few features of the ranking, then Kull's beta calibration (2017) fitted on sets the
curve has not seen. `python -m evals.fit_confidence` writes the numbers; fitted/confidence.json keeps them
with their provenance.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from knowledge.ranking import Evidence, Method, Numbers, Ranking

FITTED = Path(__file__).parent / "fitted" / "confidence.json"
TARGET = 0.05  # share of wrong answers among the answered, unless the operator says otherwise

# The field: what a best passage is compared with. The first few rivals may be twins or say the same.
RIVALS = 4  # articles after the best ones that do not count as the field
FIELD = 15  # … up to this place
PASSAGE_RIVALS, PASSAGE_FIELD = 5, 30
# A small library has no field; these, about the means over the fitting sets, stand in for what is missing.
USUAL_SCORE, USUAL_COSINE = 0.50, 0.30
CLIP = 1e-4  # probabilities are kept this far from 0 and 1 before their logarithm is taken


class Band(StrEnum):
    """What may be done with the passages."""

    ANSWER = "answer"
    UNSURE = "unsure"  # offer the nearest titles as choices, not as citations
    NOT_COVERED = "not_covered"


@dataclass(frozen=True)
class Confidence:
    """The fitted numbers. `thresholds` has the probability from which to answer by target error, strictest first."""

    features: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    beta: tuple[float, float, float]
    thresholds: tuple[tuple[float, float], ...]
    answer_from: float
    unsure_from: float

    def probability(self, features: Mapping[str, float]) -> float:
        """That the top passages answer the question, 0 to 1."""
        values = np.array([features.get(name, mean) for name, mean in zip(self.features, self.means, strict=True)])
        logit = float((values - self.means) / self.spreads @ np.array(self.weights)) + self.bias
        raw = float(np.clip(_logistic(logit), CLIP, 1.0 - CLIP))
        a, b, c = self.beta
        return _logistic(float(a * np.log(raw) - b * np.log(1.0 - raw) + c))

    def band(self, probability: float) -> Band:
        """Which of the three bands a probability falls in."""
        if probability >= self.answer_from:
            return Band.ANSWER
        return Band.UNSURE if probability >= self.unsure_from else Band.NOT_COVERED

    def for_target(self, error: float) -> "Confidence":
        """The same with the threshold for another target error; between two fitted targets, in proportion."""
        targets = [target for target, _ in self.thresholds]
        answer_from = float(np.interp(error, targets, [threshold for _, threshold in self.thresholds]))
        return replace(self, answer_from=answer_from, unsure_from=min(self.unsure_from, answer_from))


def _logistic(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -50.0, 50.0))))


def plain_confidence() -> Confidence:
    """Nothing fitted: a cosine of .5 is as good as a coin. For tests with stand-in encoders."""
    features, spreads = ("meaning", "title"), (0.15, 0.20)
    thresholds = ((0.01, 0.9), (0.05, 0.7), (0.5, 0.4))
    return Confidence(features, (0.5, 0.5), spreads, (1.5, 0.7), 0.0, (1.0, 1.0, 0.0), thresholds, 0.7, 0.35)


def load(file: Path = FITTED, target_error: float = TARGET, unsure_from: float | None = None) -> Confidence:
    """The shipped fit with the threshold for a target error, and perhaps another lower end of the unsure band."""
    fitted = from_json(json.loads(file.read_text(encoding="utf-8"))["confidence"])
    return (fitted if unsure_from is None else replace(fitted, unsure_from=unsure_from)).for_target(target_error)


def from_json(stored: Mapping[str, object]) -> Confidence:
    """What `dataclasses.asdict` made of a Confidence and JSON kept."""
    return Confidence(**{name: _frozen(value) for name, value in stored.items()})  # type: ignore[arg-type]


def _frozen(value: object) -> object:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def features(evidence: Evidence, ranked: Ranking, missing: float, *, mixed: bool = False) -> dict[str, float]:
    """What the probability rests on, for the first article of a ranking that is not empty.

    `missing`, 0 to 1, is the rarity of the most telling word of the question that the best passage lacks.
    `mixed`: articles and FAQs stand side by side, as in a help centre. There customers' own words are less like the
    text than in the public sets, and the same features mean more.
    Meaning is by the multilingual encoder as far as the pair is foreign to the main one.
    """
    best = ranked.articles[0]
    mine = np.array([article == best for article in evidence.articles])
    meaning = _voiced(evidence, Method.MEANING, Method.MULTILINGUAL)
    title = _voiced(evidence, Method.TITLE, Method.TITLE_MULTILINGUAL)
    own = float(meaning[mine].max())
    rival = float(meaning[~mine].max()) if not mine.all() else USUAL_COSINE
    field_score = _mean_of_field(np.array(ranked.article_scores), RIVALS, FIELD, USUAL_SCORE)
    field_cosine = _mean_of_field(-np.sort(-meaning), PASSAGE_RIVALS, PASSAGE_FIELD, USUAL_COSINE)
    above = ranked.article_scores[0] - field_score
    return {
        "meaning": own,
        "title": float(title[mine].max()),
        "above_field": above,
        "meaning_above_field": own - field_cosine,
        "meaning_times_above": own * above,
        "meaning_lead": own - rival,
        "missing": missing * (1.0 - float(evidence.foreign[ranked.rows[0]])),
        "mixed": float(mixed),
    }


def _voiced(evidence: Evidence, main: Method, other: Method) -> Numbers:
    """A cosine by both encoders in proportion; where one did not propose a passage, the lowest it gave to any."""
    known = [_filled(evidence.scores[:, method]) for method in (main, other)]
    voiced: Numbers = (1.0 - evidence.foreign) * known[0] + evidence.foreign * known[1]
    return voiced


def _filled(column: Numbers) -> Numbers:
    known = column[~np.isnan(column)]
    return np.nan_to_num(column, nan=float(known.min()) if len(known) else 0.0)


def _mean_of_field(best_first: Numbers, start: int, end: int, usual: float) -> float:
    """The mean of places `start` to `end`, those that a small library lacks counted as usual."""
    field = best_first[start:end]
    return float((field.sum() + (end - start - len(field)) * usual) / (end - start))
