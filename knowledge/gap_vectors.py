"""Questions left open, and what agents replied to them, as the encoders see them: each embedded once and kept in SQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from knowledge.embedding import vectors as embedded
from knowledge.grouping import Numbers, Replies, joined
from knowledge.loop_tables import Gap, GapId, GapVector
from knowledge.staging import Sessions, batches, epoch_family
from knowledge.vectors import Vectors

AT_ONCE = 500
NO_REPLY = b""

Told = Callable[[Session, Sequence[Gap]], Mapping[GapId, str]]
"""Gaps with tickets → what agents told those who asked, masked; empty where the matter ended without a word, left out while it runs."""


def remember(sessions: Sessions, encoders: Mapping[str, Embeddings]) -> int:
    """Embed every gap that these encoders have not seen; how many."""
    family = epoch_family(encoders)
    seen = (GapVector.gap_id == Gap.id) & (GapVector.family == family)
    with sessions.read() as session:
        query = select(Gap.id, Gap.question).outerjoin(GapVector, seen).where(GapVector.gap_id.is_(None)).order_by(Gap.id)
        todo = session.execute(query).all()
    for part in batches(todo, AT_ONCE):
        rows = {name: embedded(encoder, [question for _, question in part]) for name, encoder in encoders.items()}
        with sessions.write() as session:
            ids = [gap_id for gap_id, _ in part]
            kept = set(session.scalars(select(Gap.id).where(Gap.id.in_(ids))))
            session.execute(delete(GapVector).where(GapVector.gap_id.in_(ids)))
            session.add_all(_vector(gap_id, family, rows, at) for at, gap_id in enumerate(ids) if gap_id in kept)
    return len(todo)


def remember_replies(sessions: Sessions, encoders: Mapping[str, Embeddings], told: Told) -> int:
    """Embed what agents replied, for every gap of a ticket of which that is not known; of how many it is now."""
    family = epoch_family(encoders)
    with sessions.read() as session:
        unknown = (GapVector.family == family) & GapVector.reply_main.is_(None)
        query = select(Gap).join(GapVector, GapVector.gap_id == Gap.id).where(Gap.ticket_id.is_not(None), unknown)
        asked = session.scalars(query.order_by(Gap.id)).all()
        known = [pair for part in batches(asked, AT_ONCE) for pair in told(session, part).items()]
    for part in batches(known, AT_ONCE):
        said = [text for _, text in part if text]
        rows = {name: embedded(encoder, said) for name, encoder in encoders.items()} if said else {}
        at = 0
        with sessions.write() as session:
            for gap_id, text in part:
                stored = {name: of_all[at].astype(np.float16).tobytes() for name, of_all in rows.items()} if text else {}
                at += bool(text)
                values = {"reply_main": stored.get("main", NO_REPLY), "reply_multilingual": stored.get("multilingual")}
                session.execute(update(GapVector).where(GapVector.gap_id == gap_id, GapVector.family == family).values(**values))
    return len(known)


def forget_replies(session: Session, gap_ids: Iterable[GapId]) -> None:
    """Something happened to the tickets of these gaps: what was replied is read again."""
    for part in batches(list(gap_ids), AT_ONCE):
        session.execute(update(GapVector).where(GapVector.gap_id.in_(part)).values(reply_main=None, reply_multilingual=None))


def rows_of(found: Sequence[Any]) -> Vectors:
    """Rows of `joined` from the columns main and multilingual of GapVector."""
    return _rows([row.main for row in found], [row.multilingual for row in found])


def replies_of(found: Sequence[Any]) -> Replies:
    """What was replied to which of them, from the columns of GapVector."""
    at = [place for place, row in enumerate(found) if row.reply_main]
    numbers: Numbers = np.array(at, dtype=np.int64)
    return Replies(numbers, _rows([found[place].reply_main for place in at], [found[place].reply_multilingual for place in at]))


def _rows(main: Sequence[bytes], multilingual: Sequence[bytes | None]) -> Vectors:
    if not main:
        return np.zeros((0, 0), dtype=np.float32)
    vectors = {"main": _stacked(main)}
    if multilingual[0] is not None:
        vectors["multilingual"] = _stacked([row for row in multilingual if row is not None])
    return joined(vectors)


def _stacked(stored: Sequence[bytes]) -> Vectors:
    return np.frombuffer(b"".join(stored), dtype=np.float16).reshape(len(stored), -1).astype(np.float32)


def _vector(gap_id: GapId, family: str, rows: Mapping[str, Vectors], at: int) -> GapVector:
    stored = {name: of_all[at].astype(np.float16).tobytes() for name, of_all in rows.items()}
    return GapVector(gap_id=gap_id, family=family, main=stored["main"], multilingual=stored.get("multilingual"))
