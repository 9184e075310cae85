"""A small classifier over encoder vectors: softmax regression, fitted and applied with numpy alone, kept as npz."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
ROUNDS = 400  # of accelerated gradient steps; the loss changes by less than 1e-4 after 250


class MissingVectorError(KeyError):
    """A vector of an encoder that the classifier was fitted on was not handed in."""


@dataclass(frozen=True)
class Learned:
    """One row of weights per number, one column per label; `spaces` names the encoders in the order of the rows.

    `made_of` says what it was fitted on, so that a stored one is noticed when examples or encoders change.
    """

    labels: tuple[str, ...]
    spaces: tuple[str, ...]
    weights: Vectors
    bias: Vectors
    made_of: str = ""

    def logits(self, vectors: Mapping[str, Vectors]) -> Vectors:
        """One row per text, one column per label. Raise MissingVectorError."""
        return joined(vectors, self.spaces) @ self.weights + self.bias

    def save(self, file: Path) -> None:
        """Write it as npz."""
        np.savez_compressed(
            file,
            labels=np.array(self.labels),
            spaces=np.array(self.spaces),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            made_of=np.array(self.made_of),
        )

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; nothing in the file is executed."""
        with np.load(file, allow_pickle=False) as stored:
            return cls(
                tuple(map(str, stored["labels"])),
                tuple(map(str, stored["spaces"])),
                stored["weights"].astype(np.float32),
                stored["bias"],
                str(stored["made_of"]),
            )


def joined(vectors: Mapping[str, Vectors], spaces: Sequence[str]) -> Vectors:
    """The vectors of several encoders side by side, one row per text."""
    try:
        return np.concatenate([np.atleast_2d(np.asarray(vectors[space], dtype=np.float32)) for space in spaces], axis=1)
    except KeyError as missing:
        raise MissingVectorError(f"no vector of the {missing.args[0]} encoder was handed in") from None


def softmax(logits: Vectors) -> Vectors:
    """Each row as shares that add up to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def fit(vectors: Mapping[str, Vectors], labels: Sequence[str], *, ridge: float, made_of: str = "") -> Learned:
    """Least cross-entropy with a quadratic penalty of `ridge`, every label weighing the same; the same input gives the same fit."""
    spaces = tuple(sorted(vectors))
    rows = joined(vectors, spaces).astype(np.float64)
    names = tuple(sorted(set(labels)))
    wanted = np.array([[label == name for name in names] for label in labels], dtype=np.float64)
    weight = (wanted @ (1.0 / wanted.sum(axis=0)))[:, None] / len(names)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    penalty = np.full((rows.shape[1], 1), ridge)
    penalty[-1] = 0.0
    step = 1.0 / (0.5 * _largest(rows * np.sqrt(weight)) + ridge)  # ½ bounds the softmax's curvature
    now = ahead = np.zeros((rows.shape[1], len(names)))
    for turn in range(ROUNDS):
        gap = weight * (softmax((rows @ ahead).astype(np.float32)) - wanted)
        after = ahead - step * (rows.T @ gap + penalty * ahead)
        ahead = after + turn / (turn + 3) * (after - now)
        now = after
    return Learned(names, spaces, now[:-1].astype(np.float32), now[-1].astype(np.float32), made_of)


def _largest(rows: NDArray[np.float64]) -> float:
    """A little more than the largest eigenvalue of rowsᵀ·rows, by power iteration."""
    direction = rows.sum(axis=0)
    size = 0.0
    for _ in range(30):
        direction = rows.T @ (rows @ direction)
        size = float(np.linalg.norm(direction))
        direction /= size or 1.0
    return 1.05 * size
