"""Passages that may answer the question, best first, with a calibrated probability that they do."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from langchain_core.embeddings import Embeddings

from knowledge import confidence, ranking
from knowledge.confidence import Band as Band
from knowledge.confidence import Confidence
from knowledge.keywords import KeywordIndex, terms
from knowledge.ranking import Evidence, Method, Ranking
from knowledge.vectors import MemoryVectorIndex as MemoryVectorIndex
from knowledge.vectors import VectorIndex as VectorIndex
from knowledge.vectors import Vectors

CANDIDATES = 60  # passages each method may propose
WORDING = "~"  # between a passage id and the number of a wording, in a vector index


@dataclass(frozen=True)
class SearchablePassage:
    """A passage as search sees it; `text` is what `passages.embedded_text` gives."""

    passage_id: str
    text: str


@dataclass(frozen=True)
class SearchableArticle:
    """A published article or FAQ. For a FAQ the title is the question and `wordings` are other ways to ask it."""

    article_id: str
    title: str
    passages: tuple[SearchablePassage, ...]
    kind: Literal["article", "faq"] = "article"
    wordings: tuple[str, ...] = ()
    language: str | None = None

    @property
    def titles(self) -> list[str]:
        """The title and the other wordings: what title vectors are made of, in this order."""
        return [self.title, *self.wordings]

    def entries(self) -> list[tuple[str, str]]:
        """Id and text of everything the publisher embeds and puts into each vector index.

        The passages and, for a FAQ, its wordings, so that a wording is found as easily as a passage.
        """
        own = [(passage.passage_id, passage.text) for passage in self.passages]
        if self.kind != "faq" or not self.passages:
            return own
        first = self.passages[0].passage_id
        return own + [(f"{first}{WORDING}{n}", wording) for n, wording in enumerate(self.titles)]


@dataclass(frozen=True)
class Hit:
    """A passage that was found; `scores` are the raw scores by method (absent when a method did not propose it)."""

    article_id: str
    passage_id: str
    title: str
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Explanation:
    """Why this was found: for the trace and the evals."""

    features: Mapping[str, float] = field(default_factory=dict)
    articles: tuple[tuple[str, float], ...] = ()
    dropped: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True)
class Found:
    """Passages best first, with the probability that they answer the question."""

    passages: tuple[Hit, ...]
    probability: float
    band: Band
    explanation: Explanation = field(default_factory=Explanation)


@dataclass(frozen=True)
class TitleVectors:
    """One row per title of an article (`SearchableArticle.titles`), by the encoder and by the multilingual one."""

    main: Vectors
    multilingual: Vectors | None = None


@dataclass(frozen=True)
class _Live:
    article: SearchableArticle
    titles: TitleVectors


class Searcher:
    """Everything that is kept in memory about the live articles. Safe for concurrent `find` and `put`."""

    def __init__(
        self,
        encoder: Embeddings,
        index: VectorIndex,
        *,
        multilingual: Embeddings | None = None,
        multilingual_index: VectorIndex | None = None,
        fitted: Confidence | None = None,
    ) -> None:
        """`index` and `multilingual_index` hold the vectors of `SearchableArticle.entries`; the publisher fills them."""
        self._encoder, self._index = encoder, index
        self._multilingual, self._multilingual_index = multilingual, multilingual_index
        self._confidence = fitted or confidence.load()
        self._passage_words, self._article_words = KeywordIndex(), KeywordIndex()
        self._articles: dict[str, _Live] = {}
        self._article_of: dict[str, str] = {}
        self._lock = threading.Lock()

    def put(self, article: SearchableArticle, titles: TitleVectors | None = None) -> None:
        """Make an article findable, or replace it."""
        self.put_many([article], None if titles is None else [titles])

    def put_many(self, articles: list[SearchableArticle], titles: list[TitleVectors] | None = None) -> None:
        """Make articles findable; title vectors that are not handed in are made in one batch."""
        rows = titles if titles is not None else self._embedded_titles(articles)
        with self._lock:
            old = [passage for article in articles for passage in self._passages_of(article.article_id)]
            self._passage_words.replace(old, {p.passage_id: p.text for a in articles for p in a.passages})
            self._article_words.put({a.article_id: _whole(a) for a in articles})
            for passage_id in old:
                self._article_of.pop(passage_id, None)
            for article, vectors in zip(articles, rows, strict=True):
                self._articles[article.article_id] = _Live(article, vectors)
                self._article_of.update((p.passage_id, article.article_id) for p in article.passages)

    def remove(self, article_id: str) -> None:
        """Forget an article: it is gone from the next `find`."""
        with self._lock:
            gone = self._passages_of(article_id)
            self._articles.pop(article_id, None)
            for passage_id in gone:
                self._article_of.pop(passage_id, None)
            self._passage_words.remove(gone)
            self._article_words.remove([article_id])

    def find(
        self,
        question: str,
        *,
        vector: Vectors | None = None,
        multilingual_vector: Vectors | None = None,
        language: str | None = None,
        limit: int = 5,
    ) -> Found:
        """The passages that may answer a question that stands alone; empty when nothing is live."""
        if vector is None:
            vector = np.asarray(self._encoder.embed_query(question), dtype=np.float32)
        evidence, dropped = self._evidence(question, vector)
        if not evidence.passages:
            return Found((), 0.0, Band.NOT_COVERED)
        ranked = ranking.rank(evidence)
        features = _features(evidence, ranked)
        probability = self._confidence.probability(list(features.values()))
        articles = tuple(zip(ranked.articles, ranked.article_scores, strict=True))[: 2 * limit]
        return Found(
            tuple(self._hit(evidence, row, score) for row, score in zip(ranked.rows[:limit], ranked.scores, strict=False)),
            probability,
            self._confidence.band(probability),
            Explanation(features, articles, dropped, language),
        )

    def rarity(self, word: str) -> float:
        """The inverse document frequency of a stemmed word among the live passages."""
        return self._passage_words.rarity([word])[word]

    def _evidence(self, question: str, vector: Vectors) -> tuple[Evidence, tuple[str, ...]]:
        words = terms(question)
        meaning, dropped = self._nearest(self._index, vector)
        by_words = dict(self._passage_words.search(words, CANDIDATES))
        by_article = dict(self._article_words.search(words, CANDIDATES))
        article_of = self._article_of
        found = [p for p in dict.fromkeys([*meaning, *by_words]) if p in article_of]
        articles = [article_of.get(p, "") for p in found]
        scores = np.full((len(found), len(Method)), np.nan)
        scores[:, Method.MEANING] = ranking.column(meaning, found)
        scores[:, Method.WORDS] = ranking.column(by_words, found)
        scores[:, Method.TITLE] = ranking.column(self._title_cosines(set(articles), vector), articles)
        scores[:, Method.ARTICLE_WORDS] = ranking.column(by_article, articles)
        return Evidence(tuple(found), tuple(articles), scores), dropped

    def _nearest(self, index: VectorIndex, vector: Vectors) -> tuple[dict[str, float], tuple[str, ...]]:
        """The best cosine by passage, and the ids that are not live."""
        best: dict[str, float] = {}
        dropped: list[str] = []
        for entry, cosine in index.nearest(vector, CANDIDATES):
            passage_id = entry.partition(WORDING)[0]
            if passage_id in self._article_of:
                best.setdefault(passage_id, cosine)
            else:
                dropped.append(entry)
        return best, tuple(dropped)

    def _title_cosines(self, articles: set[str], vector: Vectors) -> dict[str, float]:
        live = [(article_id, entry) for article_id in articles if (entry := self._articles.get(article_id))]
        return {article_id: float(np.max(entry.titles.main @ vector)) for article_id, entry in live}

    def _hit(self, evidence: Evidence, row: int, score: float) -> Hit:
        article_id = evidence.articles[row]
        live = self._articles.get(article_id)
        raw = {method.name.lower(): float(evidence.scores[row, method]) for method in Method}
        known = {name: value for name, value in raw.items() if not np.isnan(value)}
        return Hit(article_id, evidence.passages[row], live.article.title if live else "", score, known)

    def _passages_of(self, article_id: str) -> list[str]:
        live = self._articles.get(article_id)
        return [passage.passage_id for passage in live.article.passages] if live else []

    def _embedded_titles(self, articles: Iterable[SearchableArticle]) -> list[TitleVectors]:
        batches = [article.titles for article in articles]
        flat = [title for batch in batches for title in batch]
        main = np.asarray(self._encoder.embed_documents(flat), dtype=np.float32)
        other = None if self._multilingual is None else np.asarray(self._multilingual.embed_documents(flat), dtype=np.float32)
        out, start = [], 0
        for batch in batches:
            rows = slice(start, start + len(batch))
            out.append(TitleVectors(main[rows], None if other is None else other[rows]))
            start += len(batch)
        return out


def _whole(article: SearchableArticle) -> str:
    return "\n".join([*article.titles, *(passage.text for passage in article.passages)])


def _features(evidence: Evidence, ranked: Ranking) -> dict[str, float]:
    best = evidence.scores[ranked.rows[0]]
    second = ranked.article_scores[1] if len(ranked.articles) > 1 else 0.0
    meaning = float(np.nan_to_num(best[Method.MEANING]))
    return {"meaning": meaning, "title": float(best[Method.TITLE]), "margin": ranked.article_scores[0] - second}
