"""The life of a suggestion: proposed by the machine, edited, snoozed, rejected or accepted by a writer, or expired.

These verbs change rows only; what an acceptance publishes is deciding.py's business. Each says which version it was made on,
so that of two writers who decide at once only the first does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from knowledge.loop_tables import (
    GapGroup,
    GroupId,
    GroupState,
    RejectReason,
    Suggestion,
    SuggestionId,
    SuggestionKind,
    SuggestionState,
)
from knowledge.support import Sentence, sentences_of
from knowledge.tables import ArticleId

WAITING = (SuggestionState.PENDING, SuggestionState.SNOOZED)
LIFE = timedelta(weeks=4)


class NoSuchSuggestion(LookupError):
    """No suggestion has that id."""


class StaleSuggestion(Exception):
    """Somebody changed or decided the suggestion since it was read: `version`, `state` and `decided_by` say what it is now."""

    def __init__(self, suggestion: Suggestion, expected: int) -> None:
        """`expected`: the version the caller had seen."""
        super().__init__(f"the suggestion “{suggestion.title}” is at version {suggestion.version}, not {expected}")
        self.suggestion_id, self.version = suggestion.id, suggestion.version
        self.state, self.decided_by = suggestion.state, suggestion.decided_by


class AlreadyDecided(Exception):
    """The suggestion waits no longer: `state` says what became of it."""

    def __init__(self, suggestion: Suggestion) -> None:
        """`suggestion`: the one that was decided."""
        super().__init__(f"the suggestion “{suggestion.title}” is {suggestion.state}")
        self.suggestion_id, self.state, self.decided_by = suggestion.id, suggestion.state, suggestion.decided_by


@dataclass(frozen=True)
class Similar:
    """Something that may say the same already: `of` is article or suggestion, `score` a cosine, `duplicate` whether it says the same."""

    of: str
    id: str
    title: str
    score: float
    duplicate: bool


@dataclass(frozen=True)
class Target:
    """The article that a suggestion changes, at the revision it was made for; `others` would be retired by a merge."""

    article_id: ArticleId
    revision: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What the machine suggests. `text` is the Markdown that would be published; `why` a sentence for the writer."""

    kind: SuggestionKind
    title: str
    text: str
    body: Sequence[Sentence]
    why: str
    language: str
    rank: float
    group_id: GroupId | None = None
    target: Target | None = None
    wordings: Sequence[str] = ()
    similar: Sequence[Similar] = ()
    size: int = 0
    people: int = 0


def propose(session: Session, proposal: Proposal, suggestion_id: SuggestionId, *, now: datetime, life: timedelta = LIFE) -> Suggestion:
    """A new pending suggestion. Its group, if it has one, counts as suggested until it is decided."""
    target = proposal.target
    suggestion = Suggestion(
        id=suggestion_id,
        kind=proposal.kind,
        state=SuggestionState.PENDING,
        version=1,
        group_id=proposal.group_id,
        article_id=target.article_id if target else None,
        article_revision=target.revision if target else None,
        others=list(target.others) if target else [],
        language=proposal.language,
        title=proposal.title[:500],
        body=[sentence.stored() for sentence in proposal.body],
        text=proposal.text,
        why=proposal.why,
        wordings=list(proposal.wordings),
        similar=[asdict(one) for one in proposal.similar],
        rank=proposal.rank,
        size=proposal.size,
        people=proposal.people,
        created_at=now,
        updated_at=now,
        expires_at=now + life,
    )
    session.add(suggestion)
    _mark_group(session, suggestion, GroupState.SUGGESTED)
    session.flush()
    return suggestion


def get(session: Session, suggestion_id: str) -> Suggestion:
    """The suggestion. Raise NoSuchSuggestion."""
    found = session.get(Suggestion, suggestion_id)
    if found is None:
        raise NoSuchSuggestion(f"there is no suggestion {suggestion_id}")
    return found


def listed(
    session: Session, states: Iterable[SuggestionState] = (SuggestionState.PENDING,), *, limit: int = 50, offset: int = 0
) -> Sequence[Suggestion]:
    """Those in one of these states, the highest rank first."""
    query = select(Suggestion).where(Suggestion.state.in_(list(states))).order_by(Suggestion.rank.desc(), Suggestion.id)
    return session.scalars(query.limit(limit).offset(offset)).all()


def counted(session: Session) -> dict[SuggestionState, int]:
    """How many there are in each state."""
    rows = session.execute(select(Suggestion.state, func.count()).group_by(Suggestion.state))
    return {SuggestionState(state): int(count) for state, count in rows}


def after(session: Session, suggestion: Suggestion) -> Suggestion | None:
    """The next pending one below it, or the first of all when it was the last; None when no other waits."""
    below = select(Suggestion).where(Suggestion.state == SuggestionState.PENDING, Suggestion.id != suggestion.id)
    behind = (Suggestion.rank < suggestion.rank) | ((Suggestion.rank == suggestion.rank) & (Suggestion.id > suggestion.id))
    order = (Suggestion.rank.desc(), Suggestion.id)
    following = session.scalars(below.where(behind).order_by(*order).limit(1)).first()
    return following or session.scalars(below.order_by(*order).limit(1)).first()


@dataclass(frozen=True)
class Edited:
    """What a writer made of it; None leaves a part as it is."""

    title: str | None = None
    text: str | None = None
    wordings: Sequence[str] | None = None


def edit(session: Session, suggestion_id: str, edited: Edited, *, by: str, expected_version: int, now: datetime) -> Suggestion:
    """Change a waiting suggestion. A sentence that still stands keeps its evidence; a new one has none, and says so.

    Raise NoSuchSuggestion, StaleSuggestion, AlreadyDecided.
    """
    suggestion = waiting(session, suggestion_id, expected_version)
    if edited.title is not None:
        suggestion.title = edited.title.strip()[:500]
    if edited.text is not None and edited.text != suggestion.text:
        suggestion.body = [s.stored() for s in sentences_of(edited.text, [Sentence.read(row) for row in suggestion.body])]
        suggestion.text = edited.text
    if edited.wordings is not None:
        suggestion.wordings = list(edited.wordings)
    suggestion.edited_by = by
    changed(suggestion, now)
    return suggestion


def snooze(session: Session, suggestion_id: str, until: datetime, *, by: str, expected_version: int, now: datetime) -> Suggestion:
    """Put it aside until a moment; it does not expire before. Raise NoSuchSuggestion, StaleSuggestion, AlreadyDecided, ValueError."""
    if until <= now:
        raise ValueError("a suggestion can only be snoozed until later")
    suggestion = waiting(session, suggestion_id, expected_version)
    suggestion.state, suggestion.snoozed_until, suggestion.edited_by = SuggestionState.SNOOZED, until, by
    suggestion.expires_at = max(suggestion.expires_at, until + LIFE)
    changed(suggestion, now)
    return suggestion


@dataclass(frozen=True)
class Rejection:
    """Why a writer does not want it: one of six reasons, and perhaps a word."""

    reason: RejectReason
    text: str = ""


def reject(session: Session, suggestion_id: str, why: Rejection, *, by: str, expected_version: int, now: datetime) -> Suggestion:
    """Not this: its group comes back only when it has grown markedly. Raise NoSuchSuggestion, StaleSuggestion, AlreadyDecided."""
    suggestion = waiting(session, suggestion_id, expected_version)
    suggestion.reason, suggestion.reason_text = why.reason, why.text.strip()[:2000]
    decided(session, suggestion, SuggestionState.REJECTED, by=by, now=now)
    return suggestion


def merge_into_suggestion(session: Session, suggestion_id: str, into: str, *, by: str, expected_version: int, now: datetime) -> Suggestion:
    """It asks the same as another waiting one: that one gets its wordings and its volume, this one is done.

    Raise NoSuchSuggestion, StaleSuggestion, AlreadyDecided, ValueError for itself.
    """
    if suggestion_id == into:
        raise ValueError("a suggestion cannot be merged into itself")
    suggestion = waiting(session, suggestion_id, expected_version)
    other = waiting(session, into, None)
    other.wordings = list(dict.fromkeys([*other.wordings, suggestion.title, *suggestion.wordings]))
    other.rank, other.size, other.people = other.rank + suggestion.rank, other.size + suggestion.size, other.people + suggestion.people
    changed(other, now)
    suggestion.merged_into = other.id
    decided(session, suggestion, SuggestionState.MERGED, by=by, now=now)
    return suggestion


def tend(session: Session, *, now: datetime) -> tuple[int, int]:
    """Wake those whose sleep is over and let those expire that waited too long; how many of each.

    Groups of the expired come back when they grow.
    """
    due = select(Suggestion).where(Suggestion.state == SuggestionState.SNOOZED, Suggestion.snoozed_until <= now)
    woken = session.scalars(due.with_for_update()).all()
    for suggestion in woken:
        suggestion.state, suggestion.snoozed_until = SuggestionState.PENDING, None
        changed(suggestion, now)
    old = select(Suggestion).where(Suggestion.state == SuggestionState.PENDING, Suggestion.expires_at <= now)
    expired = session.scalars(old.with_for_update()).all()
    for suggestion in expired:
        suggestion.state, suggestion.decided_at = SuggestionState.EXPIRED, now
        _mark_group(session, suggestion, GroupState.REJECTED)
        changed(suggestion, now)
    session.flush()
    return len(woken), len(expired)


def waiting(session: Session, suggestion_id: str, expected_version: int | None) -> Suggestion:
    """A suggestion that can still be decided, ours until the transaction ends.

    Raise NoSuchSuggestion, StaleSuggestion, AlreadyDecided. None takes any version.
    """
    suggestion = session.get(Suggestion, suggestion_id, with_for_update=True, populate_existing=True)
    if suggestion is None:
        raise NoSuchSuggestion(f"there is no suggestion {suggestion_id}")
    if expected_version is not None and suggestion.version != expected_version:
        raise StaleSuggestion(suggestion, expected_version)
    if suggestion.state not in WAITING:
        raise AlreadyDecided(suggestion)
    return suggestion


def decided(session: Session, suggestion: Suggestion, state: SuggestionState, *, by: str, now: datetime) -> None:
    """Write down who decided what, when; the group takes it over."""
    suggestion.state, suggestion.decided_by, suggestion.decided_at, suggestion.snoozed_until = state, by, now, None
    _mark_group(session, suggestion, GroupState.REJECTED if state is SuggestionState.REJECTED else GroupState.ANSWERED)
    changed(suggestion, now)
    session.flush()


def changed(suggestion: Suggestion, now: datetime) -> None:
    """Another version."""
    suggestion.version += 1
    suggestion.updated_at = now


def _mark_group(session: Session, suggestion: Suggestion, state: GroupState) -> None:
    """The group remembers what became of it, and how large it was then."""
    if suggestion.group_id is not None:
        session.execute(update(GapGroup).where(GapGroup.id == suggestion.group_id).values(state=state, decided_size=GapGroup.size))
