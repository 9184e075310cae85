"""Encoders that remember across runs what they have embedded, so that a second exam is quick."""

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

AT_ONCE = 500  # SQLite takes at most 999 placeholders in older builds
LOOK_UP = f"SELECT key, vector FROM vector WHERE key IN ({','.join('?' * AT_ONCE)})"  # noqa: S608 - placeholders only


class RememberingEncoder(Embeddings):
    """Another encoder and a file of its vectors, named by encoder and content; delete the file to forget."""

    def __init__(self, encoder: Embeddings, file: Path) -> None:
        """`file` is made when it does not exist; several processes may share it."""
        self.name = str(getattr(encoder, "name", type(encoder).__name__))
        self._encoder = encoder
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._store = sqlite3.connect(file, check_same_thread=False, timeout=60, isolation_level=None)
        self._store.execute("PRAGMA journal_mode=WAL")
        self._store.execute("CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order; only those never seen before are computed."""
        keys = [self._key("document", text) for text in texts]
        with self._lock:
            known = self._known(list(set(keys)))
            new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            if new:
                made = self._encoder.embed_documents(list(new.values()))
                known |= self._keep(list(new), made)
        return [known[key].tolist() for key in keys]

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        key = self._key("query", text)
        with self._lock:
            known = self._known([key])
            if key not in known:
                known = self._keep([key], [self._encoder.embed_query(text)])
        vector: list[float] = known[key].tolist()
        return vector

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def _key(self, use: str, text: str) -> bytes:
        return hashlib.sha256(f"{self.name}\0{use}\0{text}".encode("utf-8", "surrogatepass")).digest()

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        found: dict[bytes, NDArray[np.float32]] = {}
        for start in range(0, len(keys), AT_ONCE):
            part = [*keys[start : start + AT_ONCE]]
            rows = self._store.execute(LOOK_UP, [*part, *[b""] * (AT_ONCE - len(part))])
            found |= {key: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}
        return found

    def _keep(self, keys: Sequence[bytes], made: Sequence[Sequence[float]]) -> dict[bytes, NDArray[np.float32]]:
        rows = {key: np.asarray(vector, dtype=np.float32) for key, vector in zip(keys, made, strict=True)}
        self._store.execute("BEGIN IMMEDIATE")
        self._store.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?)", [(key, row.tobytes()) for key, row in rows.items()])
        self._store.execute("COMMIT")
        return rows
