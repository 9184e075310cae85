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
from sqlalchemy import case, delete, distinct, func, select, update
from sqlalchemy.orm import Session

from knowledge import grouping
from knowledge.gap_vectors import replies_of, rows_of
from knowledge.grouping import cohesion
from knowledge.loop_tables import Evidence, Gap, GapGroup, GapId, GapVector, GroupId, GroupState
from knowledge.staging import Sessions, batches
from knowledge.vectors import Vectors
from knowledge.wording import central

JOIN = 0.66  # mean likeness with a group's questions from which a new one joins it; below it stands alone until the next rebuild
CORE = 0.5  # … with the others of its group from which a question counts as one of its clear ones
DEFAULT_MINUTES = 5.0  # an agent spends on a ticket, where none of the group's tickets tells
AT_ONCE = 500
MARKEDLY, MARKEDLY_MORE = 1.5, 3  # a decided group opens again at so many times its size then, and so many questions more
ADVICE_SHARE = 0.5
TELLING = 300  # newest questions of a group from which its title and purity are told


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
        self._at: dict[GroupId, int] = {}
        self._means = np.zeros((64, width), dtype=np.float32)
        self._sizes = np.zeros(64, dtype=np.float32)

    def nearest(self, row: Vectors) -> tuple[GroupId, float] | None:
        """The group whose questions are likest on average, with that likeness; None while there is none."""
        if not self.ids:
            return None
        alike = self._means[: len(self.ids)] @ row
        best = int(np.argmax(alike))
        return self.ids[best], float(alike[best])

    def add(self, group_id: GroupId, mean: Vectors, size: int) -> None:
        """A group with the mean of its rows and how many there are."""
        if len(self.ids) == len(self._means):
            self._means = np.concatenate([self._means, np.zeros_like(self._means)])
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        at = self._at[group_id] = len(self.ids)
        self.ids.append(group_id)
        self._means[at], self._sizes[at] = mean, size

    def grow(self, group_id: GroupId, row: Vectors) -> None:
        """One more row of a group."""
        at = self._at[group_id]
        self._means[at] += (row - self._means[at]) / (self._sizes[at] + 1)
        self._sizes[at] += 1

    def mean(self, group_id: GroupId) -> Vectors:
        """The mean of a group's rows."""
        found: Vectors = self._means[self._at[group_id]]
        return found


def place(sessions: Sessions, family: str, new_id: Callable[[], str], window: Window) -> int:
    """Put every gap that has none into a group: the nearest, or one of its own; how many. Of groups only their means are read."""
    with sessions.read() as session:
        loose = session.execute(_with_rows(family).where(Gap.group_id.is_(None)).order_by(Gap.at)).all()
        if not loose:
            return 0
        rows = rows_of(loose)
        places = opened(session, family, rows.shape[1])
    for part in batches(range(len(loose)), AT_ONCE):
        with sessions.write() as session:
            touched = [_placed(session, loose[at].id, rows[at], places, new_id, window.now) for at in part]
            means = {group_id: places.mean(group_id) for group_id in touched}
            tally(session, family, means, window)
    return len(loose)


def opened(session: Session, family: str, width: int) -> Places:
    """The means of all groups as they are stored; `width` numbers each. A mean of other encoders is made anew from the group's gaps."""
    places = Places(width)
    of_others = []
    stored = select(GapGroup.id, GapGroup.size, GapGroup.mean, GapGroup.family).order_by(GapGroup.id)
    for group_id, size, mean, of in session.execute(stored):
        if mean is not None and of == family:
            places.add(group_id, np.frombuffer(mean, dtype=np.float16).astype(np.float32), size)
        else:
            of_others.append(group_id)
    for group_id in of_others:
        rows = rows_of(session.execute(_with_rows(family).where(Gap.group_id == group_id)).all())
        if len(rows):
            places.add(group_id, rows.mean(axis=0), len(rows))
    return places


def rebuild(sessions: Sessions, family: str, new_id: Callable[[], str], window: Window) -> int:
    """Make all groups anew and keep the identity of those that stay; how many groups there are."""
    with sessions.read() as session:
        replies = (GapVector.reply_main, GapVector.reply_multilingual)
        found = session.execute(_with_rows(family, Gap.group_id, *replies).order_by(Gap.at, Gap.id)).all()
    if not found:
        return 0
    rows = rows_of(found)
    labels = grouping.group(rows, replies=replies_of(found))
    names = _identities(labels.tolist(), [row.group_id for row in found], new_id)
    wanted = {row.id: names[label] for row, label in zip(found, labels.tolist(), strict=True)}
    means = {names[label]: mean for label, mean in enumerate(_means(rows, labels))}
    with sessions.write() as session:
        known = set(session.scalars(select(GapGroup.id)))
        session.add_all(_empty(group_id, window.now) for group_id in dict.fromkeys(wanted.values()) if group_id not in known)
        session.flush()
        moved = [{"id": row.id, "group_id": wanted[row.id]} for row in found if wanted[row.id] != row.group_id]
        if moved:
            session.execute(update(Gap), moved)
        tally(session, family, means, window)
        gone = select(Gap.group_id).where(Gap.group_id.is_not(None))
        session.execute(delete(GapGroup).where(GapGroup.id.not_in(gone), GapGroup.state.in_([GroupState.OPEN, GroupState.ADVICE])))
    return len(set(names.values()))


def tally(session: Session, family: str, means: Mapping[GroupId, Vectors], window: Window) -> None:
    """Count each group anew: people, trend, rank, title; a decided one that grew markedly opens again. `means` are those of their rows.

    Purity, title and language are told from a group's newest questions.
    """
    for part in batches(list(means), AT_ONCE):
        counts = {row.group_id: row for row in session.execute(_counts(part, window))}
        newest: dict[Any, list[Any]] = {}
        for row in session.execute(_newest(part, family)):
            newest.setdefault(row.group_id, []).append(row)
        for group in session.scalars(select(GapGroup).where(GapGroup.id.in_(part))):
            if group.id in counts:
                group.mean, group.family = means[group.id].astype(np.float16).tobytes(), family
                _count(group, counts[group.id], newest.get(group.id, []), window.now)
    session.flush()


def core(rows: Vectors, least: float = CORE) -> list[int]:
    """The rows of a group that are clearly of it: like the others on average; the group's clear questions."""
    if len(rows) < 2:  # noqa: PLR2004 - one is clear to itself
        return list(range(len(rows)))
    own = (rows * rows).sum(axis=1)
    others = (rows @ rows.sum(axis=0) - own) / (len(rows) - 1)
    return [int(row) for row in np.flatnonzero(others >= least)]


def members(session: Session, family: str, group_id: str) -> tuple[list[Gap], Vectors]:
    """The gaps of a group, the oldest first, with their rows."""
    query = select(Gap, GapVector).join(GapVector, GapVector.gap_id == Gap.id)
    found = session.execute(query.where(Gap.group_id == group_id, GapVector.family == family).order_by(Gap.at, Gap.id)).all()
    return [gap for gap, _ in found], rows_of([vector for _, vector in found])


def _with_rows(family: str, *more: Any) -> Any:
    columns = (Gap.id, GapVector.main, GapVector.multilingual, *more)
    return select(*columns).join(GapVector, GapVector.gap_id == Gap.id).where(GapVector.family == family)


def _placed(session: Session, gap_id: GapId, row: Vectors, places: Places, new_id: Callable[[], str], now: datetime) -> GroupId:
    near = places.nearest(row)
    if near is not None and near[1] >= JOIN:
        group_id = near[0]
        places.grow(group_id, row)
    else:
        group_id = GroupId(new_id())
        session.add(_empty(group_id, now))
        session.flush()
        places.add(group_id, row, 1)
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


def _means(rows: Vectors, labels: grouping.Numbers) -> Vectors:
    """The mean of the rows of each label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(labels.max() + 1))
    sums = np.add.reduceat(rows[order], starts, axis=0)
    means: Vectors = (sums / np.bincount(labels)[:, None]).astype(np.float32)
    return means


def _counts(group_ids: Sequence[GroupId], window: Window) -> Any:
    """What SQL counts of each group."""

    def people(when: Any) -> Any:
        return func.count(distinct(case((when, Gap.person))))

    columns = (
        func.count().label("size"),
        func.count(distinct(Gap.person)).label("people"),
        people(Gap.at > window.recent).label("recent"),
        people((Gap.at > window.before) & (Gap.at <= window.recent)).label("before"),
        func.avg(Gap.weight).label("unresolved"),
        func.avg(Gap.agent_minutes).label("minutes"),
        func.min(Gap.at).label("first_at"),
        func.max(Gap.at).label("last_at"),
    )
    return select(Gap.group_id, *columns).where(Gap.group_id.in_(group_ids)).group_by(Gap.group_id)


def _newest(group_ids: Sequence[GroupId], family: str) -> Any:
    """The newest questions of each group, the oldest of them first."""
    place = func.row_number().over(partition_by=Gap.group_id, order_by=(Gap.at.desc(), Gap.id.desc())).label("place")
    inner = select(Gap.id, place).where(Gap.group_id.in_(group_ids)).subquery()
    columns = (Gap.group_id, Gap.question, Gap.language, Gap.kinds, Gap.policy, GapVector.main, GapVector.multilingual)
    query = select(*columns).join(inner, inner.c.id == Gap.id).join(GapVector, GapVector.gap_id == Gap.id)
    return query.where(inner.c.place <= TELLING, GapVector.family == family).order_by(Gap.at, Gap.id)


def _count(group: GapGroup, counts: Any, newest: Sequence[Any], now: datetime) -> None:
    group.size, group.people, group.recent, group.before = counts.size, counts.people, counts.recent, counts.before
    group.unresolved = float(counts.unresolved)
    group.agent_minutes = DEFAULT_MINUTES if counts.minutes is None else float(counts.minutes)
    group.rank = group.size * group.unresolved * group.agent_minutes
    group.first_at, group.last_at, group.updated_at = counts.first_at, counts.last_at, now
    if newest:
        rows = rows_of(newest)
        group.purity = cohesion(rows)
        group.title = central([gap.question for gap in newest], rows)
        group.language = Counter(gap.language for gap in newest).most_common(1)[0][0]
        advice = [gap.policy for gap in newest if gap.policy and gap.kinds == [Evidence.ADVICE]]
        group.policy = Counter(advice).most_common(1)[0][0] if len(advice) > ADVICE_SHARE * len(newest) else None
    if group.policy and group.state == GroupState.OPEN:
        group.state = GroupState.ADVICE
    grown = group.size >= max(MARKEDLY * group.decided_size, group.decided_size + MARKEDLY_MORE)
    if group.state in {GroupState.REJECTED, GroupState.ANSWERED} and grown:
        group.state = GroupState.OPEN
