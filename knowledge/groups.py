"""Groups of gaps in SQL: a new gap joins the nearest group at once, and from time to time all groups are made anew.

A group keeps its identity when it is made anew, by the questions it has in common with what it was, so that what a writer decided
about it stays decided.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from knowledge import grouping
from knowledge.embedding import vectors as embedded
from knowledge.grouping import cohesion, joined
from knowledge.loop_tables import Evidence, Gap, GapGroup, GapId, GapVector, GroupId, GroupState
from knowledge.staging import Sessions, batches, epoch_family
from knowledge.vectors import Vectors
from knowledge.wording import central

JOIN = 0.66  # mean likeness with a group's questions from which a new one joins it; below it stands alone until the next rebuild
CORE = 0.5  # … with the others of its group from which a question counts as one of its clear ones
DEFAULT_MINUTES = 5.0  # an agent spends on a ticket, where none of the group's tickets tells
AT_ONCE = 500
MARKEDLY, MARKEDLY_MORE = 1.5, 3  # a decided group opens again at so many times its size then, and so many questions more
ADVICE_SHARE = 0.5


@dataclass(frozen=True)
class Window:
    """How long the present and the previous period are that people are counted in."""

    now: datetime
    days: int

    @property
    def recent(self) -> datetime:
        """Where the present period begins."""
        return self.now - timedelta(days=self.days)

    @property
    def before(self) -> datetime:
        """Where the previous one begins."""
        return self.now - timedelta(days=2 * self.days)


class Places:
    """The mean of every group in memory, so that a new question is placed in milliseconds. Not for several threads."""

    def __init__(self, width: int) -> None:
        """No group yet; rows have `width` numbers."""
        self.ids: list[GroupId] = []
        self._means = np.zeros((64, width), dtype=np.float32)
        self._sizes = np.zeros(64, dtype=np.float32)

    def nearest(self, row: Vectors) -> tuple[GroupId, float] | None:
        """The group whose questions are likest on average, with that likeness; None while there is none."""
        if not self.ids:
            return None
        alike = self._means[: len(self.ids)] @ row
        best = int(np.argmax(alike))
        return self.ids[best], float(alike[best])

    def add(self, group_id: GroupId, rows: Vectors) -> None:
        """A group with its rows."""
        if len(self.ids) == len(self._means):
            self._means = np.concatenate([self._means, np.zeros_like(self._means)])
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        at = len(self.ids)
        self.ids.append(group_id)
        self._means[at], self._sizes[at] = rows.mean(axis=0), len(rows)

    def grow(self, group_id: GroupId, row: Vectors) -> None:
        """One more row of a group."""
        at = self.ids.index(group_id)
        self._means[at] += (row - self._means[at]) / (self._sizes[at] + 1)
        self._sizes[at] += 1


def remember(sessions: Sessions, encoders: Mapping[str, Embeddings]) -> int:
    """Embed every gap that these encoders have not seen; how many."""
    family = epoch_family(encoders)
    with sessions.read() as session:
        seen = select(GapVector.gap_id).where(GapVector.family == family)
        todo = session.execute(select(Gap.id, Gap.question).where(Gap.id.not_in(seen)).order_by(Gap.id)).all()
    for part in batches(todo, AT_ONCE):
        rows = {name: embedded(encoder, [question for _, question in part]) for name, encoder in encoders.items()}
        with sessions.write() as session:
            ids = [gap_id for gap_id, _ in part]
            kept = set(session.scalars(select(Gap.id).where(Gap.id.in_(ids))))
            session.execute(delete(GapVector).where(GapVector.gap_id.in_(ids)))
            session.add_all(_vector(gap_id, family, rows, at) for at, gap_id in enumerate(ids) if gap_id in kept)
    return len(todo)


def place(sessions: Sessions, family: str, new_id: Callable[[], str], window: Window) -> int:
    """Put every gap that has none into a group: the nearest, or one of its own. How many."""
    with sessions.read() as session:
        loose = session.execute(_with_rows(family).where(Gap.group_id.is_(None)).order_by(Gap.at)).all()
        if not loose:
            return 0
        places = opened(session, family)
    for part in batches(loose, AT_ONCE):
        with sessions.write() as session:
            pairs = zip(_ids(part), rows_of(part), strict=True)
            touched = [_placed(session, gap_id, row, places, new_id, window.now) for gap_id, row in pairs]
            tally(session, family, list(dict.fromkeys(touched)), window)
    return len(loose)


def opened(session: Session, family: str) -> Places:
    """The means of all groups as they are stored."""
    found = session.execute(_with_rows(family, Gap.group_id).where(Gap.group_id.is_not(None)).order_by(Gap.group_id)).all()
    rows = rows_of(found)
    places = Places(rows.shape[1] if len(rows) else 0)
    by_group: dict[Any, list[int]] = {}
    for at, row in enumerate(found):
        by_group.setdefault(row.group_id, []).append(at)
    if by_group:
        for group_id, members in by_group.items():
            places.add(group_id, rows[members])
        return places
    width = session.execute(_with_rows(family).limit(1)).all()
    return Places(rows_of(width).shape[1] if width else 0)


def rebuild(sessions: Sessions, family: str, new_id: Callable[[], str], window: Window) -> int:
    """Make all groups anew and keep the identity of those that stay; how many groups there are."""
    with sessions.read() as session:
        found = session.execute(_with_rows(family, Gap.group_id).order_by(Gap.at, Gap.id)).all()
    if not found:
        return 0
    labels = grouping.group(rows_of(found))
    names = _identities(labels.tolist(), [row.group_id for row in found], new_id)
    wanted = {row.id: names[label] for row, label in zip(found, labels.tolist(), strict=True)}
    with sessions.write() as session:
        known = set(session.scalars(select(GapGroup.id)))
        session.add_all(_empty(group_id, window.now) for group_id in dict.fromkeys(wanted.values()) if group_id not in known)
        session.flush()
        moved = [{"id": row.id, "group_id": wanted[row.id]} for row in found if wanted[row.id] != row.group_id]
        if moved:
            session.execute(update(Gap), moved)
        tally(session, family, list(dict.fromkeys(wanted.values())), window)
        gone = select(Gap.group_id).where(Gap.group_id.is_not(None))
        session.execute(delete(GapGroup).where(GapGroup.id.not_in(gone), GapGroup.state.in_([GroupState.OPEN, GroupState.ADVICE])))
    return len(set(names.values()))


def tally(session: Session, family: str, group_ids: Sequence[GroupId], window: Window) -> None:
    """Count each group anew: people, trend, rank, title; a decided one that grew markedly opens again."""
    for part in batches(group_ids, AT_ONCE):
        members: dict[Any, list[Any]] = {}
        query = select(Gap, GapVector).join(GapVector, GapVector.gap_id == Gap.id)
        for gap, vector in session.execute(query.where(Gap.group_id.in_(part), GapVector.family == family).order_by(Gap.at, Gap.id)):
            members.setdefault(gap.group_id, []).append((gap, vector))
        for group in session.scalars(select(GapGroup).where(GapGroup.id.in_(part))):
            if group.id in members:
                _count(group, [gap for gap, _ in members[group.id]], rows_of([v for _, v in members[group.id]]), window)
    session.flush()


def core(rows: Vectors, least: float = CORE) -> list[int]:
    """The rows of a group that are clearly of it: like the others on average; the group's clear questions."""
    if len(rows) < 2:  # noqa: PLR2004 - one is clear to itself
        return list(range(len(rows)))
    own = (rows * rows).sum(axis=1)
    others = (rows @ rows.sum(axis=0) - own) / (len(rows) - 1)
    return [int(row) for row in np.flatnonzero(others >= least)]


def rows_of(found: Sequence[Any]) -> Vectors:
    """Rows of `joined` from what GapVector stores."""
    if not found:
        return np.zeros((0, 0), dtype=np.float32)
    vectors = {"main": np.stack([np.frombuffer(row.main, dtype=np.float16) for row in found]).astype(np.float32)}
    if found[0].multilingual is not None:
        vectors["multilingual"] = np.stack([np.frombuffer(row.multilingual, dtype=np.float16) for row in found]).astype(np.float32)
    return joined(vectors)


def members(session: Session, family: str, group_id: str) -> tuple[list[Gap], Vectors]:
    """The gaps of a group, the oldest first, with their rows."""
    query = select(Gap, GapVector).join(GapVector, GapVector.gap_id == Gap.id)
    found = session.execute(query.where(Gap.group_id == group_id, GapVector.family == family).order_by(Gap.at, Gap.id)).all()
    return [gap for gap, _ in found], rows_of([vector for _, vector in found])


def _with_rows(family: str, *more: Any) -> Any:
    columns = (Gap.id, GapVector.main, GapVector.multilingual, *more)
    return select(*columns).join(GapVector, GapVector.gap_id == Gap.id).where(GapVector.family == family)


def _ids(found: Sequence[Any]) -> list[GapId]:
    return [row.id for row in found]


def _vector(gap_id: GapId, family: str, rows: Mapping[str, Vectors], at: int) -> GapVector:
    stored = {name: of_all[at].astype(np.float16).tobytes() for name, of_all in rows.items()}
    return GapVector(gap_id=gap_id, family=family, main=stored["main"], multilingual=stored.get("multilingual"))


def _placed(session: Session, gap_id: GapId, row: Vectors, places: Places, new_id: Callable[[], str], now: datetime) -> GroupId:
    near = places.nearest(row)
    if near is not None and near[1] >= JOIN:
        group_id = near[0]
        places.grow(group_id, row)
    else:
        group_id = GroupId(new_id())
        session.add(_empty(group_id, now))
        session.flush()
        places.add(group_id, row[None])
    session.execute(update(Gap).where(Gap.id == gap_id).values(group_id=group_id))
    return group_id


def _empty(group_id: GroupId, now: datetime) -> GapGroup:
    numbers: dict[str, Any] = dict.fromkeys(("size", "people", "recent", "before", "decided_size"), 0)
    numbers |= dict.fromkeys(("unresolved", "agent_minutes", "rank", "purity"), 0.0)
    moments = dict.fromkeys(("first_at", "last_at", "updated_at"), now)
    return GapGroup(id=group_id, title="", language="en", state=GroupState.OPEN, **numbers, **moments)


def _identities(labels: Sequence[int], old: Sequence[GroupId | None], new_id: Callable[[], str]) -> dict[int, GroupId]:
    """For each label the id of the old group it has most in common with, each id once, the largest overlap first; else a new one."""
    overlaps = Counter((label, group_id) for label, group_id in zip(labels, old, strict=True) if group_id is not None)
    names: dict[int, GroupId] = {}
    taken: set[GroupId] = set()
    for (label, group_id), _ in sorted(overlaps.items(), key=lambda item: (-item[1], item[0])):
        if label not in names and group_id not in taken:
            names[label] = group_id
            taken.add(group_id)
    return {label: names.get(label) or GroupId(new_id()) for label in dict.fromkeys(labels)}


def _count(group: GapGroup, gaps: Sequence[Gap], rows: Vectors, window: Window) -> None:
    minutes = [gap.agent_minutes for gap in gaps if gap.agent_minutes is not None]
    group.size, group.people = len(gaps), len({gap.person for gap in gaps})
    group.recent = len({gap.person for gap in gaps if gap.at > window.recent})
    group.before = len({gap.person for gap in gaps if window.before < gap.at <= window.recent})
    group.unresolved = sum(gap.weight for gap in gaps) / len(gaps)
    group.agent_minutes = sum(minutes) / len(minutes) if minutes else DEFAULT_MINUTES
    group.rank = group.size * group.unresolved * group.agent_minutes
    group.purity = cohesion(rows)
    group.title = central([gap.question for gap in gaps], rows)
    group.language = Counter(gap.language for gap in gaps).most_common(1)[0][0]
    group.first_at, group.last_at, group.updated_at = gaps[0].at, gaps[-1].at, window.now
    advice = [gap.policy for gap in gaps if gap.policy and gap.kinds == [Evidence.ADVICE]]
    group.policy = Counter(advice).most_common(1)[0][0] if len(advice) > ADVICE_SHARE * len(gaps) else None
    if group.policy and group.state == GroupState.OPEN:
        group.state = GroupState.ADVICE
    grown = group.size >= max(MARKEDLY * group.decided_size, group.decided_size + MARKEDLY_MORE)
    if group.state in {GroupState.REJECTED, GroupState.ANSWERED} and grown:
        group.state = GroupState.OPEN
