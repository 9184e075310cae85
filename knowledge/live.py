"""What search keeps in memory about the live articles: their words, their titles, and which passage is whose."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from knowledge.keywords import KeywordIndex, terms
from knowledge.language import detect
from knowledge.vectors import Vectors

WORDING = "~"  # between a passage id and the number of a wording, in a vector index
SAMPLED = 100  # articles from which average lengths are told
MIXED = 0.02  # share of FAQs, and of articles, from which a library has both

Stored = NDArray[np.float16]  # half the memory; a cosine moves by less than .001


def titles(title: str, wordings: Sequence[str], summary: str) -> list[str]:
    """Everything short that says what an article is about: its title, other wordings of a FAQ, and its summary if it has one."""
    return [title, *wordings, *([summary] if summary.strip() else [])]


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
    language: str | None = None  # detected from the text when not known
    summary: str = ""

    @property
    def titles(self) -> list[str]:
        """What title vectors are made of, in this order."""
        return titles(self.title, self.wordings, self.summary)

    def entries(self) -> list[tuple[str, str]]:
        """Id and text of everything the publisher embeds and puts into each vector index.

        The passages and, for a FAQ, its wordings, so that a wording is found as easily as a passage.
        """
        own = [(passage.passage_id, passage.text) for passage in self.passages]
        if self.kind != "faq" or not self.passages:
            return own
        first = self.passages[0].passage_id
        return own + [(f"{first}{WORDING}{n}", wording) for n, wording in enumerate([self.title, *self.wordings])]


@dataclass(frozen=True)
class TitleVectors:
    """One row per title of an article (`SearchableArticle.titles`), by the encoder and by the multilingual one."""

    main: Vectors
    multilingual: Vectors | None = None


@dataclass(frozen=True)
class Live:
    """An article that can be found."""

    article: SearchableArticle
    language: str | None
    titles: Stored
    multilingual_titles: Stored | None

    def text(self, passage_id: str) -> str:
        """What is indexed for one of its passages; empty for a passage it no longer has."""
        return next((p.text for p in self.article.passages if p.passage_id == passage_id), "")


@dataclass(frozen=True)
class Average:
    """Words of a passage and of a whole article."""

    passage: float
    article: float


class LiveArticles:
    """Articles by id. One change at a time; readers are never blocked and see an article whole or not at all."""

    def __init__(self) -> None:
        """Nothing is live."""
        self.passage_words, self.article_words = KeywordIndex(), KeywordIndex()
        self._articles: dict[str, Live] = {}
        self._article_of: dict[str, str] = {}
        self._faqs: set[str] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many articles are live."""
        return len(self._articles)

    @property
    def mixed(self) -> bool:
        """Whether articles and FAQs stand side by side: at least one in fifty of each."""
        return MIXED * len(self) <= len(self._faqs) <= (1 - MIXED) * len(self)

    def put(self, articles: Sequence[SearchableArticle], titles: Sequence[TitleVectors]) -> None:
        """Make articles findable, or replace them."""
        with self._lock:
            old = [passage_id for article in articles for passage_id in self._passages_of(article.article_id)]
            for passage_id in old:
                self._article_of.pop(passage_id, None)
            for article, vectors in zip(articles, titles, strict=True):
                self._articles[article.article_id] = live_of(article, vectors)
                (self._faqs.add if article.kind == "faq" else self._faqs.discard)(article.article_id)
                self._article_of.update((passage.passage_id, article.article_id) for passage in article.passages)
            self.passage_words.replace(old, {p.passage_id: p.text for article in articles for p in article.passages})
            self.article_words.put({article.article_id: whole(article) for article in articles})

    def remove(self, article_ids: Iterable[str]) -> None:
        """Forget articles: they are gone from the next search."""
        with self._lock:
            ids = list(article_ids)
            gone = [passage_id for article_id in ids for passage_id in self._passages_of(article_id)]
            for passage_id in gone:
                self._article_of.pop(passage_id, None)
            for article_id in ids:
                self._articles.pop(article_id, None)
                self._faqs.discard(article_id)
            self.passage_words.remove(gone)
            self.article_words.remove(ids)

    def of(self, passage_id: str) -> Live | None:
        """The article a passage belongs to, while it is live."""
        return self._articles.get(self._article_of.get(passage_id, ""))

    @property
    def ids(self) -> set[str]:
        """The articles that can be found."""
        return set(self._articles)

    def passages_of(self, article_ids: Iterable[str]) -> list[str]:
        """The passages of some articles."""
        return [passage_id for article_id in article_ids for passage_id in self._passages_of(article_id)]

    def average_words(self) -> Average:
        """How long passages and articles are, from a sample."""
        every = list(self._articles.values())
        lives = every[:: max(1, len(every) // SAMPLED)]
        passages = [len(terms(passage.text)) for live in lives for passage in live.article.passages[:1]]
        wholes = [len(terms(whole(live.article))) for live in lives]
        return Average(sum(passages) / max(1, len(passages)), sum(wholes) / max(1, len(wholes)))

    def _passages_of(self, article_id: str) -> list[str]:
        live = self._articles.get(article_id)
        return [passage.passage_id for passage in live.article.passages] if live else []


def title_cosines(lives: Mapping[str, Live], vector: Vectors, *, multilingual: bool = False) -> dict[str, float]:
    """The cosine of a question and the nearest title of each article."""
    keys, rows = [], []
    for key, live in lives.items():
        titles = live.multilingual_titles if multilingual else live.titles
        if titles is not None and len(titles):
            keys.append(key)
            rows.append(titles)
    if not rows:
        return {}
    cosines = np.concatenate(rows).astype(np.float32) @ vector
    if len(cosines) > len(rows):
        cosines = np.maximum.reduceat(cosines, np.cumsum([0, *map(len, rows[:-1])]))
    return dict(zip(keys, cosines.tolist(), strict=True))


def embedded_titles(articles: Sequence[SearchableArticle], encoder: Embeddings, multilingual: Embeddings | None) -> list[TitleVectors]:
    """Title vectors of many articles, made in one batch per encoder."""
    flat = [title for article in articles for title in article.titles]
    if not flat:
        return []
    main = np.asarray(encoder.embed_documents(flat), dtype=np.float32)
    other = None if multilingual is None else np.asarray(multilingual.embed_documents(flat), dtype=np.float32)
    out, start = [], 0
    for article in articles:
        rows = slice(start, start + len(article.titles))
        out.append(TitleVectors(main[rows], None if other is None else other[rows]))
        start = rows.stop
    return out


def live_of(article: SearchableArticle, titles: TitleVectors) -> Live:
    """An article as search holds it."""
    other = None if titles.multilingual is None else titles.multilingual.astype(np.float16)
    language = article.language or detect(whole(article))
    return Live(article, language, titles.main.astype(np.float16), other)


def whole(article: SearchableArticle) -> str:
    """All the words of an article: titles and passages."""
    return "\n".join([*article.titles, *(passage.text for passage in article.passages)])
