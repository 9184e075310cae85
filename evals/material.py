"""What the benchmark reads and asks: thousands of passages made of public articles, and questions never seen before."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from knowledge.articles import ArticleText
from knowledge.embedding import Vectors, unit
from knowledge.passages import cut, embedded_text

CORPORA = (
    "corpora/arduino_help_center.jsonl",
    "corpora/duckduckgo_help_pages.jsonl",
    "retrieval/techqa/corpus.jsonl",
    "retrieval/logingov_help/corpus.jsonl",
    "retrieval/mtrag_un_govt_clapnq/corpus.jsonl",
    "retrieval/libreoffice_help/corpus.jsonl",
)
BANKING = "intents/banking77.jsonl"
MTRAG = "retrieval/mtrag_un_govt_clapnq/queries.jsonl"
PASSAGES_EACH = 8  # of a synthetic article: about what a real one has
NOISE = 0.6  # length of what is added to a real unit vector: neighbours overlap as in a crowded real index


class MissingMaterial(ValueError):
    """The data folder lacks what the benchmark is made of."""


@dataclass(frozen=True)
class Questions:
    """All distinct: one after the other, many at once, and to warm up."""

    single: tuple[str, ...]
    crowd: tuple[str, ...]
    warm: tuple[str, ...]


def articles(data: Path, passages: int) -> list[ArticleText]:
    """Articles of the public corpora, in a fixed order, that give this many passages together. Raise MissingMaterial."""
    chosen: list[ArticleText] = []
    total = 0
    for name in CORPORA:
        for row in _rows(data / name):
            text = ArticleText(f"{name}#{row['id']}", row["title"] or row["id"], row["text"], language=(row.get("lang") or "en")[:2])
            count = len(cut(text.title, text.body))
            if total + count <= passages:
                chosen.append(text)
                total += count
            if total == passages:
                return chosen
    raise MissingMaterial(f"{data}: the corpora give only {total} of {passages} passages")


def questions(data: Path, *, banking: int, mtrag: int, crowd: int, seed: int = 7) -> Questions:
    """Distinct questions of bank customers and of mtrag, shuffled. Raise MissingMaterial."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    bank = list(dict.fromkeys(row["text"] for row in _rows(data / BANKING)))
    long = list(dict.fromkeys(row["text"] for row in _rows(data / MTRAG)))
    rng.shuffle(bank)
    rng.shuffle(long)
    if len(bank) < banking + crowd + 20 or len(long) < mtrag:
        raise MissingMaterial(f"{data}: too few questions for the benchmark")
    single = bank[:banking] + long[:mtrag]
    rng.shuffle(single)
    return Questions(tuple(single), tuple(bank[banking : banking + crowd]), tuple(bank[-20:]))


def synthetic(real: Sequence[ArticleText], passages: int, seed: int = 7) -> Iterator[ArticleText]:
    """About this many passages in articles put together from paragraphs of different real ones."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    pieces = [piece.text for text in real for piece in cut(text.title, text.body)]
    made = number = 0
    while made < passages:
        title = f"{rng.choice(real).title} {number}"
        body = "\n\n".join(f"## Part {part}\n\n{_shuffled(rng.choice(pieces), rng)}" for part in range(PASSAGES_EACH))
        text = ArticleText(f"synthetic#{number}", title, body)
        made += len(cut(title, body))
        number += 1
        yield text


def embedded_texts(texts: Sequence[ArticleText]) -> list[str]:
    """What is embedded of each passage, titles aside."""
    return [embedded_text(text.title, piece) for text in texts for piece in cut(text.title, text.body)]


class Echo(Embeddings):
    """Vectors for synthetic passages without a model: a real passage's vector with noise."""

    def __init__(self, encoder: Embeddings, sample: Vectors, seed: int = 7) -> None:
        """It bears the name of `encoder`, so that its vectors belong to the same index; `sample` are real vectors."""
        self.name = str(getattr(encoder, "name", type(encoder).__name__))
        self._sample = sample
        self._rng = np.random.default_rng(seed)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        rows = self._sample[self._rng.integers(0, len(self._sample), len(texts))]
        noise = unit(self._rng.standard_normal(rows.shape).astype(np.float32))
        made: list[list[float]] = unit(rows + NOISE * noise).tolist()
        return made

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        raise MissingMaterial(f"{file} is missing")
    with file.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _shuffled(text: str, rng: random.Random) -> str:
    words = text.split()
    rng.shuffle(words)
    return " ".join(words)
