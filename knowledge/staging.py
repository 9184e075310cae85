"""An article's passages, cut, embedded and stored in the index, before SQL says they are live."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings
from sqlalchemy.orm import Session

from knowledge.articles import ArticleText
from knowledge.embedding import Vectors, vectors
from knowledge.live import WORDING, titles
from knowledge.passages import Cut, cut, embedded_text
from knowledge.tables import ArticleId, ArticleKind, Passage, PassageId, TitleVector

T = TypeVar("T")
PASSAGE_FORMAT = 2  # raise when passages or titles are cut or embedded differently: it starts a new epoch
EMBED_BATCH = 256

Hold = Callable[[Sequence[str], Mapping[str, Vectors]], Sequence[str | None]]
"""Passages' texts and their vectors by encoder → for each the reason to keep it out of the index, or None."""


class Sessions(Protocol):
    """How knowledge reaches the database: sessions that somebody else opens, commits and closes."""

    def read(self) -> AbstractContextManager[Session]:
        """A session whose changes are thrown away."""

    def write(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block."""


class Collection(Protocol):
    """Vectors by passage id; ChromaIndex is one."""

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Add or replace."""

    def remove(self, ids: Iterable[str]) -> None:
        """Forget these."""

    def ids(self) -> Iterator[str]:
        """Every id."""


@dataclass(frozen=True)
class PassageIndex:
    """The collections of one epoch, one for each encoder; both mappings have the same keys."""

    epoch: str
    encoders: Mapping[str, Embeddings]
    collections: Mapping[str, Collection]

    def embed(self, texts: list[str]) -> dict[str, Vectors]:
        """The vectors of the texts by encoder."""
        return {name: vectors(encoder, texts) for name, encoder in self.encoders.items()}

    def put(self, ids: list[str], rows: Mapping[str, Vectors]) -> None:
        """Store one vector per id in each collection."""
        if ids:
            for name, collection in self.collections.items():
                collection.put(ids, rows[name])

    def remove(self, ids: Sequence[str]) -> None:
        """Take these out of each collection."""
        for collection in self.collections.values():
            collection.remove(ids)


@dataclass(frozen=True)
class StagedPassage:
    """One passage whose vectors stand in the index but which no answer uses yet; `held` says why it may not be indexed."""

    id: PassageId
    position: int
    heading_path: tuple[str, ...]
    anchor: str
    text: str
    embedded: str
    held: str | None = None

    def row(self, article_id: ArticleId, revision: int, epoch: str, *, live: bool) -> Passage:
        """The same as a row of SQL."""
        return Passage(
            id=self.id,
            article_id=article_id,
            revision=revision,
            epoch=epoch,
            position=self.position,
            heading_path=list(self.heading_path),
            anchor=self.anchor,
            text=self.text,
            live=live,
            held=self.held,
        )


@dataclass(frozen=True)
class StagedArticle:
    """An article's passages and, by encoder, one vector for each of its titles (`live.titles`)."""

    passages: tuple[StagedPassage, ...] = ()
    titles: Mapping[str, Vectors] = field(default_factory=dict)

    def rows(self, article_id: ArticleId, revision: int, epoch: str, *, live: bool) -> list[Passage | TitleVector]:
        """What SQL keeps of it."""
        titles = [
            TitleVector(article_id=article_id, epoch=epoch, encoder=name, count=len(rows), vectors=rows.astype(np.float16).tobytes())
            for name, rows in self.titles.items()
        ]
        return [*(piece.row(article_id, revision, epoch, live=live) for piece in self.passages), *titles]


def hold_nothing(texts: Sequence[str], _rows: Mapping[str, Vectors]) -> list[str | None]:
    """Every passage may be indexed."""
    return [None] * len(texts)


def stage(texts: Sequence[ArticleText], index: PassageIndex, new_id: Callable[[], str], hold: Hold) -> list[StagedArticle]:
    """Cut, embed and index each article's passages, except those that `hold` keeps back; one result per article."""
    pieces = [[_cut(text.title, piece, new_id) for piece in cut(text.title, text.body)] for text in texts]
    reasons: dict[PassageId, str | None] = {}
    for batch in batches([piece for of_one in pieces for piece in of_one], EMBED_BATCH):
        rows = index.embed([piece.embedded for piece in batch])
        held = hold([piece.text for piece in batch], rows)
        reasons |= {piece.id: reason for piece, reason in zip(batch, held, strict=True)}
        kept = np.array([reason is None for reason in held], dtype=bool)
        index.put([piece.id for piece in batch if reasons[piece.id] is None], {name: of_all[kept] for name, of_all in rows.items()})
    passages = [tuple(replace(piece, held=reasons[piece.id]) for piece in of_one) for of_one in pieces]
    title_rows = _titles(texts, index)
    for text, of_one, rows in zip(texts, passages, title_rows, strict=True):
        ids = wording_ids(text.kind, [piece.id for piece in of_one if piece.held is None], len(text.asked))
        index.put(ids, {name: of_all[: len(ids)] for name, of_all in rows.items()})
    return [StagedArticle(of_one, rows) for of_one, rows in zip(passages, title_rows, strict=True)]


def wording_ids(kind: str, passage_ids: Sequence[str], wordings: int) -> list[str]:
    """What the index calls the question of a FAQ and its other wordings; none for an article."""
    if kind != ArticleKind.FAQ or not passage_ids:
        return []
    return [f"{passage_ids[0]}{WORDING}{n}" for n in range(wordings + 1)]


def epoch_family(encoders: Mapping[str, Embeddings]) -> str:
    """A short name for all that decides whether an index can be searched: the encoders and how passages are cut."""
    names = [f"{name}={getattr(encoder, 'name', type(encoder).__name__)}" for name, encoder in sorted(encoders.items())]
    return hashlib.sha256("|".join([*names, str(PASSAGE_FORMAT)]).encode()).hexdigest()[:12]


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _cut(title: str, piece: Cut, new_id: Callable[[], str]) -> StagedPassage:
    return StagedPassage(PassageId(new_id()), piece.position, piece.heading_path, piece.anchor, piece.text, embedded_text(title, piece))


def _titles(texts: Sequence[ArticleText], index: PassageIndex) -> list[dict[str, Vectors]]:
    """The vectors of each article's titles, embedded in one batch."""
    of_each = [titles(text.title, text.asked, text.summary) for text in texts]
    rows = index.embed([title for of_one in of_each for title in of_one])
    out, start = [], 0
    for of_one in of_each:
        end = start + len(of_one)
        out.append({name: of_all[start:end] for name, of_all in rows.items()})
        start = end
    return out
