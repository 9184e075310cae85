"""A group's questions asked of the knowledge: how they fared when a suggestion was accepted, and how they fare now."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.confidence import Band
from knowledge.lift_tables import SuggestionLift
from knowledge.loop_tables import Gap
from knowledge.rehearsal import Asking, Edit, Reached

ASKED_AGAIN = 50  # questions of a group, the newest


@dataclass(frozen=True)
class Replayed:
    """How many of a group's questions are answered outright, offered among choices, or neither."""

    answered: int
    offered: int
    nothing: int


@dataclass(frozen=True)
class Before:
    """The questions of a suggestion's group, and how they fared before it was published."""

    questions: int
    found: Replayed


def asked(session: Session, group_id: str | None) -> list[str]:
    """The newest questions of a group, each once."""
    if group_id is None:
        return []
    query = select(Gap.question).where(Gap.group_id == group_id).order_by(Gap.at.desc(), Gap.id)
    return list(dict.fromkeys(session.scalars(query.limit(ASKED_AGAIN))))


def before(ask: Asking, questions: Sequence[str]) -> Before:
    """How they fare as the knowledge stands."""
    changes = ask(questions, Edit()) if questions else []
    return Before(len(questions), counted([change.before for change in changes]))


def keep_before(session: Session, suggestion_id: str, found: Before, *, now: datetime) -> None:
    """Write it down with the decision, once."""
    row = row_of(session, suggestion_id)
    if found.questions and "before" not in row.replay:
        row.replay = {"questions": found.questions, "before": asdict(found.found)}
        row.replayed_at = now


def keep_after(session: Session, suggestion_id: str, of: int, without: Replayed, now_found: Replayed, *, now: datetime) -> None:
    """Write down how they fare now; `without` is what they would get without the suggestion, for one that has no before."""
    row = row_of(session, suggestion_id)
    known: Any = row.replay.get("before")
    row.replay = {"questions": of, "before": known or asdict(without), "after": asdict(now_found)}
    row.replayed_at = now


def counted(found: Sequence[Reached]) -> Replayed:
    """How many reach what."""
    answered = sum(one.band is Band.ANSWER for one in found)
    offered = sum(one.band is Band.UNSURE for one in found)
    return Replayed(answered, offered, len(found) - answered - offered)


def row_of(session: Session, suggestion_id: str) -> SuggestionLift:
    """What is kept of a suggestion's lift; an empty row where there was none."""
    row = session.get(SuggestionLift, suggestion_id)
    if row is None:
        row = SuggestionLift(suggestion_id=suggestion_id, replay={}, replayed_at=None, lift={}, measured_at=None)
        session.add(row)
    return row
