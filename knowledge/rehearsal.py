"""What an edit would change: questions asked of the knowledge as it is and as it would be, before anything is published."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from langchain_core.embeddings import Embeddings

from knowledge.articles import ArticleText
from knowledge.confidence import Band, Confidence
from knowledge.embedding import vectors as embedded
from knowledge.live import SearchableArticle, SearchablePassage, TitleVectors, titles
from knowledge.passages import cut, embedded_text
from knowledge.search import CANDIDATES, Found, Searcher
from knowledge.staging import Hold, wording_ids
from knowledge.trial import AskedAhead, Candidate, OverlaidArticles, OverlaidIndex
from knowledge.vectors import VectorIndex, Vectors

KEPT = 8192  # texts whose vectors are remembered; about 30 MB
MAIN, MULTILINGUAL = "main", "multilingual"
NOTHING = np.zeros((0, 0), dtype=np.float32)
CHOICES = 4  # titles a visitor is offered, as assistant.answer does


class Met(IntEnum):
    """How a question is met by the article that should answer it; more is better."""

    NOT = 0
    OFFERED = 1
    ANSWERED = 2


@dataclass(frozen=True)
class Edit:
    """Texts that would be published, each with the id of the article it replaces (or any new one), and articles that would retire."""

    texts: tuple[tuple[str, ArticleText], ...] = ()
    retiring: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reached:
    """What a visitor would get: the article that answers or comes first, its title, the band, how sure, and what is offered."""

    article_id: str | None
    title: str
    band: Band
    probability: float
    offered: tuple[str, ...]

    def met_by(self, article_ids: Sequence[str]) -> Met:
        """How far one of these articles answers."""
        if self.band is Band.ANSWER:
            return Met.ANSWERED if self.article_id in article_ids else Met.NOT
        return Met.OFFERED if self.band is Band.UNSURE and any(id_ in self.offered for id_ in article_ids) else Met.NOT


@dataclass(frozen=True)
class Change:
    """One question before and after an edit."""

    question: str
    before: Reached
    after: Reached

    @property
    def changed(self) -> bool:
        """Whether a visitor would notice: another article, or another band."""
        return (self.before.article_id, self.before.band) != (self.after.article_id, self.after.band)


@dataclass(frozen=True)
class Stage:
    """The knowledge as it is: what search stands on, by encoder where there are two."""

    searcher: Searcher
    indexes: Mapping[str, VectorIndex]
    fitted: Confidence
    hold: Hold
    version: int


class Remembering(Embeddings):
    """An encoder that embeds no text twice while it remembers it. Safe for use from several threads."""

    def __init__(self, encoder: Embeddings, most: int = KEPT) -> None:
        """`most` texts are remembered, those asked for last."""
        self._encoder, self._most, self._lock = encoder, most, threading.Lock()
        self._known: OrderedDict[bytes, Vectors] = OrderedDict()

    def rows(self, texts: Sequence[str]) -> Vectors:
        """One row per text."""
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            found |= dict(zip(missing, embedded(self._encoder, list(missing.values())), strict=True))
        with self._lock:
            for key in keys:
                self._known[key] = found[key]
                self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, 0), dtype=np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        return [row.tolist() for row in self.rows(texts)]

    def embed_query(self, text: str) -> list[float]:
        """The vector of one text."""
        return self.embed_documents([text])[0]


class Rehearsals:
    """Asks questions of what is and of what would be; remembers vectors, and what is, until something is published."""

    def __init__(self, encoders: Mapping[str, Embeddings]) -> None:
        """`encoders` as the library has them."""
        self._encoders = {name: Remembering(encoder) for name, encoder in encoders.items()}
        self._lock = threading.Lock()
        self._before: tuple[int, dict[str, Reached]] = (-1, {})

    def play(self, stage: Stage, questions: Sequence[str], edit: Edit) -> list[Change]:
        """One change per question, in order; nothing is published."""
        asked = list(dict.fromkeys(questions))
        rows = {name: encoder.rows(asked) for name, encoder in self._encoders.items()}
        ahead = {name: AskedAhead(index, rows[name], CANDIDATES) for name, index in stage.indexes.items()}
        before = self._now(stage, asked, rows, ahead)
        after = dict(zip(asked, self._asked(self._edited(stage, edit, ahead), asked, rows), strict=True))
        return [Change(question, before[question], after[question]) for question in questions]

    def _now(self, stage: Stage, asked: Sequence[str], rows: Mapping[str, Vectors], ahead: Mapping[str, VectorIndex]) -> dict[str, Reached]:
        with self._lock:
            version, known = self._before
        found = dict(known) if version == stage.version else {}
        missing = [row for row, question in enumerate(asked) if question not in found]
        if missing:
            searcher = self._searcher(stage, ahead, stage.searcher.live)
            texts, some = [asked[row] for row in missing], {name: of_all[missing] for name, of_all in rows.items()}
            found |= zip(texts, self._asked(searcher, texts, some), strict=True)
            with self._lock:
                self._before = (stage.version, dict(list(found.items())[-KEPT:]))
        return found

    def _edited(self, stage: Stage, edit: Edit, ahead: Mapping[str, VectorIndex]) -> Searcher:
        candidates = [self._candidate(article_id, text, stage.hold) for article_id, text in edit.texts]
        live = OverlaidArticles(stage.searcher.live, edit.retiring, candidates)
        ids = [id_ for candidate in candidates for id_ in candidate.ids]
        rows = {name: [candidate.rows[name] for candidate in candidates if candidate.ids] for name in ahead}
        indexes = {name: OverlaidIndex(index, ids, np.concatenate(rows[name]) if ids else NOTHING) for name, index in ahead.items()}
        return self._searcher(stage, indexes, live)

    def _searcher(self, stage: Stage, indexes: Mapping[str, VectorIndex], live: object) -> Searcher:
        return Searcher(
            self._encoders[MAIN],
            indexes[MAIN],
            multilingual=self._encoders.get(MULTILINGUAL),
            multilingual_index=indexes.get(MULTILINGUAL),
            fitted=stage.fitted,
            live=live,
        )

    def _asked(self, searcher: Searcher, questions: Sequence[str], rows: Mapping[str, Vectors]) -> list[Reached]:
        other = rows.get(MULTILINGUAL)
        return [
            _reached(
                searcher.find(question, vector=rows[MAIN][row], multilingual_vector=None if other is None else other[row]),
            )
            for row, question in enumerate(questions)
        ]

    def _candidate(self, article_id: str, text: ArticleText, hold: Hold) -> Candidate:
        """An article as publishing would cut and embed it, without what would be held back."""
        pieces = cut(text.title, text.body)
        texts = [embedded_text(text.title, piece) for piece in pieces]
        rows = {name: encoder.rows(texts) for name, encoder in self._encoders.items()}
        kept = [row for row, reason in enumerate(hold([piece.text for piece in pieces], rows)) if reason is None]
        passages = [SearchablePassage(f"trial:{article_id}:{row}", texts[row]) for row in kept]
        asked = titles(text.title, text.asked, text.summary)
        title_rows = {name: encoder.rows(asked) for name, encoder in self._encoders.items()}
        wordings = wording_ids(text.kind, [passage.passage_id for passage in passages], len(text.asked))
        article = SearchableArticle(
            article_id,
            text.title,
            tuple(passages),
            "faq" if text.kind == "faq" else "article",
            text.asked,
            text.language,
            text.summary,
        )
        own = {name: np.concatenate([rows[name][kept], title_rows[name][: len(wordings)]]) for name in rows}
        vectors = TitleVectors(title_rows[MAIN], title_rows.get(MULTILINGUAL))
        return Candidate(article, vectors, (*(passage.passage_id for passage in passages), *wordings), own)


Asking = Callable[[Sequence[str], Edit], list[Change]]
"""Questions and an edit → what would change for each."""


def _reached(found: Found) -> Reached:
    ids = tuple(dict.fromkeys(hit.article_id for hit in found.passages))[:CHOICES]
    first = found.passages[0] if found.passages else None
    covered = found.band is not Band.NOT_COVERED and first is not None
    return Reached(
        first.article_id if covered and first else None, first.title if covered and first else "", found.band, found.probability, ids
    )
