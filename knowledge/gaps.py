"""Questions that nothing answered, kept so that somebody can write what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.tables import Gap


@dataclass(frozen=True)
class Unanswered:
    """A question as it was asked, with personal data masked, and why nothing answered it."""

    question: str
    reason: str
    language: str
    conversation_id: str


def record(session: Session, unanswered: Unanswered, gap_id: str, *, now: datetime) -> None:
    """Keep it."""
    session.add(
        Gap(
            id=gap_id,
            question=unanswered.question,
            reason=unanswered.reason,
            language=unanswered.language,
            conversation_id=unanswered.conversation_id,
            at=now,
        ),
    )


def latest(session: Session, limit: int) -> Sequence[Gap]:
    """The newest first."""
    return session.scalars(select(Gap).order_by(Gap.at.desc()).limit(limit)).all()
