"""The one door to knowledge: publish into it, search it, rebuild it, and it stays in line with SQL.

Several processes may share one database. Each notices by a version number, read before every search,
that something changed, and brings its memory up to date before it answers.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
from langchain_core.embeddings import Embeddings
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge import golden, reindexing, reranking
from knowledge.articles import ArticleText
from knowledge.confidence import Confidence
from knowledge.publishing import Publisher
from knowledge.rehearsal import Change, Edit, Rehearsals, Stage
from knowledge.reranking import Reranker
from knowledge.search import Found, SearchableArticle, SearchablePassage, Searcher, TitleVectors
from knowledge.staging import Collection, Hold, PassageIndex, Sessions, batches, epoch_family, hold_nothing
from knowledge.tables import Article, IndexState, Passage, TitleVector
from knowledge.vectors import VectorIndex, Vectors

MAIN, MULTILINGUAL = "main", "multilingual"
LOAD_BATCH = 400


def comparing(encoders: Mapping[str, object]) -> str:
    """The encoder that tells how like two texts are, whatever their languages: the multilingual one where there is one."""
    return MULTILINGUAL if MULTILINGUAL in encoders else MAIN


class StaleIndexError(Exception):
    """The index was made with other encoders or another passage format, and must be rebuilt before it can be searched."""


class SearchableCollection(Collection, VectorIndex, Protocol):
    """A collection that can be written and searched; ChromaIndex is one."""


@dataclass(frozen=True)
class Place:
    """A live passage with what is needed to quote and link it."""

    passage: Passage
    article: Article


@dataclass(frozen=True)
class _Opened:
    """Everything that belongs to one epoch of the index."""

    index: PassageIndex
    searcher: Searcher
    collections: Mapping[str, SearchableCollection]


class Library:
    """Articles that can be published and found. Safe for use from several threads."""

    def __init__(
        self,
        sessions: Sessions,
        encoders: Mapping[str, Embeddings],
        open_collection: Callable[[str], SearchableCollection],
        new_id: Callable[[], str],
        *,
        fitted: Confidence,
        hold: Hold = hold_nothing,
        reranker: Reranker | None = None,
    ) -> None:
        """`encoders` has `main` and perhaps `multilingual`; `open_collection` opens or makes a collection by name."""
        self.sessions, self.encoders, self.new_id, self.fitted, self.hold = sessions, encoders, new_id, fitted, hold
        self._open_collection, self.reranker = open_collection, reranker
        self._family = epoch_family(encoders)
        self._lock = threading.RLock()
        self._opened: _Opened | None = None
        self._publisher = Publisher(sessions, self._index_now, new_id, hold, self._gate)
        self._rehearsals = Rehearsals(encoders)
        self._version = -1
        self._loaded: dict[str, tuple[int, int]] = {}
        self._suspected: set[str] = set()

    # ── opening ─────────────────────────────────────────────────────────────────────────────────

    def open(self) -> tuple[int, int]:
        """Make the index agree with SQL and load what search keeps in memory. Raise StaleIndexError.

        Gives how many vectors were removed and added by the reconciliation.
        """
        with self.sessions.read() as session:
            epoch = session.get_one(IndexState, 0).epoch
        if epoch and not epoch.startswith(self._family):
            raise StaleIndexError("the index was made with another embedding model or passage format")
        with self._lock:
            opened = self._open(epoch or self._first_epoch())
            repaired = reindexing.reconcile(self.sessions, opened.index)
            with self.sessions.read() as session:
                self._bring(session, opened)
        return repaired

    def repair(self) -> tuple[int, int]:
        """Bring the index in line with SQL while others publish; how many vectors were removed and added.

        What SQL does not list is removed when two looks in a row find it, which should lie some minutes apart.
        """
        index = self._index_now()
        self._suspected, removed, added = reindexing.repair(self.sessions, index, self._suspected)
        return removed, added

    def reindex(self, progress: Callable[[int, int], None], *, now: datetime) -> int:
        """Build a new index beside the old one from SQL and swap; how many passages are live."""
        with self.sessions.read() as session:
            current = session.get_one(IndexState, 0).epoch
        number = int(current.rpartition("-")[2] or 0) + 1 if current else 1
        new = self._index(f"{self._family}-{number}")
        live = reindexing.rebuild(self.sessions, new, self.new_id, self.hold, progress, now=now)
        self.open()
        return live

    @property
    def publisher(self) -> Publisher:
        """Publishes into the epoch that answers come from."""
        self._now()
        return self._publisher

    @property
    def collection_names(self) -> list[str]:
        """The collections of the present epoch."""
        return [_collection_name(self._now().index.epoch, name) for name in self.encoders]

    # ── searching ───────────────────────────────────────────────────────────────────────────────

    def find(self, question: str, vectors: Mapping[str, Vectors], *, language: str | None = None, limit: int = 5) -> Found:
        """Passages that may answer the question, best first. `vectors` has the question's vector by encoder, as the only or first row."""
        self.refresh()
        found = self._now().searcher.find(
            question,
            vector=vectors[MAIN][0],
            multilingual_vector=vectors[MULTILINGUAL][0] if MULTILINGUAL in vectors else None,
            language=language,
            limit=max(limit, reranking.CANDIDATES) if self.reranker else limit,
        )
        return self._reranked(question, found, limit) if self.reranker else found

    def places(self, session: Session, article_ids: Sequence[str]) -> dict[str, list[Place]]:
        """The live passages of these articles as SQL has them this moment, in reading order: the last word on what may be quoted."""
        query = (
            select(Passage, Article)
            .join(Article, Article.id == Passage.article_id)
            .where(Passage.article_id.in_(article_ids), Passage.live, Passage.held.is_(None))
            .order_by(Passage.article_id, Passage.position)
        )
        found: dict[str, list[Place]] = {}
        for passage, article in session.execute(query):
            found.setdefault(article.id, []).append(Place(passage, article))
        return found

    def rarity(self, word: str) -> float:
        """How telling a stemmed word is among the live passages: its inverse document frequency."""
        return self._now().searcher.rarity(word)

    def rehearse(self, questions: Sequence[str], edit: Edit) -> list[Change]:
        """What an edit would change for each of these questions; nothing is published. The reranker, if there is one, is left out."""
        self.refresh()
        now = self._now()
        return self._rehearsals.play(Stage(now.searcher, now.collections, self.fitted, self.hold, self._version), questions, edit)

    def attempt(self, texts: Sequence[ArticleText], source: str, retiring: Sequence[str] = (), own: Sequence[str] = ()) -> golden.Trial:
        """Try what would be published and retired on the golden questions and on some of one's own; nothing is published."""
        with self.sessions.read() as session:
            rows, edit = golden.to_try(session), golden.edit_of(session, texts, source, retiring)
        return golden.attempt(self.rehearse, edit, rows, own)

    def refresh(self) -> None:
        """Bring memory in line with SQL if anything changed since the last time."""
        with self.sessions.read() as session:
            if session.get_one(IndexState, 0).version == self._version:
                return
        with self._lock, self.sessions.read() as session:  # read again under the lock: what is older than memory must not replace it
            state = session.get_one(IndexState, 0)
            if state.version != self._version:
                now = self._now()
                self._bring(session, now if state.epoch == now.index.epoch else self._open(state.epoch))

    def _reranked(self, question: str, found: Found, limit: int) -> Found:
        """The same passages in the order of the cross-encoder; the probability stays that of the search."""
        assert self.reranker is not None  # noqa: S101 - asked before
        ids = [hit.passage_id for hit in found.passages]
        with self.sessions.read() as session:
            query = select(Passage, Article.title).join(Article, Article.id == Passage.article_id).where(Passage.id.in_(ids), Passage.live)
            texts = {str(passage.id): passage.embedded(title) for passage, title in session.execute(query)}
        known = [hit for hit in found.passages if hit.passage_id in texts]
        scores = self.reranker.scores(question, [texts[hit.passage_id] for hit in known])
        ordered = [known[row] for row in np.argsort(-scores, kind="stable")]
        return replace(found, passages=tuple(ordered[:limit]))

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _gate(self, texts: Sequence[ArticleText], source: str, retiring: Sequence[str]) -> None:
        """Nothing is published that breaks a protected question. Raise BreaksProtected."""
        with self.sessions.read() as session:
            rows = golden.listed(session, protected=True)
            edit = golden.edit_of(session, texts, source, retiring) if rows else Edit()
        if rows:
            golden.refuse_breaking(golden.attempt(self.rehearse, edit, rows))

    def _now(self) -> _Opened:
        if self._opened is None:
            raise StaleIndexError("the library is not open")
        return self._opened

    def _index_now(self) -> PassageIndex:
        self.refresh()
        return self._now().index

    def _first_epoch(self) -> str:
        epoch = f"{self._family}-1"
        with self.sessions.write() as session:
            session.get_one(IndexState, 0).epoch = epoch
        return epoch

    def _index(self, epoch: str) -> PassageIndex:
        collections = {name: self._open_collection(_collection_name(epoch, name)) for name in self.encoders}
        return PassageIndex(epoch, self.encoders, collections)

    def _open(self, epoch: str) -> _Opened:
        collections = {name: self._open_collection(_collection_name(epoch, name)) for name in self.encoders}
        searcher = Searcher(
            self.encoders[MAIN],
            collections[MAIN],
            multilingual=self.encoders.get(MULTILINGUAL),
            multilingual_index=collections.get(MULTILINGUAL),
            fitted=self.fitted,
        )
        return _Opened(PassageIndex(epoch, self.encoders, collections), searcher, collections)

    def _bring(self, session: Session, opened: _Opened) -> None:
        """Load what SQL says is live; an epoch just opened answers only when it is loaded as a whole."""
        loaded = self._loaded if opened is self._opened else {}
        version = session.get_one(IndexState, 0).version
        live = _live_articles(session, opened.index.epoch)
        for article_id in loaded.keys() - live.keys():
            opened.searcher.remove(article_id)
        changed = [article_id for article_id, mark in live.items() if loaded.get(article_id) != mark]
        for part in batches(changed, LOAD_BATCH):
            articles, titles = _searchable(session, part, opened.index.epoch)
            opened.searcher.put_many(articles, titles)
        self._opened, self._loaded, self._version = opened, live, version


def _collection_name(epoch: str, encoder: str) -> str:
    return f"passages-{epoch}-{encoder}"


def _live_articles(session: Session, epoch: str) -> dict[str, tuple[int, int]]:
    """Each live article with what changes when its passages do: revision and number of indexed passages."""
    query = (
        select(Passage.article_id, func.max(Passage.revision), func.count())
        .where(Passage.live, Passage.epoch == epoch, Passage.held.is_(None))
        .group_by(Passage.article_id)
    )
    return {article_id: (revision, count) for article_id, revision, count in session.execute(query)}


def _searchable(session: Session, ids: Sequence[str], epoch: str) -> tuple[list[SearchableArticle], list[TitleVectors]]:
    articles = {a.id: a for a in session.scalars(select(Article).where(Article.id.in_(ids)))}
    passages: dict[str, list[SearchablePassage]] = {}
    rows = session.scalars(
        select(Passage)
        .where(Passage.article_id.in_(ids), Passage.live, Passage.epoch == epoch, Passage.held.is_(None))
        .order_by(Passage.article_id, Passage.position),
    )
    for row in rows:
        text = row.embedded(articles[row.article_id].title)
        passages.setdefault(row.article_id, []).append(SearchablePassage(row.id, text))
    titles: dict[str, dict[str, Vectors]] = {}
    for title in session.scalars(select(TitleVector).where(TitleVector.article_id.in_(ids), TitleVector.epoch == epoch)):
        vectors = np.frombuffer(title.vectors, dtype=np.float16).astype(np.float32).reshape(title.count, -1)
        titles.setdefault(title.article_id, {})[title.encoder] = vectors
    found = [
        SearchableArticle(
            a.id, a.title, tuple(passages[a.id]), "faq" if a.kind == "faq" else "article", (*a.wordings, *a.learned), a.language, a.summary
        )
        for a in articles.values()
    ]
    return found, [TitleVectors(titles[a.article_id][MAIN], titles[a.article_id].get(MULTILINGUAL)) for a in found]
