"""The knowledge loop in numbers: open gaps, suggestions, what accepted ones changed, and what should be read again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.tables import Account
from knowledge import suggestions
from knowledge.lift import Verdict
from knowledge.lift_tables import GoldenQuestion, SuggestionLift
from knowledge.loop_tables import Gap, GapGroup, GroupState, Suggestion, SuggestionState
from knowledge.tables import Article, ArticleState

WEEKS = 12
MOST = 200  # rows of each table on the page; an export has all
VERDICTS: Mapping[str, str] = {
    Verdict.HELPED: "Helped",
    Verdict.NO_EFFECT: "No effect yet",
    Verdict.HARMED: "Harmed",
    Verdict.TOO_LITTLE: "Too little data",
}
NOT_MEASURED = "Not measured yet"


@dataclass(frozen=True)
class Figure:
    """A number and what it counts."""

    name: str
    value: float
    definition: str


@dataclass(frozen=True)
class Lifted:
    """One accepted suggestion and what became of its questions. `avoided`: expected minus asked, where it helped."""

    suggestion_id: str
    title: str
    kind: str
    article_id: str | None
    accepted_at: datetime
    accepted_by: str
    people: int
    verdict: str
    words: str
    ratio: float | None
    low: float | None
    high: float | None
    before_per_1000: float | None
    after_per_1000: float | None
    weeks_after: int
    avoided: float
    questions: int
    answered_before: int
    answered_after: int
    offered_before: int
    offered_after: int


@dataclass(frozen=True)
class ToReview:
    """An article that somebody should read again, and why."""

    article_id: str
    title: str
    why: str
    updated_at: datetime


@dataclass(frozen=True)
class Week:
    """Questions left open in the seven days that end with `until`, and conversations begun."""

    until: datetime
    gaps: int
    grouped: int


@dataclass(frozen=True)
class Loop:
    """Everything the page shows."""

    figures: tuple[Figure, ...]
    lifted: tuple[Lifted, ...]
    review: tuple[ToReview, ...]
    weeks: tuple[Week, ...]


def loop(session: Session, now: datetime, stale: timedelta) -> Loop:
    """The state of the loop at a moment; `stale` is how long an article may stay unread."""
    lifted = _lifted(session)
    review = _review(session, now, stale, [one for one in lifted if one.verdict == Verdict.HARMED])
    return Loop(_figures(session, lifted, review), lifted, review, _weeks(session, now))


def _figures(session: Session, lifted: Sequence[Lifted], review: Sequence[ToReview]) -> tuple[Figure, ...]:
    states = suggestions.counted(session)
    waiting = states.get(SuggestionState.PENDING, 0) + states.get(SuggestionState.SNOOZED, 0)
    accepted = states.get(SuggestionState.ACCEPTED, 0) + states.get(SuggestionState.MERGED, 0)
    still_open = GapGroup.state.in_((GroupState.OPEN, GroupState.SUGGESTED))
    gaps = select(func.count()).select_from(Gap).outerjoin(GapGroup, GapGroup.id == Gap.group_id)
    open_gaps = session.scalar(gaps.where(Gap.weight > 0, still_open | Gap.group_id.is_(None))) or 0
    groups = session.scalar(select(func.count()).select_from(GapGroup).where(still_open)) or 0
    protected = session.scalar(select(func.count()).select_from(GoldenQuestion).where(GoldenQuestion.protected)) or 0
    helped = sum(one.verdict == Verdict.HELPED for one in lifted)
    return (
        Figure("Gaps open", open_gaps, "Questions left open, each once, whose group has no accepted answer; advice is left out."),
        Figure("Groups open", groups, "Groups of gaps that ask the same and wait for a suggestion or for a decision."),
        Figure("Suggested", waiting, "Suggestions that wait for a writer, snoozed ones included."),
        Figure("Accepted", accepted, "Suggestions that a writer accepted, or merged into an article, since the beginning."),
        Figure("Helped", helped, "Accepted suggestions whose interval lies below 1: the question is left open more rarely than before."),
        Figure(
            "Tickets avoided",
            round(sum(one.avoided for one in lifted)),
            "Open questions and tickets expected after acceptance, at the rate before and with the trend of all other gaps, minus those "
            "that came; summed over suggestions that helped. The days that led to a suggestion do not count as before.",
        ),
        Figure("To review", len(review), "Published articles that are due for review, unread for long, or whose suggestion harmed."),
        Figure("Protected questions", protected, "Golden questions that block every publish which would leave them unanswered."),
    )


def _lifted(session: Session) -> tuple[Lifted, ...]:
    query = (
        select(Suggestion, SuggestionLift, Account.name)
        .outerjoin(SuggestionLift, SuggestionLift.suggestion_id == Suggestion.id)
        .outerjoin(Account, Account.id == Suggestion.decided_by)
        .where(Suggestion.state.in_((SuggestionState.ACCEPTED, SuggestionState.MERGED)), Suggestion.decided_at.is_not(None))
        .order_by(Suggestion.decided_at.desc(), Suggestion.id)
    )
    return tuple(_one(suggestion, row, name) for suggestion, row, name in session.execute(query))


def _one(suggestion: Suggestion, row: SuggestionLift | None, name: str | None) -> Lifted:
    found: dict[str, Any] = row.lift if row else {}
    replay: dict[str, Any] = row.replay if row else {}
    before, after = replay.get("before") or {}, replay.get("after") or {}
    verdict = found.get("verdict", "")
    expected = float(found.get("expected") or 0.0)
    avoided = max(0.0, expected - found["after"]["questions"]) if verdict == Verdict.HELPED else 0.0
    return Lifted(
        suggestion_id=suggestion.id,
        title=suggestion.title,
        kind=suggestion.kind,
        article_id=suggestion.merged_into or suggestion.article_id,
        accepted_at=suggestion.decided_at or suggestion.updated_at,
        accepted_by=name or suggestion.decided_by or "",
        people=suggestion.people,
        verdict=verdict,
        words=in_words(found),
        ratio=found.get("ratio"),
        low=found.get("low"),
        high=found.get("high"),
        before_per_1000=_rate(found.get("before")),
        after_per_1000=_rate(found.get("after")),
        weeks_after=int((found.get("after") or {}).get("weeks", 0)),
        avoided=avoided,
        questions=int(replay.get("questions", 0)),
        answered_before=int(before.get("answered", 0)),
        answered_after=int(after.get("answered", 0)),
        offered_before=int(before.get("offered", 0)),
        offered_after=int(after.get("offered", 0)),
    )


def in_words(found: Mapping[str, Any]) -> str:
    """What a stored lift says, in a sentence."""
    if not found:
        return NOT_MEASURED + "."
    if found.get("low") is None or found.get("ratio") is None:
        return "It needs a whole week with conversations before and after, and questions before."
    limits = f"between {100 * found['low']:.0f} % and " + (f"{100 * found['high']:.0f} %" if found.get("high") is not None else "any share")
    said = f"Asked in vain {100 * found['ratio']:.0f} % as often as before ({limits}, 19 times in 20)."
    if found["verdict"] == Verdict.TOO_LITTLE:
        said += " That is too wide to tell a halving from nothing."
    if found.get("new"):
        said += " It was new when it was suggested, so the time before is no fair measure."
    return said


def _rate(side: Mapping[str, Any] | None) -> float | None:
    if not side or not side["conversations"]:
        return None
    return 1000.0 * float(side["questions"]) / float(side["conversations"])


def _review(session: Session, now: datetime, stale: timedelta, harmed: Sequence[Lifted]) -> tuple[ToReview, ...]:
    today, old = now.date(), now - stale
    rows = session.scalars(
        select(Article)
        .where(Article.state == ArticleState.PUBLISHED)
        .where((Article.review_due <= today) | ((Article.updated_at < old) & (Article.reviewed_at.is_(None) | (Article.reviewed_at < old))))
        .order_by(Article.updated_at, Article.id),
    )
    due = [ToReview(a.id, a.title, _why(a.review_due is not None and a.review_due <= today), a.updated_at) for a in rows]
    named = {one.article_id: one for one in harmed if one.article_id is not None}
    bad = session.scalars(select(Article).where(Article.id.in_(named), Article.state == ArticleState.PUBLISHED)).all()
    first = [ToReview(a.id, a.title, "its question is asked in vain more often since it was accepted", a.updated_at) for a in bad]
    return (*first, *(one for one in due if one.article_id not in named))


def _why(due: bool) -> str:  # noqa: FBT001 - one of two sentences
    return "its review is due" if due else "nobody has changed or reviewed it for long"


def _weeks(session: Session, now: datetime) -> tuple[Week, ...]:
    since = now - timedelta(weeks=WEEKS)
    counts = [[0, 0] for _ in range(WEEKS)]
    for at, group in session.execute(select(Gap.at, Gap.group_id).where(Gap.at > since, Gap.at <= now, Gap.weight > 0)):
        week = min(WEEKS - 1, int((at - since) / timedelta(weeks=1)))
        counts[week][0] += 1
        counts[week][1] += group is not None
    return tuple(Week(since + timedelta(weeks=n + 1), gaps, grouped) for n, (gaps, grouped) in enumerate(counts))
