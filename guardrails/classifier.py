"""Examples to a classifier per policy: kernel ridge regression over the vectors of both encoders.

One inverse of one kernel matrix serves every policy, and its diagonal gives the exact leave-one-out score
of every example (Rasmussen & Williams 2006, eq. 5.12), so thresholds cost nothing more. Only numpy is needed.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from guardrails.findings import Action
from guardrails.policies import Policy, ordinary, version
from guardrails.settings import GuardSettings

Rows = NDArray[np.float32]

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).parent / "fitted"
FORMAT = 7  # of the npz and of everything below that changes a score
GAMMA = 1.0  # kernel width on the squared distance of unit vectors; leave-one-out was flat from .5 to 2
RIDGE = 0.15  # leave-one-out was flat from .08 to .3
COMPONENTS = 208  # principal components kept of each encoder: leave-one-out as with all, half of the size and time
FAR = -0.8  # the score of a text that is like no example at all: near that of an allowed one
ALLOWED = -1  # the owner of a row that no policy catches
MUCH_NEARER = (
    0.1  # likeness by which an allowed example must be nearer: cost 1 in 100 caught in leave-one-out, saved half of the false blocks
)
KNOWN_SHARE = 0.9  # of the threshold: what such a row scores at most
# For each policy the others whose examples say nothing about it, because a text may well be both.
SILENT = {
    "legal_advice": frozenset({"legal_threat", "financial_advice", "medical_advice"}),
    "financial_advice": frozenset({"legal_advice", "medical_advice"}),
    "medical_advice": frozenset({"crisis", "legal_advice", "financial_advice"}),
    "abuse": frozenset({"legal_threat"}),
    "legal_threat": frozenset({"abuse", "data_subject_request"}),
    "data_subject_request": frozenset({"legal_threat"}),
    "payment_dispute": frozenset({"account_takeover", "legal_threat"}),
    "account_takeover": frozenset({"payment_dispute"}),
}


class CannotTell(Exception):
    """The examples of `policy` cannot be told from its neighbours; the message says which."""

    def __init__(self, policy: str, message: str) -> None:
        """`policy`: its id."""
        super().__init__(message)
        self.policy = policy


@dataclass(frozen=True)
class Quality:
    """How well leave-one-out tells a policy's examples from its neighbours."""

    separation: float
    recall: float
    false_blocks: float


@dataclass(frozen=True)
class Fitted:
    """Everything that serving needs; scores are calibrated probabilities, shape (rows, policies)."""

    key: str
    policies: tuple[str, ...]
    encoders: tuple[str, ...]
    bases: tuple[Rows, ...]
    supports: tuple[Rows, ...]
    weights: Rows
    thresholds: Rows
    slopes: Rows
    offsets: Rows
    owners: NDArray[np.int16]
    """For every support row the policy whose example it is; ALLOWED for neighbours and ordinary messages."""
    quality: tuple[Quality, ...]

    def scores(self, vectors: Mapping[str, Rows]) -> Rows:
        """Probability of every policy for every row; below the threshold where an allowed example is much nearer than any caught one."""
        likeness = self._likeness(vectors)
        raw = likeness @ self.weights + FAR
        scores = 1 / (1 + np.exp(-(self.slopes * raw + self.offsets)))
        allowed = likeness[:, self.owners == ALLOWED].max(axis=1, initial=0)
        caught = np.stack([likeness[:, rows].max(axis=1, initial=0) for rows in self._examples], axis=1)
        known = allowed[:, None] - caught > MUCH_NEARER
        return np.asarray(np.where(known, np.minimum(scores, KNOWN_SHARE * self.thresholds), scores), dtype=np.float32)

    @cached_property
    def _examples(self) -> list[NDArray[np.intp]]:
        return [np.flatnonzero(self.owners == n) for n in range(len(self.policies))]

    def nearest(self, vectors: Mapping[str, Rows], count: int) -> list[list[tuple[int, float]]]:
        """For every row the examples most like it: their numbers in `material` order, with likeness from 0 to 1."""
        likeness = self._likeness(vectors)
        order = np.argsort(-likeness, axis=1)[:, :count]
        return [[(int(i), float(row[i])) for i in best] for row, best in zip(likeness, order, strict=True)]

    def _likeness(self, vectors: Mapping[str, Rows]) -> Rows:
        projected = [vectors[name] @ basis for name, basis in zip(self.encoders, self.bases, strict=True)]
        return kernel(projected, self.supports, self._lengths)

    @cached_property
    def _lengths(self) -> tuple[Rows, ...]:
        return tuple((rows * rows).sum(axis=1) for rows in self.supports)


@dataclass(frozen=True)
class Example:
    """One line of a policy file, or of the ordinary messages (which have no policy)."""

    policy: str
    language: str
    text: str
    caught: bool


def material(policies: Sequence[Policy]) -> list[Example]:
    """Every example and neighbour, in the order that a fit numbers them."""
    found = []
    for policy in sorted(policies, key=lambda p: p.id):
        found += [Example(policy.id, language, text, caught=True) for language, text in policy.requests]
        found += [Example(policy.id, language, text, caught=False) for language, text in policy.allowed]
    return found + [Example("", language, text, caught=False) for language, text in ordinary()]


def fit(policies: Sequence[Policy], vectors: Mapping[str, Rows], settings: GuardSettings, key: str = "") -> Fitted:
    """One classifier per policy from the vectors of `material(policies)`; raise CannotTell."""
    rows = material(policies)
    names = tuple(sorted(policy.id for policy in policies))
    encoders = tuple(sorted(vectors))
    bases = tuple(_components(vectors[name]) for name in encoders)
    supports = tuple((vectors[name] @ basis).astype(np.float16).astype(np.float32) for name, basis in zip(encoders, bases, strict=True))
    inverse = np.linalg.inv(kernel(supports, supports) + RIDGE * np.eye(len(rows), dtype=np.float32))
    wanted = _targets(rows, names)
    weights = inverse @ (wanted - FAR)
    left_out = np.asarray(wanted - weights / np.diag(inverse)[:, None], dtype=np.float32)
    budgets = {policy.id: _budgets(policy, settings) for policy in policies}
    columns = [_calibrated(rows, name, left_out[:, n], budgets[name], settings) for n, name in enumerate(names)]
    thresholds, slopes, offsets = (np.array([column[i] for column in columns], dtype=np.float32) for i in range(3))
    quality = tuple(column[3] for column in columns)
    return Fitted(
        key, names, encoders, bases, supports, weights.astype(np.float32), thresholds, slopes, offsets, owners(rows, names), quality
    )


def fit_without_vague_flags(policies: Sequence[Policy], vectors: Mapping[str, Rows], settings: GuardSettings, key: str) -> Fitted:
    """As `fit`, but a policy that only flags and that these encoders cannot tell is left out with a warning; raise CannotTell for others.

    A flag protects nobody, so it must not keep the service from starting with another encoder, or with one alone.
    """
    try:
        return fit(policies, vectors, settings, key)
    except CannotTell as trouble:
        vague = next(policy for policy in policies if policy.id == trouble.policy)
        if vague.action is not Action.FLAG:
            raise
        log.warning("policy %s is left out: %s", vague.id, trouble)
        others = np.array([row.policy != vague.id for row in material(policies)])
        kept = [policy for policy in policies if policy is not vague]
        return fit_without_vague_flags(kept, {name: rows[others] for name, rows in vectors.items()}, settings, key)


def prepared(
    policies: Sequence[Policy], encoders: Mapping[str, Embeddings], folder: Path | None, settings: GuardSettings, shipped: Path = SHIPPED
) -> Fitted:
    """The fit for exactly these policies, encoders and settings: shipped, else from `folder`, else made now and kept there.

    It may lack policies that only flag (`fit_without_vague_flags`).
    """
    key = fit_key(policies, encoders, settings)
    for place in (shipped, folder):
        file = place / f"policies-{key}.npz" if place else None
        if file and file.exists():
            found = load(file)
            if found.key == key:
                return found
    texts = [example.text for example in material(policies)]
    vectors = {name: np.asarray(encoder.embed_documents(texts), dtype=np.float32) for name, encoder in encoders.items()}
    made = fit_without_vague_flags(policies, vectors, settings, key)
    if folder:
        save(made, folder / f"policies-{key}.npz")
    return made


def owners(rows: Sequence[Example], names: Sequence[str]) -> NDArray[np.int16]:
    """For every example the number of the policy that catches it, or ALLOWED."""
    return np.array([names.index(row.policy) if row.caught else ALLOWED for row in rows], dtype=np.int16)


def fit_key(policies: Sequence[Policy], encoders: Mapping[str, Embeddings], settings: GuardSettings) -> str:
    """A hash of all that a fit depends on."""
    names = {name: str(getattr(encoder, "name", type(encoder).__name__)) for name, encoder in encoders.items()}
    numbers = (
        FORMAT,
        GAMMA,
        RIDGE,
        COMPONENTS,
        settings.false_block_budget,
        settings.ordinary_budget,
        settings.route_budget,
        settings.route_ordinary_budget,
        settings.min_separation,
    )
    return hashlib.sha256(json.dumps([version(policies), names, numbers], sort_keys=True).encode()).hexdigest()[:16]


def save(fitted: Fitted, file: Path) -> None:
    """Write an npz that `load` reads; complete or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.npz")
    arrays: dict[str, Any] = dict(
        key=np.array(fitted.key),
        policies=np.array(fitted.policies),
        encoders=np.array(fitted.encoders),
        **{f"basis_{n}": basis.astype(np.float16) for n, basis in enumerate(fitted.bases)},
        **{f"support_{n}": support.astype(np.float16) for n, support in enumerate(fitted.supports)},
        weights=fitted.weights,
        thresholds=fitted.thresholds,
        slopes=fitted.slopes,
        offsets=fitted.offsets,
        owners=fitted.owners,
        quality=np.array([(q.separation, q.recall, q.false_blocks) for q in fitted.quality]),
    )
    np.savez_compressed(partial, **arrays)
    partial.replace(file)


def load(file: Path) -> Fitted:
    """A fit from its npz; nothing in it is executed."""
    with np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    rows = {name: arrays[name].astype(np.float32) for name in ("weights", "thresholds", "slopes", "offsets")}
    policies, encoders = (tuple(str(x) for x in arrays[name]) for name in ("policies", "encoders"))
    quality = tuple(Quality(*(float(x) for x in row)) for row in arrays["quality"])
    bases, supports = (tuple(arrays[f"{kind}_{n}"].astype(np.float32) for n in range(len(encoders))) for kind in ("basis", "support"))
    return Fitted(
        str(arrays["key"]), policies, encoders, bases, supports, **rows, owners=arrays["owners"].astype(np.int16), quality=quality
    )


def kernel(left: Sequence[Rows], right: Sequence[Rows], lengths: Sequence[Rows] | None = None) -> Rows:
    """Likeness from 0 to 1 of every row to every row: the mean of each encoder's Gaussian kernel and of their geometric mean.

    `lengths` are the squared lengths of the rows of `right`, where they are known already.
    """
    known = lengths or [(rows * rows).sum(axis=1) for rows in right]
    single = [np.exp(-GAMMA * _distance(a, b, c)) for a, b, c in zip(left, right, known, strict=True)]
    if len(single) == 1:
        return np.asarray(single[0], dtype=np.float32)
    together = reduce(np.multiply, single) ** np.float32(1 / len(single))
    return np.asarray((sum(single) + together) / (len(single) + 1), dtype=np.float32)


def _distance(left: Rows, right: Rows, right_lengths: Rows) -> Rows:
    squared = (left * left).sum(axis=1)[:, None] + right_lengths[None] - 2 * left @ right.T
    return np.asarray(np.maximum(squared, 0), dtype=np.float32)


def _components(rows: Rows) -> Rows:
    """The directions in which the rows differ most, rounded as they are stored; distances need no centring."""
    centred = rows - rows.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.asarray(directions[:, ::-1][:, :COMPONENTS].astype(np.float16), dtype=np.float32)


def _targets(rows: Sequence[Example], names: Sequence[str]) -> Rows:
    """1 for a policy's examples, 0 for those of a policy that is silent about it, -1 for everything else."""
    wanted = -np.ones((len(rows), len(names)), dtype=np.float32)
    for i, row in enumerate(rows):
        if not row.caught:
            continue
        for n, name in enumerate(names):
            if row.policy == name:
                wanted[i, n] = 1
            elif row.policy in SILENT.get(name, ()):
                wanted[i, n] = 0
    return wanted


def _calibrated(
    rows: Sequence[Example], name: str, left_out: Rows, budgets: tuple[float, float], settings: GuardSettings
) -> tuple[float, float, float, Quality]:
    """Threshold, slope, offset and quality of one policy, from leave-one-out scores."""
    own = np.array([row.policy == name for row in rows])
    alien = np.array([row.policy != name and row.policy not in SILENT.get(name, ()) for row in rows])
    caught = np.array([row.caught for row in rows])
    positive, neighbour, other = left_out[own & caught], left_out[own & ~caught], left_out[alien & ~caught]
    separation = _auc(positive, neighbour)
    if separation < settings.min_separation:
        raise CannotTell(name, _explanation(rows, name, left_out, separation, settings))
    cut = float(np.quantile(neighbour, 1 - budgets[0]))
    if len(other):
        cut = max(cut, float(np.quantile(other, 1 - budgets[1])))
    slope, offset = _platt(positive, np.concatenate([neighbour, other]))
    threshold = 1 / (1 + np.exp(-(slope * cut + offset)))
    return float(threshold), slope, offset, Quality(separation, float(np.mean(positive > cut)), float(np.mean(neighbour > cut)))


def _budgets(policy: Policy, settings: GuardSettings) -> tuple[float, float]:
    """Shares of the own neighbours and of everything else allowed that may be caught."""
    if policy.action is Action.ROUTE:
        return policy.budget or settings.route_budget, settings.route_ordinary_budget
    return policy.budget or settings.false_block_budget, settings.ordinary_budget


def _explanation(rows: Sequence[Example], name: str, left_out: Rows, separation: float, settings: GuardSettings) -> str:
    low = [i for i, row in enumerate(rows) if row.policy == name and row.caught]
    high = [i for i, row in enumerate(rows) if row.policy == name and not row.caught]
    examples = "; ".join(repr(rows[i].text) for i in sorted(low, key=lambda i: left_out[i])[:3])
    neighbours = "; ".join(repr(rows[i].text) for i in sorted(high, key=lambda i: -left_out[i])[:3])
    return (
        f"{name}: its examples cannot be told from its neighbours "
        f"(leave-one-out AUC {separation:.2f}, needed {settings.min_separation:.2f}). "
        f"Examples that look allowed: {examples}. Neighbours that look caught: {neighbours}. Reword or move these, or add more of both."
    )


def _auc(positive: Rows, negative: Rows) -> float:
    """Probability that a positive scores above a negative; ties count half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    upto = np.searchsorted(ordered, positive, side="right")
    return float(np.mean(below + upto) / (2 * len(negative)))


def _platt(positive: Rows, negative: Rows) -> tuple[float, float]:
    """Slope and offset of the logistic that turns scores into probabilities (Platt 1999), by Newton's method."""
    x = np.concatenate([positive, negative]).astype(np.float64)
    y = np.concatenate([np.full(len(positive), (len(positive) + 1) / (len(positive) + 2)), np.full(len(negative), 1 / (len(negative) + 2))])
    features = np.stack([x, np.ones_like(x)])
    answer = np.array([2.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(answer @ features, -30, 30)))
        gradient = features @ (p - y)
        hessian = (features * (p * (1 - p) + 1e-6)) @ features.T + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        answer -= np.clip(step, -2, 2)
    return float(answer[0]), float(answer[1])
