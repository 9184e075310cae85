"""Fits what tells whether two FAQs say the same, on the invented bank; prints the numbers that `knowledge/duplicates.py` has.

Each matter's replies, two or three together under a customer's wording of the training split, are held against all 77 FAQs: the matter's
own says the same, the nearest others do not. How well the weights do is told by weights that were fitted without the matter.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from evals.datasets import EXAMPLES, rows
from evals.laboratory import Laboratory
from knowledge import duplicates
from knowledge.duplicates import Page

FOLDS, NEAREST, SEED = 5, 8, 3
DRAWS = 5  # of wording and replies for each matter, by two and by three
SHARES = (0.01, 0.02, 0.05)  # of candidates that are flagged though no FAQ says what they say
FEATURES = tuple(duplicates.WEIGHTS)


@dataclass(frozen=True)
class Pairs:
    """Features of each candidate against each FAQ: (candidates, FAQs, features); the candidates' matters and the FAQs'."""

    features: NDArray[np.float64]
    candidates: Sequence[str]
    known: Sequence[str]

    def same(self, at: int) -> NDArray[np.bool_]:
        """Which FAQ says what a candidate says."""
        return np.array([intent == self.candidates[at] for intent in self.known])


def pairs(file: Path, lab: Laboratory) -> Pairs:
    """The FAQs and the candidates; `file` has the customers' wordings."""
    chance = random.Random(SEED)  # noqa: S311 - a seeded draw, no secret
    asked: dict[str, list[str]] = {}
    for row in rows(file):
        if row["split"] != "test":
            asked.setdefault(row["intent"], []).append(row["text"])
    faqs = {row["intent"]: row for row in rows(EXAMPLES / "banking77_faqs.jsonl")}
    replies = {row["intent"]: row["replies"] for row in rows(EXAMPLES / "banking77_replies.jsonl")}
    known = [Page(intent, faqs[intent]["question"], faqs[intent]["answer"]) for intent in sorted(faqs)]
    new = [
        Page(one.id, chance.choice(asked[one.id]), " ".join(chance.sample(replies[one.id], count)))
        for one in known
        for count in (2, 3) * DRAWS
    ]
    pages = [*known, *new]
    seen = duplicates.seen(pages, lab.embed(duplicates.texts(pages)))
    features = [[list(duplicates.features(one, other).values()) for other in seen[: len(known)]] for one in seen[len(known) :]]
    return Pairs(np.array(features), [page.id for page in new], [page.id for page in known])


def fitted(data: Pairs, without: frozenset[str] = frozenset()) -> LogisticRegression:
    """The weights, fitted on the candidates of all other matters and the FAQs nearest to each."""
    found, same = [], []
    for at, intent in enumerate(data.candidates):
        if intent not in without:
            own = data.same(at)
            near = np.argsort(-data.features[at, :, :2].sum(axis=1))[:NEAREST]
            chosen = sorted({*near.tolist(), *np.flatnonzero(own).tolist()})
            found.append(data.features[at, chosen])
            same += own[chosen].tolist()
    return LogisticRegression(C=10, class_weight="balanced", max_iter=3000).fit(np.concatenate(found), same)


def logits(data: Pairs, fit: LogisticRegression, only: frozenset[str]) -> tuple[list[float], list[float]]:
    """Of each candidate the logit of the FAQ that says the same, and of the likest other."""
    own, others = [], []
    for at, intent in enumerate(data.candidates):
        if intent in only:
            found, same = fit.decision_function(data.features[at]), data.same(at)
            own.append(float(found[same][0]))
            others.append(float(found[~same].max()))
    return own, others


def report(data: Pairs) -> list[str]:
    """The fit in words: weights, the bias for each share that is flagged in vain, and what is found by weights that have not seen it."""
    intents = list(data.known)
    own: list[float] = []
    others: list[float] = []
    for fold in range(FOLDS):
        without = frozenset(intents[fold::FOLDS])
        found, rest = logits(data, fitted(data, without), without)
        own.extend(found)
        others.extend(rest)
    whole = fitted(data)
    _, known = logits(data, whole, frozenset(intents))
    lines = [f"{name}: {weight:.2f}" for name, weight in zip(FEATURES, whole.coef_[0], strict=True)]
    for share in SHARES:
        bias = float(whole.intercept_[0]) - float(np.quantile(known, 1 - share))
        kept = float(np.mean(np.array(own) >= np.quantile(others, 1 - share)))
        lines.append(f"{share} flagged in vain: bias {bias:.2f}, {kept:.3f} of {len(own)} found, held out")
    return lines
