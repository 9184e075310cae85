"""What accepted suggestions changed: their group's questions asked again, and the live traffic before and after.

The only place where lift meets conversations. Everything is told from stored rows, so it can be run at any time, and twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.tables import Conversation, Feedback, Message, Outcome, Turn
from assistant.turn import Assistant
from knowledge import articles, golden, lift, replaying
from knowledge.library import Library
from knowledge.lift import History, Lift
from knowledge.loop_tables import Gap, Suggestion, SuggestionKind, SuggestionState
from knowledge.rehearsal import Edit

DAY = 86_400.0
TRIGGER = timedelta(days=14)  # the days that made a group a suggestion
LONGEST = timedelta(weeks=lift.LONGEST + 2)
CHANGED = (SuggestionState.ACCEPTED, SuggestionState.MERGED)
VISITORS = "visitors"

Moments = NDArray[np.float64]


def replay(library: Library, suggestion: Suggestion, *, now: datetime) -> None:
    """Ask the questions of an accepted suggestion's group of the knowledge with and without it; stored with the suggestion.

    What was found before it was accepted stays as it was written down then.
    """
    with library.sessions.read() as session:
        questions = replaying.asked(session, suggestion.group_id)
        without = _without(session, suggestion)
    changes = library.rehearse(questions, without)
    gone, here = (replaying.counted([getattr(change, side) for change in changes]) for side in ("after", "before"))
    with library.sessions.write() as session:
        replaying.keep_after(session, suggestion.id, len(questions), gone, here, now=now)


def measure(assistant: Assistant, *, now: datetime) -> int:
    """Replay and measure every accepted suggestion of the last year; how many."""
    library = assistant.library
    with library.sessions.read() as session:
        query = select(Suggestion).where(Suggestion.state.in_(CHANGED), Suggestion.decided_at > now - timedelta(days=365))
        accepted = [one for one in session.scalars(query.order_by(Suggestion.decided_at)) if one.group_id is not None]
        traffic = _traffic(session, now)
    for suggestion in accepted:
        found = measured_lift(suggestion, traffic, now)
        replay(library, suggestion, now=now)
        with library.sessions.write() as session:
            row = replaying.row_of(session, suggestion.id)
            row.lift, row.measured_at = asdict(found), now
    return len(accepted)


@dataclass(frozen=True)
class Traffic:
    """Moments, in seconds: of conversations, of every open question, by group, and when each group's suggestion was accepted."""

    conversations: Moments
    groups: Mapping[str | None, Moments]
    answered: Mapping[str, float]


def measured_lift(suggestion: Suggestion, traffic: Traffic, now: datetime) -> Lift:
    """The lift of one suggestion. Days are counted from the moment of acceptance; the last, unfinished one is left out.

    Groups whose own suggestion was accepted are no control: they were changed too.
    """
    if suggestion.decided_at is None:
        raise ValueError("only a decided suggestion has a lift")
    accepted = suggestion.decided_at.timestamp()
    start = -int(LONGEST.total_seconds() // DAY)
    end = min(int((now.timestamp() - accepted) // DAY), -start)
    others = [moments for group, moments in traffic.groups.items() if group != suggestion.group_id and group not in traffic.answered]
    made = (suggestion.created_at.timestamp() - accepted) / DAY
    window = TRIGGER.total_seconds() / DAY
    first, last = int(np.floor(made - window)) - start, int(np.ceil(made)) - start
    return lift.measure(
        History(
            counts=_daily([traffic.groups.get(suggestion.group_id, np.zeros(0))], accepted, start, end),
            conversations=_daily([traffic.conversations], accepted, start, end),
            others=_daily(others, accepted, start, end),
            triggered=(max(first, 0), max(last, 0)),
            accepted=-start,
        ),
    )


def confirm(assistant: Assistant, *, since: datetime, now: datetime) -> int:
    """Questions whose answer got a thumb up, from one article, become golden questions without protection; how many are new."""
    with assistant.library.sessions.read() as session:
        found = list(_confirmed(session, since))
    masked = [(assistant.mask(question), article_id) for question, article_id in found]
    with assistant.library.sessions.write() as session:
        return golden.confirmed(session, masked, assistant.new_id, by=VISITORS, now=now)


def _confirmed(session: Session, since: datetime) -> Iterator[tuple[str, str]]:
    query = (
        select(Turn.question, Message.content)
        .join(Feedback, Feedback.message_id == Turn.reply_id)
        .join(Message, Message.id == Turn.reply_id)
        .where(Feedback.helpful, Feedback.at > since, Turn.question.is_not(None), Turn.outcome.like("answered_%"))
        .order_by(Turn.id)
    )
    for question, content in session.execute(query):
        ids = {str(source["article_id"]) for source in content.get("sources", [])}
        if question and len(ids) == 1 and content.get("outcome") != Outcome.ANSWERED_IN_PART:
            article_id = ids.pop()
            try:
                articles.get(session, article_id)
            except articles.NoSuchArticle:
                continue
            yield question, article_id


def _traffic(session: Session, now: datetime) -> Traffic:
    since = now - 2 * LONGEST - timedelta(days=365)
    began = session.scalars(select(Conversation.created_at).where(Conversation.created_at > since))
    groups: dict[str | None, list[float]] = {}
    for group, at in session.execute(select(Gap.group_id, Gap.at).where(Gap.at > since, Gap.weight > 0)):
        groups.setdefault(group, []).append(at.timestamp())
    query = select(Suggestion.group_id, Suggestion.decided_at).where(Suggestion.state.in_(CHANGED))
    answered = {str(group): at.timestamp() for group, at in session.execute(query) if group is not None and at is not None}
    return Traffic(
        np.array([at.timestamp() for at in began], dtype=np.float64),
        {group: np.array(moments, dtype=np.float64) for group, moments in groups.items()},
        answered,
    )


def _daily(moments: Sequence[Moments], origin: float, start: int, end: int) -> NDArray[np.int64]:
    """How many of the moments fall on each day from `start` to `end`, counted from the origin."""
    every = np.concatenate([*moments, np.zeros(0)])
    days = np.floor((every - origin) / DAY).astype(np.int64) - start
    return np.bincount(days[(days >= 0) & (days < end - start)], minlength=max(0, end - start)).astype(np.int64)


def _without(session: Session, suggestion: Suggestion) -> Edit:
    """The edit that would undo the suggestion: its article gone, or as it was before."""
    if suggestion.article_id is None:
        return Edit()
    if suggestion.kind == SuggestionKind.NEW:
        return Edit(retiring=(suggestion.article_id,))
    article = articles.get(session, suggestion.article_id)
    if suggestion.published_revision is None or suggestion.published_revision < 2:  # noqa: PLR2004 - a first one has none before
        return Edit()
    return Edit(((article.id, articles.at_revision(session, article, suggestion.published_revision - 1)),))
