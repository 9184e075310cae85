"""Questions that were left open, kept so that somebody can write what is missing: each once, with every sign that it was left open."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.loop_tables import WEIGHTS, Evidence, Gap, GapId, LoopState

LONGEST = 600  # characters of a question: what is longer is a story, and no wording of a FAQ
AT_ONCE = 500


@dataclass(frozen=True)
class Sign:
    """One sign that a question was left open. The question is masked; `asked_id` is the message in which it was asked."""

    kind: Evidence
    question: str
    language: str
    person: str
    conversation_id: str
    asked_id: str
    at: datetime
    turn_id: str | None = None
    ticket_id: str | None = None
    agent_minutes: float | None = None
    policy: str | None = None

    @property
    def gap_id(self) -> GapId:
        """The same for every sign about the same message, so that reading the same rows twice changes nothing."""
        return GapId(hashlib.sha256(f"{self.conversation_id}/{self.asked_id}".encode()).hexdigest()[:32])


def note(session: Session, signs: Iterable[Sign]) -> list[GapId]:
    """Keep signs; the ids of the gaps that are new. Signs that were kept before change nothing."""
    by_gap: dict[GapId, list[Sign]] = {}
    for sign in signs:
        if sign.question.strip():
            by_gap.setdefault(sign.gap_id, []).append(sign)
    ids = list(by_gap)
    known: dict[GapId, Gap] = {}
    for start in range(0, len(ids), AT_ONCE):
        known |= {gap.id: gap for gap in session.scalars(select(Gap).where(Gap.id.in_(ids[start : start + AT_ONCE])))}
    new = [gap_id for gap_id in ids if gap_id not in known]
    for gap_id, about in by_gap.items():
        if gap_id not in known:
            known[gap_id] = _gap(about[0])
            session.add(known[gap_id])
        for sign in about:
            _add(known[gap_id], sign)
    session.flush()
    return new


def latest(session: Session, limit: int) -> Sequence[Gap]:
    """The newest first."""
    return session.scalars(select(Gap).order_by(Gap.at.desc(), Gap.id).limit(limit)).all()


def count(session: Session) -> int:
    """How many there are."""
    return session.scalar(select(func.count()).select_from(Gap)) or 0


def of_group(session: Session, group_id: str, limit: int) -> Sequence[Gap]:
    """The newest gaps of a group, the newest first."""
    return session.scalars(select(Gap).where(Gap.group_id == group_id).order_by(Gap.at.desc(), Gap.id).limit(limit)).all()


def state(session: Session, salt: str) -> LoopState:
    """The one row that says how far was read; made with a random `salt` the first time."""
    row = session.get(LoopState, 0, with_for_update=True)
    if row is None:
        row = LoopState(id=0, salt=salt, read_until=None, rebuilt_at=None, rebuilt_size=0, tended_at=None)
        session.add(row)
        session.flush()
    return row


def person_key(salt: str, details: Mapping[str, object], conversation_id: str) -> str:
    """A hash that is the same for the same person: by their address where they gave one, else by the conversation."""
    told = str(details.get("email") or "").strip().casefold() or conversation_id
    return hashlib.sha256(f"{salt}/{told}".encode("utf-8", "replace")).hexdigest()


def _gap(sign: Sign) -> Gap:
    return Gap(
        id=sign.gap_id,
        question=sign.question.strip()[:LONGEST],
        kinds=[],
        weight=0.0,
        language=sign.language,
        person=sign.person,
        conversation_id=sign.conversation_id,
        asked_id=sign.asked_id,
        turn_id=sign.turn_id,
        ticket_id=sign.ticket_id,
        at=sign.at,
    )


def _add(gap: Gap, sign: Sign) -> None:
    """One more sign about the same question; what is known already stays."""
    if sign.kind not in gap.kinds:
        gap.kinds = [kind.value for kind in Evidence if kind in {*gap.kinds, sign.kind}]
        gap.weight = max(WEIGHTS[Evidence(kind)] for kind in gap.kinds)
    gap.turn_id = gap.turn_id or sign.turn_id
    gap.ticket_id = gap.ticket_id or sign.ticket_id
    gap.policy = gap.policy or sign.policy
    if sign.agent_minutes is not None:
        gap.agent_minutes = sign.agent_minutes
