"""Passages that may answer the question, best first, with a calibrated probability that they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from knowledge import confidence, ranking
from knowledge.asking import MAIN_LANGUAGES, Asked, Ears
from knowledge.confidence import Band, Confidence
from knowledge.keywords import terms
from knowledge.live import (
    WORDING,
    Live,
    LiveArticles,
    SearchableArticle,
    SearchablePassage,
    TitleVectors,
    embedded_titles,
    title_cosines,
)
from knowledge.ranking import Evidence, Method, Numbers, Ranking
from knowledge.vectors import MemoryVectorIndex, VectorIndex, Vectors

__all__ = [
    "WORDING",
    "Band",
    "Explanation",
    "Found",
    "Hit",
    "MemoryVectorIndex",
    "SearchableArticle",
    "SearchablePassage",
    "Searcher",
    "TitleVectors",
    "VectorIndex",
]

CANDIDATES = 100  # passages each method may propose; 60 lose half a point of hit@5, 200 win nothing
ENOUGH = 33  # live passages of a vector index; with fewer, more is asked
PAIRED = 40  # passages that pairs of words may propose
MOST_ASKED = 2500  # entries of a vector index that are looked at before giving up on dead ones
IN_ENGLISH = 0.5  # how foreign a question is to the main encoder that was put into English words; flat from .3 to .7


@dataclass(frozen=True)
class Hit:
    """A passage that was found; `scores` are raw, by method, without those that did not propose it."""

    article_id: str
    passage_id: str
    title: str
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Explanation:
    """Why this was found: for the trace and the evals."""

    features: Mapping[str, float] = field(default_factory=dict)
    articles: tuple[tuple[str, float], ...] = ()  # article ids and scores, best first, more than the passages show
    dropped: tuple[str, ...] = ()  # what a vector index proposed that is not live
    language: str | None = None


@dataclass(frozen=True)
class Found:
    """Passages best first, with the probability that they answer the question."""

    passages: tuple[Hit, ...]
    probability: float
    band: Band
    explanation: Explanation = field(default_factory=Explanation)


class Searcher:
    """Joins the vector indexes, the keyword index and the fitted confidence. Safe for concurrent `find` and `put`."""

    def __init__(
        self,
        encoder: Embeddings,
        index: VectorIndex,
        *,
        multilingual: Embeddings | None = None,
        multilingual_index: VectorIndex | None = None,
        fitted: Confidence | None = None,
        main_languages: frozenset[str] = MAIN_LANGUAGES,
        live: Any = None,
    ) -> None:
        """`index` and `multilingual_index` hold the vectors of `SearchableArticle.entries`; the publisher fills them.

        `live`: what may be found, when it is not what is put here (a trial).
        """
        self._ears = Ears(encoder, multilingual, main_languages)
        self._index, self._multilingual_index = index, multilingual_index
        self._confidence = fitted or confidence.load()
        self._live = LiveArticles() if live is None else live

    def put(self, article: SearchableArticle, titles: TitleVectors | None = None) -> None:
        """Make an article findable, or replace it."""
        self.put_many([article], None if titles is None else [titles])

    def put_many(self, articles: Sequence[SearchableArticle], titles: Sequence[TitleVectors] | None = None) -> None:
        """Make articles findable; title vectors that are not handed in are made in one batch."""
        if titles is None:
            titles = embedded_titles(articles, self._ears.main, self._ears.multilingual)
        self._live.put(articles, titles)

    def remove(self, article_id: str) -> None:
        """Forget an article: it is gone from the next `find`."""
        self._live.remove([article_id])

    @property
    def live(self) -> LiveArticles:
        """What can be found."""
        found: LiveArticles = self._live
        return found

    def rarity(self, word: str) -> float:
        """The inverse document frequency of a stemmed word among the live passages."""
        return self._live.passage_words.rarity([word])[word]

    def find(
        self,
        question: str,
        *,
        vector: Vectors | None = None,
        multilingual_vector: Vectors | None = None,
        language: str | None = None,
        limit: int = 5,
    ) -> Found:
        """The passages that may answer a question that stands alone; none when nothing is live or the question is blank."""
        if not question.strip() or not len(self._live):
            return Found((), 0.0, Band.NOT_COVERED)
        asked = self._ears.hear(question, vector, multilingual_vector, language, self._live.passage_words.count)
        lives, evidence, dropped = self._evidence(asked)
        if not evidence.passages:
            return Found((), 0.0, Band.NOT_COVERED, Explanation(dropped=dropped, language=asked.language))
        ranked = ranking.rank(evidence)
        first = evidence.passages[ranked.rows[0]]
        features = confidence.features(evidence, ranked, self._missing(asked, lives[first].text(first)), mixed=self._live.mixed)
        probability = self._confidence.probability(features)
        return Found(
            tuple(_hit(lives, evidence, row, score) for row, score in zip(ranked.rows[:limit], ranked.scores, strict=False)),
            probability,
            self._confidence.band(probability),
            Explanation(features, _first(ranked, 2 * limit), dropped, asked.language),
        )

    def _evidence(self, asked: Asked) -> tuple[dict[str, Live], Evidence, tuple[str, ...]]:
        """The live articles by passage, a row of scores for each passage, and what was proposed but is not live."""
        meaning, dead = _nearest(self._index, asked.vector, self._live)
        multilingual, also_dead = _nearest(self._multilingual_index, asked.multilingual, self._live)
        proposed = {
            Method.MEANING: meaning,
            Method.MULTILINGUAL: multilingual,
            Method.WORDS: dict(self._live.passage_words.search(asked.words, CANDIDATES)),
            Method.PAIRS: dict(self._live.passage_words.search_pairs(asked.words, PAIRED)),
        }
        by_article = dict(self._live.article_words.search(asked.words, CANDIDATES))
        every = dict.fromkeys(passage for scores in proposed.values() for passage in scores)
        lives = {passage: live for passage in every if (live := self._live.of(passage)) is not None}
        passages = tuple(lives)
        articles = tuple(live.article.article_id for live in lives.values())
        by_id = dict(zip(articles, lives.values(), strict=True))
        scores = np.full((len(passages), len(Method)), np.nan)
        for method, values in proposed.items():
            scores[:, method] = ranking.column(values, passages)
        scores[:, Method.ARTICLE_WORDS] = ranking.column(by_article, articles)
        scores[:, Method.TITLE] = ranking.column(title_cosines(by_id, asked.vector), articles)
        if asked.multilingual is not None:
            titles = title_cosines(by_id, asked.multilingual, multilingual=True)
            scores[:, Method.TITLE_MULTILINGUAL] = ranking.column(titles, articles)
        foreign, other = self._languages(asked, list(lives.values()))
        faq = np.array([live.article.kind == "faq" for live in lives.values()], dtype=np.float64)
        return lives, Evidence(passages, articles, scores, foreign, other, faq), tuple(dict.fromkeys([*dead, *also_dead]))

    def _languages(self, asked: Asked, lives: Sequence[Live]) -> tuple[Numbers, Numbers]:
        """How foreign each article is to the main encoder, and whether it is in another language than the question."""
        other = np.array([_differ(asked.language, live.language) for live in lives], dtype=np.float64)
        if asked.multilingual is None:
            return np.zeros(len(lives)), other
        question = self._foreign_question(asked)
        foreign = [max(question, float(self._is_foreign(live.language))) for live in lives]
        return np.array(foreign), other

    def _is_foreign(self, language: str | None) -> bool:
        return language is not None and language not in self._ears.main_languages

    def _foreign_question(self, asked: Asked) -> float:
        """1 for a language the main encoder does not know; for one we cannot tell, the share of words no article has."""
        if asked.in_english:
            return IN_ENGLISH
        if asked.language is not None:
            return float(self._is_foreign(asked.language))
        rarity = self._live.passage_words.rarity(asked.words)
        unknown = self._live.passage_words.unknown(asked.words)
        whole = sum(rarity.values())
        return sum(rarity[word] for word in unknown) / whole if whole else 0.0

    def _missing(self, asked: Asked, text: str) -> float:
        """The rarity of the rarest word of the question that a passage lacks, as a share of what a new word would have."""
        words = dict.fromkeys(asked.words)
        there = set(terms(text))
        rarity = self._live.passage_words.rarity(word for word in words if word not in there)
        return max(rarity.values(), default=0.0) / self._live.passage_words.highest_rarity()


def _nearest(index: VectorIndex | None, vector: Vectors | None, live: LiveArticles) -> tuple[dict[str, float], list[str]]:
    """The best cosine by live passage, where a wording speaks for its passage, and the entries that are not live.

    Asks for more when what is not live, or one FAQ of many wordings, leaves too little.
    """
    if index is None or vector is None:
        return {}, []
    asked = CANDIDATES
    while True:
        best: dict[str, float] = {}
        dead: list[str] = []
        entries = index.nearest(vector, asked)
        for entry, cosine in entries:
            passage = entry.partition(WORDING)[0]
            if passage in best:
                continue
            if live.of(passage) is None:
                dead.append(entry)
            else:
                best[passage] = cosine
        if len(best) >= ENOUGH or len(entries) < asked or asked >= MOST_ASKED:
            return best, dead
        asked *= 5


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _first(ranked: Ranking, count: int) -> tuple[tuple[str, float], ...]:
    return tuple(zip(ranked.articles, ranked.article_scores, strict=True))[:count]


def _hit(lives: Mapping[str, Live], evidence: Evidence, row: int, score: float) -> Hit:
    passage_id = evidence.passages[row]
    raw = {method.name.lower(): float(evidence.scores[row, method]) for method in Method}
    known = {name: value for name, value in raw.items() if not np.isnan(value)}
    article = lives[passage_id].article
    return Hit(article.article_id, passage_id, article.title, score, known)
