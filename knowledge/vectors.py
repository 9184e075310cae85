"""What search needs of a vector index, and an exact one in memory for tests and evals."""

import threading
from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class VectorIndex(Protocol):
    """Vectors of length 1 by id; `nearest` may be approximate and may return ids that are no longer live."""

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Add vectors, or replace those whose id is known."""

    def remove(self, ids: Iterable[str]) -> None:
        """Forget vectors; unknown ids are ignored."""

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` ids with their cosine, best first."""

    def vectors(self, ids: list[str]) -> Vectors:
        """One row per id, in order; zeros for an id that is not there."""


class MemoryVectorIndex:
    """Exact nearest neighbours by one matrix product; fit for thousands of vectors."""

    def __init__(self) -> None:
        """An empty index."""
        self._lock = threading.Lock()
        self._rows: dict[str, Vectors] = {}
        self._stacked: tuple[list[str], Vectors] | None = None

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Add vectors, or replace those whose id is known."""
        with self._lock:
            self._rows.update(zip(ids, np.asarray(vectors, dtype=np.float32), strict=True))
            self._stacked = None

    def remove(self, ids: Iterable[str]) -> None:
        """Forget vectors; unknown ids are ignored."""
        with self._lock:
            for vector_id in ids:
                self._rows.pop(vector_id, None)
            self._stacked = None

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to `k` ids with their cosine, best first."""
        ids, rows = self._stack()
        if not ids or k <= 0:
            return []
        cosines = rows @ np.asarray(vector, dtype=np.float32)
        best = np.argpartition(-cosines, k - 1)[:k] if k < len(ids) else np.arange(len(ids))
        best = best[np.argsort(-cosines[best], kind="stable")]
        return [(ids[row], float(cosines[row])) for row in best]

    def vectors(self, ids: list[str]) -> Vectors:
        """One row per id, in order; zeros for an id that is not there."""
        with self._lock:
            size = len(next(iter(self._rows.values()), ()))
            empty = np.zeros(size, dtype=np.float32)
            rows = [self._rows.get(vector_id, empty) for vector_id in ids]
        return np.stack(rows) if rows else np.zeros((0, size), dtype=np.float32)

    def _stack(self) -> tuple[list[str], Vectors]:
        with self._lock:
            if self._stacked is None:
                rows = list(self._rows.values())
                self._stacked = (list(self._rows), np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32))
            return self._stacked
