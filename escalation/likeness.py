"""A classifier by likeness to examples: kernel ridge regression over encoder vectors, numpy alone, kept as npz."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from escalation.learned import MissingVectorError, Vectors

NARROW = 2.0  # the kernel is exp(-NARROW·(1 - cosine)); of 1.4, 2 and 3 within .004 of the best in six held-out folds of routing's examples
STEPS = 127  # a row is kept as whole numbers of -STEPS … STEPS times its largest number


@dataclass(frozen=True)
class Likeness:
    """Every example's unit vector by encoder, and how much being like it speaks for each label.

    `made_of` says what it was fitted on, so that a stored one is noticed when examples or encoders change.
    """

    labels: tuple[str, ...]
    rows: Mapping[str, Vectors]
    weights: Vectors
    made_of: str = ""

    @property
    def spaces(self) -> tuple[str, ...]:
        """The encoders whose vectors it needs."""
        return tuple(self.rows)

    def scores(self, vectors: Mapping[str, Vectors]) -> Vectors:
        """One row per text, one column per label: about 1 for the right one and -1 for the others. Raise MissingVectorError."""
        return _alike(vectors, self.rows) @ self.weights

    def save(self, file: Path) -> None:
        """Write it as npz."""
        parts: dict[str, Any] = {f"rows_{space}": _whole(rows) for space, rows in self.rows.items()}
        np.savez_compressed(file, labels=np.array(self.labels), weights=self.weights, made_of=np.array(self.made_of), **parts)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; nothing in the file is executed."""
        with np.load(file, allow_pickle=False) as stored:
            rows = {name.removeprefix("rows_"): _unit(stored[name]) for name in stored.files if name.startswith("rows_")}
            return cls(tuple(map(str, stored["labels"])), rows, stored["weights"], str(stored["made_of"]))


def fit(vectors: Mapping[str, Vectors], labels: Sequence[str], *, ridge: float, made_of: str = "") -> Likeness:
    """Least squares on ±1 with a penalty of `ridge`; the same input gives the same fit, and what `load` reads back equals it."""
    rows = {space: _unit(_whole(_unit(vectors[space]))) for space in sorted(vectors)}
    names = tuple(sorted(set(labels)))
    wanted = np.array([[1.0 if label == name else -1.0 for name in names] for label in labels])
    alike = _alike(rows, rows).astype(np.float64)
    weights = np.linalg.solve(alike + ridge * np.eye(len(alike)), wanted)
    return Likeness(names, rows, weights.astype(np.float32), made_of)


def _alike(vectors: Mapping[str, Vectors], rows: Mapping[str, Vectors]) -> Vectors:
    """The mean of the encoders' kernels: one row per text, one column per example."""
    if absent := [space for space in rows if space not in vectors]:
        raise MissingVectorError(f"no vector of the {absent[0]} encoder was handed in")
    kernels = [np.exp(NARROW * (_unit(vectors[space]) @ kept.T - 1.0)) for space, kept in rows.items()]
    return np.asarray(sum(kernels) / len(kernels), dtype=np.float32)


def _unit(rows: Vectors | NDArray[np.int8]) -> Vectors:
    """Every row with length 1; a row of zeros stays."""
    told = np.atleast_2d(np.asarray(rows, dtype=np.float32))
    return np.asarray(told / np.maximum(np.linalg.norm(told, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def _whole(rows: Vectors) -> NDArray[np.int8]:
    """Every row as whole numbers, its largest as STEPS: a quarter of the bytes, cosines to three digits."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True), 1e-9)
    return np.asarray(np.rint(rows * (STEPS / largest)), dtype=np.int8)
