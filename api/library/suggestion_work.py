"""What writers do with suggestions: every decision of the library, for its forms and its interface alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.library.errors import MergeItself, NoSuchGroup
from api.library.shapes import AcceptIn, EditIn, MergeIntoIn, RejectIn, SnoozeIn
from api.shapes import In
from api.staff.sessions import Signed
from knowledge import deciding, gaps, suggestions
from knowledge.deciding import Decision
from knowledge.loop_tables import Gap, GapGroup, GroupState, Suggestion, SuggestionState
from knowledge.suggestions import Edited, Rejection
from knowledge.tables import Article

PAGE = 50
QUESTIONS = 100


@dataclass(frozen=True)
class Review:
    """Everything a writer needs to decide: the suggestion, who asked what, the article it is about, and the next one."""

    suggestion: Suggestion
    group: GapGroup | None
    questions: tuple[Gap, ...]
    article: Article | None
    unsupported: tuple[str, ...]
    next: str | None


def decide(service: Service, me: Signed, suggestion_id: str, body: In) -> Suggestion:
    """Do with a suggestion what the body says; how it stands afterwards. Raise what its verb raises."""
    DOES[type(body)](service, me, suggestion_id, body)
    with service.database.read() as session:
        return suggestions.get(session, suggestion_id)


def review(session: Session, suggestion_id: str) -> Review:
    """A suggestion to be decided. Raise NoSuchSuggestion."""
    found = suggestions.get(session, suggestion_id)
    after = suggestions.after(session, found)
    return Review(
        suggestion=found,
        group=session.get(GapGroup, found.group_id) if found.group_id else None,
        questions=tuple(deciding.asked_by(session, found, QUESTIONS)),
        article=session.get(Article, found.article_id) if found.article_id else None,
        unsupported=tuple(deciding.unsupported(found)),
        next=after.id if after else None,
    )


def listed(session: Session, state: SuggestionState, page: int) -> list[tuple[Suggestion, GapGroup | None]]:
    """A page of suggestions in a state, the highest rank first, with their groups."""
    found = suggestions.listed(session, [state], limit=PAGE, offset=(page - 1) * PAGE)
    ids = [one.group_id for one in found if one.group_id]
    groups = {group.id: group for group in session.scalars(select(GapGroup).where(GapGroup.id.in_(ids)))}
    return [(one, groups.get(one.group_id) if one.group_id else None) for one in found]


def groups(session: Session, state: GroupState | None, page: int) -> list[GapGroup]:
    """A page of groups, the highest rank first."""
    query = select(GapGroup) if state is None else select(GapGroup).where(GapGroup.state == state)
    return list(session.scalars(query.order_by(GapGroup.rank.desc(), GapGroup.id).limit(PAGE).offset((page - 1) * PAGE)))


def group(session: Session, group_id: str) -> tuple[GapGroup, list[Gap], Suggestion | None]:
    """A group with its questions and its newest suggestion. Raise NoSuchGroup."""
    found = session.get(GapGroup, group_id)
    if found is None:
        raise NoSuchGroup(f"there is no group {group_id}")
    suggested = select(Suggestion).where(Suggestion.group_id == group_id).order_by(Suggestion.created_at.desc()).limit(1)
    return found, list(gaps.of_group(session, group_id, QUESTIONS)), session.scalars(suggested).first()


def group_counts(session: Session) -> dict[str, int]:
    """How many groups there are in each state."""
    return {str(state): int(count) for state, count in session.execute(select(GapGroup.state, func.count()).group_by(GapGroup.state))}


# ── the verbs ───────────────────────────────────────────────────────────────────────────────────────


def _accept(service: Service, me: Signed, suggestion_id: str, body: AcceptIn) -> None:
    decision = Decision(me.account_id, body.version, override=body.override, anyway=body.anyway)
    deciding.accept(service.library, suggestion_id, decision, now=service.now())


def _edit(service: Service, me: Signed, suggestion_id: str, body: EditIn) -> None:
    edited = Edited(body.title, body.text, body.wordings)
    with service.database.write() as session:
        suggestions.edit(session, suggestion_id, edited, by=me.account_id, expected_version=body.version, now=service.now())


def _reject(service: Service, me: Signed, suggestion_id: str, body: RejectIn) -> None:
    why = Rejection(body.reason, body.text)
    with service.database.write() as session:
        suggestions.reject(session, suggestion_id, why, by=me.account_id, expected_version=body.version, now=service.now())


def _snooze(service: Service, me: Signed, suggestion_id: str, body: SnoozeIn) -> None:
    until = service.now() + timedelta(days=body.days)
    with service.database.write() as session:
        suggestions.snooze(session, suggestion_id, until, by=me.account_id, expected_version=body.version, now=service.now())


def _merge(service: Service, me: Signed, suggestion_id: str, body: MergeIntoIn) -> None:
    if bool(body.article) == bool(body.suggestion) or body.suggestion == suggestion_id:
        raise MergeItself("name one article or one other suggestion to merge it into")
    if body.article:
        deciding.merge_into(service.library, suggestion_id, body.article, Decision(me.account_id, body.version), now=service.now())
        return
    with service.database.write() as session:
        into = body.suggestion or ""
        suggestions.merge_into_suggestion(session, suggestion_id, into, by=me.account_id, expected_version=body.version, now=service.now())


DOES: Mapping[type[In], Callable[[Service, Signed, str, Any], None]] = {
    AcceptIn: _accept,
    EditIn: _edit,
    RejectIn: _reject,
    SnoozeIn: _snooze,
    MergeIntoIn: _merge,
}
