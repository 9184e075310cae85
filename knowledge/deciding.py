"""What a writer decides about a suggestion becomes articles: published, merged or retired in the transaction that decides.

Nothing is published without the name of who reviewed it, and nothing twice: the decision and the swap of the index are one
transaction, so of two writers one decides and the other is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import articles, golden, replaying, suggestions
from knowledge.articles import ArticleText
from knowledge.library import Library
from knowledge.loop_tables import Gap, Suggestion, SuggestionKind, SuggestionState
from knowledge.publishing import Change, Origin, Published, Swap
from knowledge.support import Sentence
from knowledge.tables import Article, ArticleId, ArticleKind, ArticleState

SOURCE = "suggestions"  # of the FAQs that began as one
MOST_LEARNED = 60  # wordings an article keeps


class NoReviewer(ValueError):
    """Nobody is named who reviewed it."""


class Unsupported(Exception):
    """Sentences stand on no evidence; publishing them needs an explicit override. `sentences` are their texts."""

    def __init__(self, sentences: Sequence[str]) -> None:
        """`sentences`: those without evidence."""
        super().__init__(f"{len(sentences)} sentences have no evidence: {sentences[0]!r}")
        self.sentences = tuple(sentences)


class ArticleChanged(Exception):
    """The article is no longer the one that the suggestion was made for; `article_id`."""

    def __init__(self, article_id: str, title: str) -> None:
        """`title`: the article's, for the writer."""
        super().__init__(f"“{title}” was changed since this was suggested")
        self.article_id = article_id


class NotPublished(Exception):
    """The article that a suggestion would change or teach is in no answer: a suggestion brings nothing back that somebody took out."""

    def __init__(self, article: Article) -> None:
        """`article`: the one in question."""
        super().__init__(f"“{article.title}” is {article.state.replace('_', ' ')}; publish it first, or reject this")
        self.article_id = article.id


@dataclass(frozen=True)
class Decision:
    """Who decides, on which version; `override` publishes sentences without evidence too; `anyway` also an article that changed since."""

    by: str
    expected_version: int
    override: bool = False
    anyway: bool = False


@dataclass(frozen=True)
class Plan:
    """What accepting would do: texts to publish under one origin, and articles to retire. For previews and golden questions.

    `revision` is that of the article it was made for, None for a new one.
    """

    texts: tuple[ArticleText, ...]
    source: str
    retiring: tuple[str, ...]
    revision: int | None = None


def plan(session: Session, suggestion: Suggestion, *, anyway: bool = False) -> Plan:
    """What accepting the suggestion would publish and retire, as things stand. Raise NoSuchArticle, NotPublished, ArticleChanged."""
    if suggestion.kind == SuggestionKind.NEW:
        text = ArticleText(
            external_id=suggestion.id,
            title=suggestion.title,
            body=suggestion.text,
            kind=ArticleKind.FAQ,
            language=suggestion.language,
            learned=tuple(suggestion.wordings[:MOST_LEARNED]),
            ai_generated=True,
        )
        return Plan((text,), SOURCE, ())
    article = _published(session, suggestion.article_id or "")
    if article.revision != suggestion.article_revision and not anyway:
        raise ArticleChanged(article.id, article.title)
    if suggestion.kind == SuggestionKind.RETIRE:
        return Plan((), article.source, (article.id,))
    wordings = list(suggestion.wordings)
    if suggestion.kind == SuggestionKind.MERGE:
        wordings += _names_of(session, suggestion.others)
    text = replace(articles.text_of(session, article), title=suggestion.title, body=suggestion.text, ai_generated=True)
    return Plan((learning(text, wordings),), article.source, tuple(suggestion.others), article.revision)


def accept(library: Library, suggestion_id: str, decision: Decision, *, now: datetime) -> Published:
    """Publish what is suggested, or retire it: what became of the article. How its group's questions fare before is kept beside it.

    Raise NoReviewer, Unsupported, NoSuchSuggestion, StaleSuggestion, AlreadyDecided, NoSuchArticle, NotPublished or ArticleChanged: nothing
    happened.
    """
    by = _reviewer(decision)
    with library.sessions.read() as session:
        suggestion = suggestions.waiting(session, suggestion_id, decision.expected_version)
        _refuse_unsupported(suggestion, decision)
        wanted = plan(session, suggestion, anyway=decision.anyway)
        note = _note(suggestion)
        questions = replaying.asked(session, suggestion.group_id)
    before = replaying.before(library.rehearse, questions)

    def decide(session: Session, results: Sequence[Published]) -> None:
        row = suggestions.waiting(session, suggestion_id, decision.expected_version)
        _refuse_conflict(results, wanted.texts)
        _refuse_unsupported(row, decision)
        row.overridden = decision.override and any(not Sentence.read(s).supported for s in row.body)
        row.article_id = results[0].article_id if results else row.article_id
        if row.article_id is not None:
            row.published_revision = articles.get(session, row.article_id).revision
        if row.article_id is not None:
            golden.follow(session, wanted.retiring, row.article_id, by=by, now=now)
        suggestions.decided(session, row, SuggestionState.ACCEPTED, by=by, now=now)
        replaying.keep_before(session, row.id, before, now=now)

    origin = Origin(wanted.source, by, by_hand=True, note=note, overwrite=True, reviewer=by, revision=wanted.revision)
    results = library.publisher.publish(wanted.texts, origin, now=now, swap=Swap(wanted.retiring, decide))
    return results[0] if results else Published(suggestion_id, Change.RETIRED, ArticleId(wanted.retiring[0]))


def merge_into(library: Library, suggestion_id: str, article_id: str, decision: Decision, *, now: datetime) -> Published:
    """The article answers this already: it learns the wordings of the group, its text stays.

    Raise NoReviewer, NoSuchSuggestion, StaleSuggestion, AlreadyDecided, NoSuchArticle, NotPublished or ArticleChanged.
    """
    by = _reviewer(decision)
    with library.sessions.read() as session:
        suggestion = suggestions.waiting(session, suggestion_id, decision.expected_version)
        article = _published(session, article_id)
        text = learning(articles.text_of(session, article), [suggestion.title, *suggestion.wordings])
        questions = replaying.asked(session, suggestion.group_id)
    before = replaying.before(library.rehearse, questions)

    def decide(session: Session, results: Sequence[Published]) -> None:
        row = suggestions.waiting(session, suggestion_id, decision.expected_version)
        _refuse_conflict(results, [text])
        row.merged_into = article_id
        suggestions.decided(session, row, SuggestionState.MERGED, by=by, now=now)
        replaying.keep_before(session, row.id, before, now=now)

    note = _note(suggestion)
    origin = Origin(article.source, by, by_hand=True, note=note, overwrite=True, reviewer=by, revision=article.revision)
    return library.publisher.publish([text], origin, now=now, swap=Swap(beside=decide))[0]


def asked_by(session: Session, suggestion: Suggestion, limit: int = 100) -> Sequence[Gap]:
    """The questions of its group, the newest first."""
    if suggestion.group_id is None:
        return []
    return session.scalars(select(Gap).where(Gap.group_id == suggestion.group_id).order_by(Gap.at.desc(), Gap.id).limit(limit)).all()


def unsupported(suggestion: Suggestion) -> list[str]:
    """Its sentences that stand on no evidence; none where nothing is written, as in retiring."""
    return [row["text"] for row in suggestion.body if not row["supported"]]


def _published(session: Session, article_id: str) -> Article:
    """The article. Raise NoSuchArticle, NotPublished."""
    article = articles.get(session, article_id)
    if article.state != ArticleState.PUBLISHED:
        raise NotPublished(article)
    return article


def _refuse_conflict(results: Sequence[Published], texts: Sequence[ArticleText]) -> None:
    """Nothing is decided, and nothing retired, where the text could not be published. Raise ArticleChanged, which undoes everything."""
    for result, text in zip(results, texts, strict=True):
        if result.change is Change.CONFLICT:
            raise ArticleChanged(str(result.article_id), text.title)


def _reviewer(decision: Decision) -> str:
    if not decision.by.strip():
        raise NoReviewer("nothing is published without the name of who reviewed it")
    return decision.by.strip()


def _refuse_unsupported(suggestion: Suggestion, decision: Decision) -> None:
    missing = unsupported(suggestion)
    if missing and not decision.override:
        raise Unsupported(missing)


def learning(text: ArticleText, wordings: Sequence[str]) -> ArticleText:
    """The article with more ways to ask for it, each once, until it has enough; its own words are none of them."""
    known = {text.title.casefold(), *(wording.casefold() for wording in text.wordings)}
    unique: dict[str, str] = {}
    for wording in (*(text.learned or ()), *wordings):
        if wording.casefold() not in known:
            unique.setdefault(wording.casefold(), wording)
    return replace(text, learned=tuple(unique.values())[:MOST_LEARNED])


def _names_of(session: Session, article_ids: Sequence[str]) -> list[str]:
    """Under which names these articles were found."""
    found = session.scalars(select(Article).where(Article.id.in_(article_ids)).order_by(Article.id))
    return [name for article in found for name in (article.title, *article.wordings, *article.learned)]


def _note(suggestion: Suggestion) -> str:
    people = f", asked by {suggestion.people} people" if suggestion.people else ""
    return f"suggested by Firstline ({suggestion.kind}{people})"
