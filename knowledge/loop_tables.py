"""What is stored of the knowledge loop: questions left open, the groups that ask the same, and what is suggested to writers.

Everything here is masked text. Ids of turns, messages and tickets are plain strings: other folders own those rows.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NewType

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.tables import ArticleId, Base

GapId = NewType("GapId", str)
GroupId = NewType("GroupId", str)
SuggestionId = NewType("SuggestionId", str)


class Evidence(StrEnum):
    """Why a question counts as left open, the surest sign first."""

    BECOMES_FAQ = "becomes_faq"
    NOTHING_FOUND = "nothing_found"
    WRONGLY_BLOCKED = "wrongly_blocked"
    AGENT_RESOLVED = "agent_resolved"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    THUMBS_DOWN = "thumbs_down"
    ABANDONED = "abandoned"
    REPEATED = "repeated"
    ADVICE = "advice"


WEIGHTS: Mapping[Evidence, float] = MappingProxyType(
    {
        Evidence.BECOMES_FAQ: 1.0,
        Evidence.NOTHING_FOUND: 1.0,
        Evidence.WRONGLY_BLOCKED: 1.0,
        Evidence.AGENT_RESOLVED: 0.9,
        Evidence.REOPENED: 0.9,
        Evidence.ESCALATED: 0.8,
        Evidence.THUMBS_DOWN: 0.8,
        Evidence.ABANDONED: 0.5,
        Evidence.REPEATED: 0.5,
        Evidence.ADVICE: 0.0,
    },
)
"""How surely the assistant left the question unresolved: judgement, not measurement. Advice never becomes a suggestion."""


class GroupState(StrEnum):
    """What became of a group. Only an open one can be suggested; an answered or rejected one opens again when it grows markedly."""

    OPEN = "open"
    SUGGESTED = "suggested"
    ANSWERED = "answered"
    REJECTED = "rejected"
    ADVICE = "advice"


class SuggestionKind(StrEnum):
    """What a suggestion would do."""

    NEW = "new"
    EDIT = "edit"
    MERGE = "merge"
    REFRESH = "refresh"
    RETIRE = "retire"


class SuggestionState(StrEnum):
    """Where a suggestion stands; pending and snoozed ones can still be decided."""

    PENDING = "pending"
    SNOOZED = "snoozed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MERGED = "merged"
    EXPIRED = "expired"


class RejectReason(StrEnum):
    """The six fixed reasons; a free text may stand beside them."""

    ALREADY_ANSWERED = "already_answered"
    NOT_FOR_THE_HELP_CENTRE = "not_for_the_help_centre"
    SINGLE_CASE = "single_case"
    WRONG_OR_OUTDATED = "wrong_or_outdated"
    PRIVATE_OR_SENSITIVE = "private_or_sensitive"
    MIXED_QUESTIONS = "mixed_questions"


class Gap(Base):
    """A question that the assistant left open, personal data masked, once however many signs say so.

    `kinds` are all its evidence, `weight` that of the surest. `person` is a hash, the same for the same person. `asked_id` is the
    message in which it was asked; `agent_minutes` what a person spent on it, where a ticket tells.
    """

    __tablename__ = "gap"
    __table_args__ = (Index("ix_gap_at", "at"), Index("ix_gap_group_id", "group_id"), Index("ix_gap_conversation_id", "conversation_id"))

    id: Mapped[GapId] = mapped_column(String(32), primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]]
    weight: Mapped[float]
    language: Mapped[str] = mapped_column(String(8))
    person: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    asked_id: Mapped[str] = mapped_column(String(32))
    turn_id: Mapped[str | None] = mapped_column(String(32))
    ticket_id: Mapped[str | None] = mapped_column(String(32))
    agent_minutes: Mapped[float | None]
    policy: Mapped[str | None] = mapped_column(String(40))
    group_id: Mapped[GroupId | None] = mapped_column(String(32), ForeignKey("gap_group.id", ondelete="SET NULL"))
    at: Mapped[datetime]


class GapVector(Base):
    """A gap's question as the encoders of `family` see it: float16, so that grouping never embeds a question twice.

    `reply_main` and `reply_multilingual` are what agents told who asked, masked; empty where the matter ended without a reply, None
    while that is not known.
    """

    __tablename__ = "gap_vector"

    gap_id: Mapped[GapId] = mapped_column(String(32), ForeignKey("gap.id", ondelete="CASCADE"), primary_key=True)
    family: Mapped[str] = mapped_column(String(40))
    main: Mapped[bytes] = mapped_column(LargeBinary)
    multilingual: Mapped[bytes | None] = mapped_column(LargeBinary)
    reply_main: Mapped[bytes | None] = mapped_column(LargeBinary)
    reply_multilingual: Mapped[bytes | None] = mapped_column(LargeBinary)


class GapGroup(Base):
    """Gaps that ask the same. `size` counts questions, `people` who asked, `recent` and `before` people of the last two windows.

    `rank` is volume × unresolved share × agent minutes; `purity` how alike its questions are, 0 to 1; `decided_size` its size when a
    writer last decided; `link` an official page, for advice; `held` why it gives no suggestion yet. `mean` is that of its questions'
    vectors, float16, as the encoders of `family` see them.
    """

    __tablename__ = "gap_group"
    __table_args__ = (Index("ix_gap_group_state_rank", "state", "rank"),)

    id: Mapped[GroupId] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(16))
    size: Mapped[int]
    people: Mapped[int]
    recent: Mapped[int]
    before: Mapped[int]
    unresolved: Mapped[float]
    agent_minutes: Mapped[float]
    rank: Mapped[float]
    purity: Mapped[float]
    decided_size: Mapped[int] = mapped_column(default=0)
    policy: Mapped[str | None] = mapped_column(String(40))
    link: Mapped[str | None] = mapped_column(String(2000))
    held: Mapped[str | None] = mapped_column(String(200))
    mean: Mapped[bytes | None] = mapped_column(LargeBinary)
    family: Mapped[str | None] = mapped_column(String(40))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def trend(self) -> float:
        """People of the last window per one of the window before, each counted one more so that nothing divides by zero."""
        return (self.recent + 1) / (self.before + 1)


class Suggestion(Base):
    """Something a writer may accept. `body` are sentences with their evidence, `text` is the Markdown that would be published.

    `article_id` is the article it changes, at `article_revision`; `others` are articles that a merge retires. `wordings` are masked
    and never shown to visitors. `version` counts changes: a decision says which one it was made on.
    """

    __tablename__ = "suggestion"
    __table_args__ = (
        Index("ix_suggestion_state_rank", "state", "rank"),
        Index("ix_suggestion_article_id", "article_id"),
        Index(  # one group, at most one suggestion that still waits
            "uq_suggestion_waiting_group",
            "group_id",
            unique=True,
            sqlite_where=text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"),
            postgresql_where=text("group_id IS NOT NULL AND state IN ('pending', 'snoozed')"),
        ),
    )

    id: Mapped[SuggestionId] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    group_id: Mapped[GroupId | None] = mapped_column(String(32), ForeignKey("gap_group.id", ondelete="SET NULL"))
    article_id: Mapped[ArticleId | None] = mapped_column(String(32), ForeignKey("article.id", ondelete="CASCADE"))
    article_revision: Mapped[int | None]
    others: Mapped[list[str]]
    language: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(String(500))
    body: Mapped[list[dict[str, Any]]]
    text: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    wordings: Mapped[list[str]]
    similar: Mapped[list[dict[str, Any]]]
    rank: Mapped[float]
    size: Mapped[int]
    people: Mapped[int]
    edited_by: Mapped[str | None] = mapped_column(String(200))
    snoozed_until: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    reason_text: Mapped[str] = mapped_column(Text, default="")
    overridden: Mapped[bool] = mapped_column(default=False)
    merged_into: Mapped[str | None] = mapped_column(String(32))
    published_revision: Mapped[int | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LoopState(Base):
    """One row: how far stored turns and tickets were read, when groups were last made anew, and the salt of person hashes.

    `tended_at` is when articles were last looked through for what needs a writer.
    """

    __tablename__ = "loop_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    salt: Mapped[str] = mapped_column(String(64))
    read_until: Mapped[datetime | None]
    rebuilt_at: Mapped[datetime | None]
    rebuilt_size: Mapped[int] = mapped_column(default=0)
    tended_at: Mapped[datetime | None]
