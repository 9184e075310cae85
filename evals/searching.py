"""Builds the product's own search over a set and asks it every question: what all search evals share."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from evals.datasets import Document, RetrievalSet
from knowledge.confidence import Confidence
from knowledge.passages import cut, embedded_text
from knowledge.search import Found, MemoryVectorIndex, SearchableArticle, SearchablePassage, Searcher, TitleVectors
from knowledge.vectors import Vectors

SHOWN = 10  # documents a ranking is graded on


class KeptEncoder(Embeddings):
    """An encoder that remembers its vectors, and keeps them in a file, so that an eval can be run again quickly."""

    def __init__(self, make: Callable[[], Embeddings], file: Path | None = None) -> None:
        """`make` is called only when a text is new."""
        self._make, self._file = make, file
        self._encoder: Embeddings | None = None
        self._rows: dict[str, Vectors] = {}
        if file is not None and file.exists():
            with np.load(file, allow_pickle=False) as stored:
                self._rows = dict(zip(stored["keys"].tolist(), stored["rows"], strict=True))

    def embed_documents(self, texts: list[str]) -> Any:
        """One row per text."""
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._rows}
        if new:
            self._encoder = self._encoder or self._make()
            made = np.asarray(self._encoder.embed_documents(list(new.values())), dtype=np.float32)
            self._rows.update(zip(new, made, strict=True))
        return np.stack([self._rows[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)

    def embed_query(self, text: str) -> Any:
        """One row."""
        return self.embed_documents([text])[0]

    def save(self) -> None:
        """Write the file."""
        if self._file is not None and self._rows:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._file, keys=np.array(list(self._rows)), rows=np.stack(list(self._rows.values())))


@dataclass(frozen=True)
class Bench:
    """A searcher over one set, and what is needed to take an article out and put it back."""

    name: str
    searcher: Searcher
    articles: dict[str, SearchableArticle]
    titles: dict[str, TitleVectors]


@dataclass(frozen=True)
class Answered:
    """What search gave for one question: documents best first, graded by the caller."""

    documents: tuple[str, ...]
    found: Found


def searchable(document: Document) -> SearchableArticle:
    """A document as the publisher would hand it to search."""
    pieces = cut(document.title, document.text) or cut(document.title, document.title)
    passages = tuple(SearchablePassage(f"{document.doc_id}#{piece.position}", embedded_text(document.title, piece)) for piece in pieces)
    return SearchableArticle(
        document.doc_id, document.title, passages, document.kind, document.wordings, document.language, document.summary
    )


def bench(data: RetrievalSet, main: Embeddings, multilingual: Embeddings | None, fitted: Confidence | None = None) -> Bench:
    """Embed and index a set."""
    articles = [searchable(document) for document in data.documents]
    entries = [entry for article in articles for entry in article.entries()]
    ids, texts = [entry[0] for entry in entries], [entry[1] for entry in entries]
    index = _indexed(main, ids, texts)
    other = None if multilingual is None else _indexed(multilingual, ids, texts)
    searcher = Searcher(main, index, multilingual=multilingual, multilingual_index=other, fitted=fitted)
    titles = _titles(articles, main, multilingual)
    searcher.put_many(articles, titles)
    ids_of = [article.article_id for article in articles]
    return Bench(data.name, searcher, dict(zip(ids_of, articles, strict=True)), dict(zip(ids_of, titles, strict=True)))


def _indexed(encoder: Embeddings, ids: list[str], texts: list[str]) -> MemoryVectorIndex:
    index = MemoryVectorIndex()
    index.put(ids, np.asarray(encoder.embed_documents(texts), dtype=np.float32))
    return index


def _titles(articles: Sequence[SearchableArticle], main: Embeddings, multilingual: Embeddings | None) -> list[TitleVectors]:
    return [
        TitleVectors(
            np.asarray(main.embed_documents(article.titles), dtype=np.float32),
            None if multilingual is None else np.asarray(multilingual.embed_documents(article.titles), dtype=np.float32),
        )
        for article in articles
    ]


def ask(on: Bench, question: str, **given: Any) -> Answered:
    """Documents best first; articles are ranked by their best passage."""
    found = on.searcher.find(question, limit=SHOWN, **given)
    return Answered(tuple(article_id for article_id, _ in found.explanation.articles[:SHOWN]), found)
