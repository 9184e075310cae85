"""From a group of questions to something a writer can accept: a new FAQ, or a change of the article that should have answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import drafting, duplicates, groups
from knowledge.drafting import Known, Means, Told
from knowledge.duplicates import DUPLICATE, Page
from knowledge.facts import facts_in
from knowledge.grouping import cohesion
from knowledge.library import Library
from knowledge.loop_tables import Gap, GapGroup, Suggestion, SuggestionKind, SuggestionState
from knowledge.suggestions import Proposal, Similar, Target
from knowledge.support import Sentence, split
from knowledge.tables import Article, ArticleState
from knowledge.vectors import Vectors
from knowledge.wording import as_question, central

PASSAGES, SHOWN = 5, 3  # passages that an answer may lean on; similar articles that are shown
SAYS_IT = 0.72  # cosine of two sentences, by the main encoder, from which one says what the other does
OTHERWISE = 0.78  # … from which they speak of the same thing, so that other numbers contradict
MOST_WORDINGS = 40


@dataclass(frozen=True)
class Rule:
    """When a group is ready: so many different people in so many days, and questions as alike as `pure` on average."""

    people: int
    days: int
    pure: float


@dataclass(frozen=True)
class Asked:
    """A group with its gaps, their rows and what agents told those who asked."""

    group: GapGroup
    gaps: Sequence[Gap]
    rows: Vectors
    told: Sequence[Told]


class NotReady(Exception):
    """The group gives no suggestion yet; the sentence says why."""


def proposal(library: Library, session: Session, asked: Asked, means: Means, rule: Rule, *, now: datetime) -> Proposal:
    """What to suggest for a group. Raise NotReady."""
    clear = _ready(asked, rule, now)
    gaps, rows = [asked.gaps[at] for at in clear], asked.rows[clear]
    told = _told_clearly(asked, gaps)
    language = asked.group.language
    known, articles = _nearest(library, session, central([gap.question for gap in gaps], rows), means)
    shared = _shared(gaps, told, known, means, language)
    wordings = _wordings(gaps, rows, shared, language)
    if not wordings:
        raise NotReady("every wording holds something personal")
    title, others = as_question(wordings[0]), wordings[1:]
    body = drafting.answer(told, known, means.embed([title])["main"][0], means, language=language)
    if not body:
        raise NotReady("nobody has answered it in a way that fits others")
    people = len({gap.person for gap in gaps})
    draft = Proposal(
        kind=SuggestionKind.NEW,
        title=title,
        text=drafting.markdown(body),
        body=body,
        why=f"{people} people asked this and the articles did not settle it.",
        language=language,
        rank=asked.group.rank,
        group_id=asked.group.id,
        wordings=others,
        size=len(gaps),
        people=people,
    )
    return _against(draft, articles, _pending(session, asked.group.id), means, library.rarity)


def similar(one: Page, pages: Mapping[str, Sequence[Page]], means: Means, rarity: Callable[[str], float] | None = None) -> list[Similar]:
    """The pages most like one, best first: `pages` by what they are, article or suggestion; `rarity` of a word in the library."""
    flat = [(of, page) for of, some in pages.items() for page in some]
    if not flat:
        return []
    everything = [one, *(page for _, page in flat)]
    first, *others = duplicates.seen(everything, means.embed(duplicates.texts(everything)), rarity)
    scored = [(duplicates.likeness(first, other), of, other.page) for (of, _), other in zip(flat, others, strict=True)]
    best = sorted(scored, key=lambda row: (-row[0], row[2].id))[:SHOWN]
    return [Similar(of, page.id, page.title, round(score, 3), duplicate=score >= DUPLICATE) for score, of, page in best]


def _ready(asked: Asked, rule: Rule, now: datetime) -> list[int]:
    """The clear questions of a group that is ready."""
    clear = groups.core(asked.rows, rule.pure)
    recent = {asked.gaps[at].person for at in clear if asked.gaps[at].at > now - timedelta(days=rule.days)}
    if len(recent) < rule.people:
        raise NotReady(f"{len(recent)} people in {rule.days} days, {rule.people} are needed")
    if cohesion(asked.rows[clear]) < rule.pure:
        raise NotReady("its questions are not alike enough")
    return clear


def _told_clearly(asked: Asked, clear: Sequence[Gap]) -> Sequence[Told]:
    """What was replied to the clear questions; of all where none of them was replied to."""
    tickets = {gap.ticket_id for gap in clear}
    return [one for one in asked.told if one.within in tickets] or asked.told


def _nearest(library: Library, session: Session, question: str, means: Means) -> tuple[list[Known], list[Article]]:
    """Passages that come nearest to the question, with their articles."""
    found = library.find(question, means.embed([question]), limit=PASSAGES)
    places = library.places(session, list(dict.fromkeys(hit.article_id for hit in found.passages)))
    by_id = {str(place.passage.id): place for of_one in places.values() for place in of_one}
    near = [by_id[hit.passage_id] for hit in found.passages if hit.passage_id in by_id]
    articles = {place.article.id: place.article for place in near}
    return [Known(place.passage.id, place.article.id, place.passage.text) for place in near], list(articles.values())


def _shared(gaps: Sequence[Gap], told: Sequence[Told], known: Sequence[Known], means: Means, language: str) -> frozenset[str]:
    """Facts that may stand in a title or wording: two people said them, or an article does."""
    said = [Told(gap.id, gap.id, gap.person, gap.question) for gap in gaps]
    return drafting.agreed([*said, *told], known, means.mask, language)


def _wordings(gaps: Sequence[Gap], rows: Vectors, shared: frozenset[str], language: str) -> list[str]:
    """How people asked, without what is personal; the most telling first, each once."""
    clean = [(drafting.scrubbed(gap.question, shared, language), at) for at, gap in enumerate(gaps)]
    unique = {text.casefold(): (text, at) for text, at in reversed(clean) if text}
    kept = [unique[key] for key in sorted(unique, key=lambda key: unique[key][1])]
    if not kept:
        return []
    alike = rows @ rows.mean(axis=0)
    order = sorted(kept, key=lambda one: -float(alike[one[1]]))
    title = central([text for text, _ in kept], rows[[at for _, at in kept]])
    first = next((text for text, _ in kept if as_question(text) == title), order[0][0])
    return [first, *(text for text, _ in order if text != first)][:MOST_WORDINGS]


def _pending(session: Session, group_id: str) -> list[Page]:
    waiting = (SuggestionState.PENDING, SuggestionState.SNOOZED)
    found = session.scalars(select(Suggestion).where(Suggestion.state.in_(waiting), Suggestion.kind == SuggestionKind.NEW))
    return [Page(row.id, row.title, row.text) for row in found if row.group_id != group_id]


def _against(
    draft: Proposal, articles: Sequence[Article], pending: Sequence[Page], means: Means, rarity: Callable[[str], float]
) -> Proposal:
    """The draft beside what there is: with similar ones, and as a change of an article that says the same already."""
    own = Page("", draft.title, draft.text)
    pages = [Page(a.id, a.title, a.body, (*a.wordings, *a.learned)) for a in articles if a.state == ArticleState.PUBLISHED]
    found = similar(own, {"article": pages, "suggestion": pending}, means, rarity)
    draft = replace(draft, similar=found)
    same = next((one for one in found if one.duplicate and one.of == "article"), None)
    if same is None:
        return draft
    return changing(draft, next(a for a in articles if a.id == same.id), means)


def changing(draft: Proposal, article: Article, means: Means) -> Proposal:
    """The draft as a change of the article: a sentence that says otherwise is replaced, what it lacks is added, and it learns wordings."""
    theirs = split(article.body)
    rows = means.embed([*theirs, *(sentence.text for sentence in draft.body)])["main"]
    cosines = rows[len(theirs) :] @ rows[: len(theirs)].T if theirs else np.zeros((len(draft.body), 0), dtype=np.float32)
    text, contradicts, added = article.body, [], []
    for sentence, alike in zip(draft.body, cosines, strict=True):
        nearest = int(np.argmax(alike)) if len(alike) else -1
        if nearest >= 0 and alike[nearest] >= OTHERWISE and _other_numbers(sentence.text, theirs[nearest]) and theirs[nearest] in text:
            text = text.replace(theirs[nearest], sentence.text, 1)
            contradicts.append(sentence)
        elif nearest < 0 or alike[nearest] < SAYS_IT:
            added.append(sentence)
    text = "\n\n".join([text.rstrip(), *([drafting.markdown(added)] if added else [])])
    kind = SuggestionKind.REFRESH if contradicts else SuggestionKind.EDIT
    target = Target(article.id, article.revision)
    wordings = [draft.title, *draft.wordings]
    why = f"{draft.people} people asked this; “{article.title}” {_what(contradicts, added)}"
    return replace(draft, kind=kind, title=article.title, text=text, body=[*contradicts, *added], why=why, target=target, wordings=wordings)


def _what(contradicts: Sequence[Sentence], added: Sequence[Sentence]) -> str:
    if contradicts:
        return "says otherwise than the agents do."
    return "answers it in part." if added else "answers it but was not found: it would learn how people ask."


def _other_numbers(one: str, other: str) -> bool:
    """Whether both give numbers and none is the same."""
    numbers = [{fact for fact in facts_in(text) if fact[:1].isdigit()} for text in (one, other)]
    return bool(numbers[0] and numbers[1] and not numbers[0] & numbers[1])
