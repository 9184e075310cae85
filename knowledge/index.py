"""The vectors of passages in Chroma: put, remove, nearest.

Rules learned by measuring: we pass our own vectors and never let Chroma load a model (M12); we never
filter in Chroma (M14), so callers ask for more than they need and drop what SQL does not list as live;
equality with SQL is checked by `ids`, never by a query (M9). One collection per encoder and epoch.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from knowledge.embedding import Vectors

WRITE_BATCH = 2_000
# hnsw: ef_search 100 finds .99 of the true nearest 20 in 20,000 vectors; sync_threshold keeps a kill's replay short
CONFIGURATION = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 100, "max_neighbors": 24, "sync_threshold": 2_000}}

PREFIX = "passages-"


class ChromaIndex:
    """One Chroma collection of unit vectors, named by passage id."""

    def __init__(self, client: Any, name: str) -> None:
        """`client` is a Chroma client that somebody else opened and closes."""
        self._client = client
        self.name = name
        self._collection = client.get_or_create_collection(name, configuration=CONFIGURATION, embedding_function=None)

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Add or replace; `vectors` has one row per id."""
        for start in range(0, len(ids), WRITE_BATCH):
            end = start + WRITE_BATCH
            self._collection.upsert(ids=list(ids[start:end]), embeddings=np.ascontiguousarray(vectors[start:end]))

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these; unknown ids are ignored."""
        gone = list(ids)
        for start in range(0, len(gone), WRITE_BATCH):
            self._collection.delete(ids=gone[start : start + WRITE_BATCH])

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Up to k ids with their cosine, best first."""
        if k < 1 or not self._collection.count():
            return []
        found = self._collection.query(query_embeddings=[np.asarray(vector, dtype=np.float32)], n_results=k, include=["distances"])
        return [(id_, 1.0 - float(distance)) for id_, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def nearest_many(self, vectors: Vectors, k: int) -> list[list[tuple[str, float]]]:
        """As `nearest` for each row, in one call."""
        if k < 1 or not self._collection.count():
            return [[] for _ in vectors]
        found = self._collection.query(query_embeddings=np.ascontiguousarray(vectors, np.float32), n_results=k, include=["distances"])
        rows = zip(found["ids"], found["distances"], strict=True)
        return [[(id_, 1.0 - float(d)) for id_, d in zip(ids, distances, strict=True)] for ids, distances in rows]

    def vectors(self, ids: list[str]) -> Vectors:
        """One row per id, in order. Raise KeyError when one is missing."""
        found = self._collection.get(ids=list(ids), include=["embeddings"])
        by_id = dict(zip(found["ids"], found["embeddings"], strict=True))
        return np.asarray([by_id[id_] for id_ in ids], dtype=np.float32)

    def ids(self) -> Iterator[str]:
        """Every id in the collection."""
        yield from self._collection.get(include=[])["ids"]

    def drop(self) -> None:
        """Delete the collection with all it holds."""
        self._client.delete_collection(self.name)


def drop_others(client: Any, keep: Sequence[str], *, shared: bool = False) -> list[str]:
    """Delete the collections of other epochs; give back their names.

    On a `shared` server those of a later epoch of the same family stay: another process may be rebuilding.
    """
    names = [collection.name for collection in client.list_collections()]
    stale = [name for name in names if name.startswith(PREFIX) and name not in keep]
    if shared:
        stale = [name for name in stale if not any(_later(name, kept) for kept in keep)]
    for name in stale:
        client.delete_collection(name)
    return stale


def _later(name: str, kept: str) -> bool:
    """Whether a collection, passages-FAMILY-NUMBER-ENCODER, is of a later epoch of the same family."""
    one, other = name.removeprefix(PREFIX).split("-"), kept.removeprefix(PREFIX).split("-")
    if len(one) < 3 or len(other) < 3 or one[0] != other[0]:  # noqa: PLR2004 - the three parts
        return False
    return one[1].isdigit() and other[1].isdigit() and int(one[1]) > int(other[1])
