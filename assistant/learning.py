"""What conversations teach: stored turns, thumbs and tickets → gaps → groups → suggestions for writers.

The only place where the knowledge loop meets conversations, guards and tickets. Everything is derived from stored rows, so it can be
run at any time, twice, or after a kill.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from assistant import signs
from assistant.confirming import confirmed
from assistant.drafting import suggestion_writer
from assistant.signs import Reading
from assistant.tables import Feedback, Message, Role
from assistant.turn import Assistant
from escalation.tables import Ticket
from knowledge import drafting, gap_vectors, gaps, groups, proposing, suggestions, upkeep
from knowledge.articles import ArticleText, text_of
from knowledge.deciding import learning
from knowledge.drafting import Means, Told
from knowledge.embedding import vectors
from knowledge.groups import Window
from knowledge.library import comparing
from knowledge.loop_tables import Gap, GapGroup, GapId, GroupState, SuggestionId
from knowledge.proposing import Asked, NotReady, Rule
from knowledge.publishing import Change, Origin, Refused
from knowledge.rewriting import rewritten
from knowledge.settings import KnowledgeSettings
from knowledge.staging import epoch_family
from knowledge.tables import Article, ArticleState
from knowledge.upkeep import Use

OVERLAP = timedelta(hours=1)  # what was read before is read again this far back: clocks differ, and a slow transaction becomes visible late
BEGINNING = timedelta(days=90)  # the first reading goes back this far
REBUILD_EVERY = timedelta(days=1)  # groups are made anew so often while anything is new …
REBUILD_GROWTH = 0.2  # … or when so many more questions are open than at the last time
TEND_EVERY = timedelta(days=1)  # articles are looked through for twins and for what does not help
REMEMBERED = timedelta(days=180)  # thumbs older than this teach nothing any more
LEARNER = "Firstline"  # who is named for wordings that visitors confirmed: they are searched and never shown


@dataclass(frozen=True)
class Learned:
    """What one run did, for whoever reads it in words; `held` has by group why it gives no suggestion yet, `not_ready` how often each."""

    new: int
    placed: int
    groups: int | None
    woken: int
    expired: int
    suggested: tuple[str, ...]
    not_ready: Mapping[str, int]
    wordings: int
    held: Mapping[str, str] = field(default_factory=dict)


def learn(assistant: Assistant, settings: KnowledgeSettings, *, now: datetime, rebuild: bool = False) -> Learned:
    """Read what happened, group it, and suggest what is ready. `rebuild` makes all groups anew even where it is not due."""
    new = collect(assistant, now=now)
    encoders = assistant.library.encoders
    family, window = epoch_family(encoders), Window(now, settings.suggest_days)
    gap_vectors.remember(assistant.sessions, encoders)
    gap_vectors.remember_replies(assistant.sessions, encoders, lambda session, asked: _replied(session, asked, assistant.mask))
    placed = groups.place(assistant.sessions, family, assistant.new_id, window)
    made = groups.rebuild(assistant.sessions, family, assistant.new_id, window) if rebuild or _due(assistant, now) else None
    if made is not None:
        with assistant.sessions.write() as session:
            state = gaps.state(session, "")
            state.rebuilt_at, state.rebuilt_size = now, gaps.count(session)
    _link_advice(assistant)
    with assistant.sessions.write() as session:
        woken, expired = suggestions.tend(session, now=now)
    wordings = confirm(assistant, now=now)
    rule = Rule(settings.suggest_people, settings.suggest_days, settings.suggest_pure)
    suggested, held = _suggest(assistant, family, rule, now)
    if rebuild or _untended(assistant, now):
        suggested += _tend_articles(assistant, now)
    return Learned(new, placed, made, woken, expired, tuple(suggested), dict(Counter(held.values())), wordings, held)


def collect(assistant: Assistant, *, now: datetime) -> int:
    """Read what happened since the last time; how many questions are new among those left open."""
    with assistant.sessions.write() as session:
        state = gaps.state(session, assistant.new_id())
        since = (state.read_until - OVERLAP) if state.read_until else now - BEGINNING
        salt = state.salt
    with assistant.sessions.read() as session:
        reading = Reading(assistant.mask, _advice(assistant), salt)
        found = signs.read(session, reading, since, now)
        found += signs.repeated(session, reading, since, lambda texts: _alike(assistant, texts))
    with assistant.sessions.write() as session:
        new = gaps.note(session, found)
        gap_vectors.forget_replies(session, {sign.gap_id for sign in found if sign.ticket_id})
        gaps.state(session, salt).read_until = now
    return len(new)


def confirm(assistant: Assistant, *, now: datetime) -> int:
    """Teach FAQs the wordings under which visitors found them and said so; how many FAQs have learned any."""
    with assistant.sessions.read() as session:
        found = confirmed(session, now - REMEMBERED, assistant.mask)
        texts = [
            (article.source, article.revision, learning(text_of(session, article), found[article.id]))
            for article in _articles(session, found)
        ]
    return sum(_taught(assistant, text, source, revision, now) for source, revision, text in texts)


def _taught(assistant: Assistant, text: ArticleText, source: str, revision: int, now: datetime) -> bool:
    """Whether a FAQ learned its wordings: not where it was written anew meanwhile, nor where a protected question would break."""
    origin = Origin(source, LEARNER, by_hand=True, note="learned how people ask", overwrite=True, revision=revision)
    try:
        (result,) = assistant.library.publisher.publish([text], origin, now=now)
    except Refused:
        return False
    return result.change is Change.CHANGED


def _articles(session: Session, ids: Mapping[str, object]) -> Sequence[Article]:
    query = select(Article).where(Article.id.in_(list(ids)), Article.state == ArticleState.PUBLISHED)
    return session.scalars(query.order_by(Article.id)).all()


def _due(assistant: Assistant, now: datetime) -> bool:
    with assistant.sessions.read() as session:
        state, open_now = gaps.state(session, ""), gaps.count(session)
    grown = open_now > (1 + REBUILD_GROWTH) * state.rebuilt_size
    late = state.rebuilt_at is None or state.rebuilt_at <= now - REBUILD_EVERY
    return open_now > 0 and (grown or (late and open_now != state.rebuilt_size))


def _suggest(assistant: Assistant, family: str, rule: Rule, now: datetime) -> tuple[list[str], dict[str, str]]:
    """Suggest what is ready, the highest rank first; titles, and by group what kept it back."""
    means = Means(assistant.embed, assistant.mask)
    write = suggestion_writer(assistant.writer, assistant.means) if assistant.writer else None
    with assistant.sessions.read() as session:
        ready = select(GapGroup.id).where(GapGroup.state == GroupState.OPEN, GapGroup.people >= rule.people)
        waiting = session.scalars(ready.order_by(GapGroup.rank.desc(), GapGroup.id)).all()
    titles: list[str] = []
    held: dict[str, str] = {}
    for group_id in waiting:
        with assistant.sessions.read() as session:
            group = session.get_one(GapGroup, group_id)
            known = group.held
            asked, rows = groups.members(session, family, group_id)
            told = _told(session, asked)
            try:
                made = proposing.proposal(assistant.library, session, Asked(group, asked, rows, told), means, rule, now=now)
            except NotReady as reason:
                held[group_id] = str(reason)
        if group_id in held:
            if held[group_id] != known:
                _keep_back(assistant, group_id, held[group_id])
            continue
        made = rewritten(made, write, assistant.mask)
        with assistant.sessions.write() as session:
            again = session.get(GapGroup, group_id, with_for_update=True)
            if again is not None and again.state == GroupState.OPEN:
                again.held = None
                suggestions.propose(session, made, SuggestionId(assistant.new_id()), now=now)
                titles.append(made.title)
    return titles, held


def _keep_back(assistant: Assistant, group_id: str, why: str) -> None:
    """Say on the group why it gives no suggestion yet."""
    with assistant.sessions.write() as session:
        session.execute(update(GapGroup).where(GapGroup.id == group_id).values(held=why[:200]))


def _untended(assistant: Assistant, now: datetime) -> bool:
    """Whether articles were not looked through for a day: that reads a year of replies, so not every run does it."""
    with assistant.sessions.read() as session:
        last = gaps.state(session, "").tended_at
    return last is None or last <= now - TEND_EVERY


def _tend_articles(assistant: Assistant, now: datetime) -> list[str]:
    """Suggest to merge twins and to mend or retire what does not help."""
    means = Means(assistant.embed, assistant.mask)
    with assistant.sessions.read() as session:
        found = [*upkeep.twins(session, means), *upkeep.stale(session, _uses(session, now - upkeep.UNUSED), now=now)]
    with assistant.sessions.write() as session:
        gaps.state(session, "").tended_at = now
        for one in found:
            suggestions.propose(session, one, SuggestionId(assistant.new_id()), now=now)
    return [one.title for one in found]


def _told(session: Session, asked: Sequence[Gap]) -> list[Told]:
    """What agents wrote to those who asked, in tickets that are settled."""
    people = {gap.ticket_id: gap.person for gap in asked if gap.ticket_id}
    tickets = {str(ticket.id): ticket for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(list(people))))}
    written = signs.replies(session, tickets)
    return [Told(str(m.id), ticket_id, people[ticket_id], m.text) for ticket_id, some in written.items() for m in some]


def _replied(session: Session, asked: Sequence[Gap], mask: Callable[[str], str]) -> dict[GapId, str]:
    """What agents told those who asked, masked and without greetings: of settled tickets only, empty where they said nothing."""
    tickets = {str(t.id): t for t in session.scalars(select(Ticket).where(Ticket.id.in_({gap.ticket_id for gap in asked})))}
    written = signs.replies(session, tickets)
    settled = {ticket_id for ticket_id, ticket in tickets.items() if signs.resolved(ticket)}
    told = {ticket_id: mask(" ".join(drafting.bare(one.text) for one in written.get(ticket_id, ()))) for ticket_id in settled}
    return {gap.id: told[gap.ticket_id] for gap in asked if gap.ticket_id in told}


def _uses(session: Session, since: datetime) -> dict[str, Use]:
    """How each article that was cited since a moment fared: thumbs on replies that cite it, and when that was last."""
    said = (
        select(Message.content, Message.at, Feedback.helpful)
        .outerjoin(Feedback, Feedback.message_id == Message.id)
        .where(Message.role == Role.ASSISTANT, Message.at > since)
        .order_by(Message.id)
    )
    uses: dict[str, Use] = {}
    for content, at, helpful in session.execute(said.execution_options(yield_per=1000)):
        for article_id in {source["article_id"] for source in content.get("sources") or ()}:
            use = uses.get(article_id, Use())
            uses[article_id] = Use(use.helpful + (helpful is True), use.unhelpful + (helpful is False), at)
    return uses


def _link_advice(assistant: Assistant) -> None:
    """A group of advice gets the official page of its policy, where the operator named one."""
    pages = {policy.id: policy.official_page for policy in assistant.guard.policies.values() if policy.official_page}
    with assistant.sessions.write() as session:
        for group in session.scalars(select(GapGroup).where(GapGroup.state == GroupState.ADVICE)):
            group.link = pages.get(group.policy or "")


def _advice(assistant: Assistant) -> frozenset[str]:
    """The policies whose refusals are advice: what they refuse never becomes an article of ours."""
    return frozenset(p.id for p in assistant.guard.policies.values() if p.id.endswith("_advice") or p.official_page)


def _alike(assistant: Assistant, texts: Sequence[str]) -> list[bool]:
    """For each text whether it asks the same as one before it, as the escalation rules see it."""
    encoders = assistant.library.encoders
    rows = vectors(encoders[comparing(encoders)], list(texts))
    cosines = np.tril(rows @ rows.T, k=-1)
    return [bool(row.max() >= assistant.triage.settings.same_from) for row in cosines]
