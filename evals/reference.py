"""What the benchmark compares with, measured in the same run: sentence-transformers' plain encode and a numpy top 20."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from evals.datasets import Query, RetrievalSet
from knowledge.embedding import MiniLM, Vectors
from knowledge.passages import cut, embedded_text

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Encode = Callable[[list[str]], Any]

NEAREST = 20
ROUNDS = 4  # both encoders take turns on quarters of the texts, so that a busy machine slows both alike


@dataclass(frozen=True)
class Floor:
    """The reference encoder with the vectors it searches; `milliseconds` is the physical least a question takes."""

    model: "SentenceTransformer"
    passages: Vectors

    def milliseconds(self, questions: Sequence[str]) -> list[float]:
        """Embedding each question and finding the nearest 20 passages, in this process."""
        return [self._once(question) for question in questions]

    def _once(self, question: str) -> float:
        began = time.perf_counter()
        scores = self.passages @ np.asarray(self.model.encode(question), dtype=np.float32)
        nearest = np.argpartition(-scores, NEAREST)[:NEAREST]
        nearest[np.argsort(-scores[nearest])]
        return 1000 * (time.perf_counter() - began)


@dataclass(frozen=True)
class Embedding:
    """Passages a second by each encoder on the same texts, and hit@5 of each alone by its cosines."""

    ours_per_second: float
    plain_per_second: float
    ours_hit5: float
    plain_hit5: float
    passages: int
    queries: int


def plain_model(ours: MiniLM) -> "SentenceTransformer":
    """sentence-transformers with the same published weights, as its own documentation loads it."""
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    return SentenceTransformer(str(ours.folder), device="cpu", local_files_only=True)


def compare_embedding(ours: MiniLM, plain: "SentenceTransformer", material: RetrievalSet, most: int) -> Embedding:
    """Embed up to `most` passages of a set with both; needs a set with gold articles."""
    owners, texts = _passages(material, most)
    spent = {"ours": 0.0, "plain": 0.0}
    made: dict[str, list[Any]] = {"ours": [], "plain": []}
    encode: dict[str, Encode] = {"ours": ours.embed_documents, "plain": partial(_plain, plain)}
    for name, embed in encode.items():
        embed(texts[:8])
        spent[name] = 0.0
    for part in np.array_split(np.arange(len(texts)), ROUNDS):
        for name, embed in encode.items():
            began = time.perf_counter()
            made[name].append(np.asarray(embed([texts[i] for i in part]), dtype=np.float32))
            spent[name] += time.perf_counter() - began
    asked = [query for query in material.queries if query.gold & set(owners)]
    hits = {name: _hit5(np.concatenate(rows), owners, asked, encode[name]) for name, rows in made.items()}
    return Embedding(len(texts) / spent["ours"], len(texts) / spent["plain"], hits["ours"], hits["plain"], len(texts), len(asked))


def _passages(material: RetrievalSet, most: int) -> tuple[list[str], list[str]]:
    pairs = [(d.doc_id, embedded_text(d.title, piece)) for d in material.documents for piece in cut(d.title, d.text)][:most]
    return [owner for owner, _ in pairs], [text for _, text in pairs]


def _plain(model: "SentenceTransformer", texts: list[str]) -> Vectors:
    return np.asarray(model.encode(texts, show_progress_bar=False), dtype=np.float32)


def _hit5(rows: Vectors, owners: list[str], asked: Sequence[Query], embed: Encode) -> float:
    """Share of questions with a gold article among the first five articles by best passage."""
    vectors = np.asarray(embed([q.text for q in asked]), dtype=np.float32)
    hits = 0
    for question, scores in zip(asked, vectors @ rows.T, strict=True):
        order = dict.fromkeys(owners[i] for i in np.argsort(-scores)[:100])
        hits += bool(set(list(order)[:5]) & question.gold)
    return hits / len(asked)
