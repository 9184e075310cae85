"""Fits what guardrails/support adds up, says how it does on held-out passages, and writes what ships.

    python -m evals.fit_grounding [--cache FOLDER] [--write]

Fitted on our own development pairs alone (evals/examples/groundedness/development.jsonl, about invented companies); the blind
pairs and every set of a data folder stay unseen. Whether a sentence repeats its passage word by word is left out of the sum: in
pairs written to be judged it says who wrote them.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.datasets import EXAMPLES, rows
from evals.metrics import auc
from evals.searching import KeptEncoder
from guardrails.checks.grounding import Grounding, Statement, edited
from guardrails.drafts import CitedPassage
from guardrails.support.fitted import FILE, Curve, Fitted
from knowledge.embedding import MiniLM, Multilingual

DEVELOPMENT = EXAMPLES / "groundedness" / "development.jsonl"
FOLDS = 10
STRENGTH = 0.02  # of the penalty on squared weights; not yet chosen by an eval
STEPS, RATE = 3000, 0.5
CAUGHT = (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0)
LEFT_OUT = frozenset({"copied", "same_stem", "items", "numbers_said", "names_said"})  # say who wrote the pair, not whether it is right
FOR = (
    "main_",
    "multilingual_",
    "cover",
    "lowest",
    "second_lowest",
    "context",
    "clause_context",
    "clause_lowest",
    "worst_clause",
    "subject",
)
AGAINST_ALL_THE_SAME = frozenset({"context_loss", "context_in_copy", "lowest_in_copy"})
ACROSS = ("multilingual_", "numbers_", "menus_", "addresses_", "parity")  # what can be told across languages

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Features of the pairs, whether each is supported, and which passage it belongs to."""

    features: Sequence[Mapping[str, float]]
    right: NDArray[np.bool_]
    groups: NDArray[np.int64]


def measure(examples: Sequence[Mapping[str, object]], grounding: Grounding) -> Measured:
    """The pairs of a set as the fit sees them."""
    statements = [Statement(str(row["response"]), (CitedPassage("p", str(row["context"])),)) for row in examples]
    found = [features for _, _, features in grounding.measure(statements)]
    groups = {context: n for n, context in enumerate(dict.fromkeys(row["context"] for row in examples))}
    right = np.array([row["label"] == "grounded" for row in examples])
    return Measured(found, right, np.array([groups[row["context"]] for row in examples]))


def directions(names: Sequence[str]) -> Matrix:
    """1 for what can only speak for a claim, -1 for what can only speak against it."""
    return np.array([1.0 if name.startswith(FOR) and name not in AGAINST_ALL_THE_SAME else -1.0 for name in names])


def fit(given: Measured, names: Sequence[str]) -> Curve:
    """A logistic curve with every weight held to its direction, both labels counting the same, by projected gradient."""
    raw = np.array([[row[name] for name in names] for row in given.features])
    means, spreads = raw.mean(axis=0), raw.std(axis=0) + 0.05
    x = (raw - means) / spreads
    share = given.right.mean()
    each = np.where(given.right, 0.5 / share, 0.5 / (1 - share)) / len(x)
    sign, weights, bias = directions(names), np.zeros(len(names)), 0.0
    step = RATE / max(1.0, float(np.linalg.norm(x.T * each @ x, 2)))
    for _ in range(STEPS):
        error = each * (1 / (1 + np.exp(-(x @ weights + bias))) - given.right)
        weights = weights - step * (x.T @ error + STRENGTH * weights)
        weights = np.where(weights * sign > 0, weights, 0.0)
        bias -= step * float(error.sum())
    return Curve(tuple(names), _floats(means), _floats(spreads), _floats(weights), bias, ())


def held_out(given: Measured, names: Sequence[str]) -> Matrix:
    """The score of every pair by a fit that has not seen its passage."""
    scores = np.zeros(len(given.right))
    for fold in range(FOLDS):
        test = given.groups % FOLDS == fold
        seen = Measured([row for row, out in zip(given.features, test, strict=True) if not out], given.right[~test], given.groups[~test])
        curve = fit(seen, names)
        scores[test] = [curve.score(row) for row, out in zip(given.features, test, strict=True) if out]
    return scores


def with_thresholds(curve: Curve, scores: Matrix, right: NDArray[np.bool_]) -> Curve:
    """The same with the score below which each share of the wrong pairs lies."""
    wrong = scores[~right]
    return Curve(**{**asdict(curve), "thresholds": tuple((share, float(np.quantile(wrong, share)) + 1e-6) for share in CAUGHT)})


def literal(row: Mapping[str, float]) -> bool:
    """Whether a pair is cut for a literal, whatever the curve says."""
    return any(row[name] > 0 for name in ("numbers_missing", "addresses_missing", "menus_missing", "names_missing")) or edited(row)


def made(given: Measured) -> tuple[Fitted, Matrix]:
    """The fit that ships, with thresholds from held-out scores, literals counted as caught; and those scores."""
    every = [name for name in sorted(given.features[0]) if name not in LEFT_OUT]
    curves = []
    for names in (every, [name for name in every if name.startswith(ACROSS)]):
        scores = held_out(given, names)
        scores[[literal(row) for row in given.features]] = 0.0
        curves.append((with_thresholds(fit(given, names), scores, given.right), scores))
    return Fitted(curves[0][0], curves[1][0]), curves[0][1]


def _floats(values: Matrix) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def main(tell: Callable[[str], None] = print) -> None:
    """Fit, grade on held-out folds, and with --write store the fit in guardrails/fitted."""
    parser = argparse.ArgumentParser(prog="python -m evals.fit_grounding", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".cache/evals"), help="where vectors are kept between runs")
    parser.add_argument("--write", action="store_true", help="store the fit in guardrails/fitted")
    options = parser.parse_args()
    kept = {
        "main": KeptEncoder(lambda: MiniLM(options.cache), options.cache / "fit-minilm.npz"),
        "multilingual": KeptEncoder(Multilingual, options.cache / "fit-multilingual.npz"),
    }
    examples = list(rows(DEVELOPMENT))
    given = measure(examples, Grounding(kept))
    for encoder in kept.values():
        encoder.save()
    fitted, scores = made(given)
    for share, threshold in fitted.same.thresholds:
        tell(f"wrong caught {share:.2f}  threshold {threshold:.4f}  good cut {(scores[given.right] < threshold).mean():.3f}")
    literals = np.array([literal(row) for row in given.features])
    tell(f"literals alone: wrong caught {literals[~given.right].mean():.3f}  good cut {literals[given.right].mean():.3f}")
    tell(f"held-out AUC {auc(scores.tolist(), given.right.tolist()):.3f}")
    if options.write:
        provenance = {
            "command": "python -m evals.fit_grounding --write",
            "date": datetime.now(UTC).date().isoformat(),  # noqa: TID251 - the day a fit was made is part of it
            "rows": {"evals/examples/groundedness/development.jsonl": len(examples)},
            "licences": "our own",
            "encoders": [MiniLM.name, Multilingual.name],
            "held-out AUC": round(auc(scores.tolist(), given.right.tolist()), 4),
        }
        stored = {"provenance": provenance, "same": asdict(fitted.same), "across": asdict(fitted.across)}
        FILE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
