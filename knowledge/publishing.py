"""From an article's text to something answers can be found in: stage, swap, delete.

New passages get new ids. Their vectors go into the index first (stage), then one SQL transaction makes
them the live ones (swap), then the old vectors go (delete). Killed at any point, the old text or the new
one is answerable as a whole, and reindexing.reconcile at the next start removes what SQL does not list.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from knowledge import articles
from knowledge.articles import ArticleText
from knowledge.staging import Hold, PassageIndex, Sessions, StagedArticle, hold_nothing, stage, wording_ids
from knowledge.tables import Article, ArticleId, ArticleState, IndexState, Passage, TitleVector

CONFLICT_EDITED = "a person edited it since it was last read; --overwrite replaces it"
CONFLICT_AT_ONCE = "it was changed at the same moment; read it again"


class Change(StrEnum):
    """What publishing did with one article."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RETIRED = "retired"
    CONFLICT = "conflict"
    FAILED = "failed"


@dataclass(frozen=True)
class Published:
    """The result for one article; `reason` is given for conflict and failed."""

    external_id: str
    change: Change
    article_id: ArticleId | None = None
    reason: str = ""


@dataclass(frozen=True)
class Origin:
    """Where a text comes from: the source it belongs to, who brings it, and whether a person wrote it here.

    `reviewer` is the account of the person who has read it through; what a machine wrote is not published without one.
    `revision` is the one that person had before their eyes, 0 when there was no article yet: any other is a conflict.
    """

    source: str
    author: str
    by_hand: bool = False
    note: str = ""
    overwrite: bool = False
    reviewer: str = ""
    revision: int | None = None

    def hand(self, now: datetime) -> articles.Hand:
        """The same for the article itself."""
        return articles.Hand(self.author, now, self.note, self.reviewer)


@dataclass(frozen=True)
class _Step:
    """What is going to happen with one text, decided before anything is embedded."""

    text: ArticleText
    change: Change
    seen_revision: int | None
    staged: StagedArticle = field(default_factory=StagedArticle)

    @property
    def entries(self) -> list[str]:
        """What stands in the index for it."""
        ids: list[str] = [piece.id for piece in self.staged.passages]
        return ids + wording_ids(self.text.kind, ids, len(self.text.asked))


@dataclass(frozen=True)
class Swap:
    """What happens together with a publish: other articles retire, and `beside` writes rows of its own; when it raises, nothing happens."""

    retiring: Sequence[str] = ()
    beside: Callable[[Session, Sequence[Published]], None] = lambda _session, _results: None


NOTHING_ELSE = Swap()


class Refused(Exception):
    """What the gate says to a change that may not be published; nothing of it was."""


Gate = Callable[[Sequence[ArticleText], str, Sequence[str]], None]
"""Texts of a source and ids of articles that would retire → nothing, or an error that says why this may not be published."""


def let_all_pass(_texts: Sequence[ArticleText], _source: str, _retiring: Sequence[str]) -> None:
    """Everything may be published."""


class Superseded(Exception):
    """The index was rebuilt while this was being published into the old one."""


class Publisher:
    """Puts articles into SQL and the index so that both always agree on what is live."""

    def __init__(
        self,
        sessions: Sessions,
        current: Callable[[], PassageIndex],
        new_id: Callable[[], str],
        hold: Hold = hold_nothing,
        gate: Gate = let_all_pass,
    ) -> None:
        """`current` gives the index that answers come from; `new_id` random 128-bit ids; `hold` may keep a passage out of the index.

        `gate` is asked before anything changes what answers use; its errors leave everything as it was.
        """
        self.sessions, self.current, self.new_id, self.hold, self.gate = sessions, current, new_id, hold, gate

    @property
    def index(self) -> PassageIndex:
        """The index that answers come from at this moment."""
        return self.current()

    def preview(self, texts: Sequence[ArticleText], origin: Origin) -> list[Published]:
        """What `publish` would do, without doing it."""
        return [Published(step.text.external_id, step.change) for step in self._steps(texts, origin)]

    def publish(self, texts: Sequence[ArticleText], origin: Origin, *, now: datetime, swap: Swap = NOTHING_ELSE) -> list[Published]:
        """Publish what is new or changed, in one stage and one swap; one result per text.

        `swap` says what else happens in the transaction of the swap: all of it or nothing. Raise NotReviewed, or Refused by the
        gate, and publish none; of what a source brings, only the refused texts are left out, as conflicts.
        """
        refused = self._refused(texts, origin, swap)
        if refused:
            kept = [text for text in texts if text.external_id not in refused]
            done = {result.external_id: result for result in self.publish(kept, origin, now=now, swap=swap)} if kept else {}
            return [done.get(t.external_id) or Published(t.external_id, Change.CONFLICT, None, refused[t.external_id]) for t in texts]
        while True:
            try:
                return self._publish(texts, origin, self.index, now, swap)
            except Superseded:  # staged in an index that is no longer the one: nothing of it became live
                continue

    def _refused(self, texts: Sequence[ArticleText], origin: Origin, swap: Swap) -> dict[str, str]:
        """Which texts of a source the gate refuses, each with why. Raise Refused when a person publishes."""
        changed = [step.text for step in self._steps(texts, origin) if step.change in {Change.NEW, Change.CHANGED}]
        if not changed and not swap.retiring:
            return {}
        try:
            self.gate(changed, origin.source, swap.retiring)
        except Refused as whole:
            if origin.by_hand:
                raise
            each = {text.external_id: self._why(text, origin) for text in changed}
            return {name: why for name, why in each.items() if why} or dict.fromkeys(each, str(whole))
        return {}

    def _why(self, text: ArticleText, origin: Origin) -> str:
        try:
            self.gate([text], origin.source, ())
        except Refused as refused:
            return str(refused)
        return ""

    def _publish(self, texts: Sequence[ArticleText], origin: Origin, index: PassageIndex, now: datetime, swap: Swap) -> list[Published]:
        steps = self._staged(self._steps(texts, origin), index)
        gone: list[str] = []
        results: list[Published] = []
        try:
            with self.sessions.write() as session:
                if bump(session) != index.epoch:
                    raise Superseded  # noqa: TRY301 - the transaction must be left by an error
                known = articles.by_external_id(session, origin.source, [text.external_id for text in texts])
                for step in steps:
                    result, old = self._swap(session, step, known.get(step.text.external_id), origin, index.epoch, now)
                    results.append(result)
                    gone += old
                for article_id in swap.retiring:
                    gone += _retire(session, articles.get(session, article_id), now)
                swap.beside(session, results)
        except BaseException:
            index.remove([entry for step in steps for entry in step.entries])
            raise
        refused = {r.external_id for r in results if r.change is Change.CONFLICT}
        gone += [entry for step in steps if step.text.external_id in refused for entry in step.entries]
        index.remove(gone)
        return results

    def keep(self, text: ArticleText, origin: Origin, *, now: datetime) -> Published:
        """Store a text in review, where no answer uses it; an article that was published leaves the answers. Raise Refused."""
        with self.sessions.read() as session:
            known = articles.by_external_id(session, origin.source, [text.external_id])
        self._leaving([article.id for article in known.values()])
        with self.sessions.write() as session:
            bump(session)
            article = articles.by_external_id(session, origin.source, [text.external_id]).get(text.external_id)
            if _seen(origin, article) != (article.revision if article else None):
                return Published(text.external_id, Change.CONFLICT, article.id if article else None, CONFLICT_AT_ONCE)
            hand = origin.hand(now)
            gone: list[str] = []
            if article is None:
                made = ArticleId(self.new_id())
                article = articles.create(session, text, made, hand, source=origin.source, state=ArticleState.IN_REVIEW)
                change = Change.NEW
            else:
                gone = _take_passages(session, article)
                articles.change(session, article, text, hand, state=ArticleState.IN_REVIEW)
                change = Change.CHANGED
            article.indexed_revision = None
            found = Published(text.external_id, change, article.id)
        self.index.remove(gone)
        return found

    def withdraw(self, article_id: str, to: ArticleState, origin: Origin, *, now: datetime) -> Published:
        """Take an article out of every answer, back into review or into retirement. Raise NoSuchArticle, AlreadyThere, Refused."""
        self._leaving([article_id])
        with self.sessions.write() as session:
            bump(session)
            article = articles.get(session, article_id)
            if _seen(origin, article) != article.revision:
                return Published(article.external_id, Change.CONFLICT, article.id, CONFLICT_AT_ONCE)
            articles.move(session, article, to, origin.hand(now))
            article.indexed_revision = article.imported_hash = None  # its source does not bring it back: that would be a conflict
            gone = _take_passages(session, article)
            change = Change.RETIRED if to is ArticleState.RETIRED else Change.CHANGED
            found = Published(article.external_id, change, article.id)
        self.index.remove(gone)
        return found

    def retire(self, article_ids: Iterable[str], *, now: datetime) -> list[Published]:
        """Take articles out of every answer; their text and revisions stay. Raise NoSuchArticle, Refused."""
        article_ids = list(article_ids)
        self._leaving(article_ids)
        gone: list[str] = []
        results: list[Published] = []
        with self.sessions.write() as session:
            bump(session)
            for article_id in article_ids:
                article = articles.get(session, article_id)
                gone += _retire(session, article, now)
                results.append(Published(article.external_id, Change.RETIRED, article.id))
        self.index.remove(gone)
        return results

    def delete(self, article_id: str) -> None:
        """Remove an article with its revisions for good. Raise NoSuchArticle, Refused."""
        self._leaving([article_id])
        with self.sessions.write() as session:
            bump(session)
            article = articles.get(session, article_id)
            gone = _take_passages(session, article)
            session.delete(article)
        self.index.remove(gone)

    def restore(
        self, article_id: str, number: int, *, author: str, now: datetime, reviewer: str = "", revision: int | None = None
    ) -> Published:
        """Publish an earlier revision again, as a new one. Raise NoSuchArticle, NoSuchRevision, NotReviewed."""
        with self.sessions.read() as session:
            article = articles.get(session, article_id)
            text = articles.at_revision(session, article, number)
            note = f"restored revision {number}"
            origin = Origin(article.source, author, by_hand=True, note=note, overwrite=True, reviewer=reviewer, revision=revision)
        return self.publish([text], origin, now=now)[0]

    def release(self, passage_id: str) -> str:
        """Index a passage that was held back; its article's id. Raise LookupError when no such passage is held."""
        with self.sessions.read() as session:
            row = session.execute(
                select(Passage, Article.title).join(Article, Article.id == Passage.article_id).where(Passage.id == passage_id),
            ).first()
        if row is None or row[0].held is None:
            raise LookupError(f"no passage {passage_id} is held back")
        self.index.put([passage_id], self.index.embed([row[0].embedded(row[1])]))
        with self.sessions.write() as session:
            bump(session)
            session.execute(update(Passage).where(Passage.id == passage_id).values(held=None))
        return str(row[0].article_id)

    def _leaving(self, article_ids: Sequence[str]) -> None:
        """Ask the gate whether these may leave the answers."""
        if article_ids:
            self.gate((), "", article_ids)

    def _steps(self, texts: Sequence[ArticleText], origin: Origin) -> list[_Step]:
        with self.sessions.read() as session:
            known = articles.by_external_id(session, origin.source, [text.external_id for text in texts])
            return [_plan(_with_learned(text, known.get(text.external_id)), known.get(text.external_id), origin) for text in texts]

    def _staged(self, steps: Sequence[_Step], index: PassageIndex) -> list[_Step]:
        wanted = [step for step in steps if step.change in {Change.NEW, Change.CHANGED}]
        staged = stage([step.text for step in wanted], index, self.new_id, self.hold)
        of = {id(step): article for step, article in zip(wanted, staged, strict=True)}
        return [replace(step, staged=of.get(id(step), step.staged)) for step in steps]

    def _swap(
        self, session: Session, step: _Step, article: Article | None, origin: Origin, epoch: str, now: datetime
    ) -> tuple[Published, list[str]]:
        name = step.text.external_id
        if (article.revision if article else None) != step.seen_revision:
            return Published(name, Change.CONFLICT, article.id if article else None, CONFLICT_AT_ONCE), []
        if step.change is Change.CONFLICT:
            return Published(name, Change.CONFLICT, article.id if article else None, CONFLICT_EDITED), []
        if article is not None and step.change is Change.UNCHANGED:
            return Published(name, Change.UNCHANGED, article.id), []
        gone: list[str] = []
        if article is None:
            article = articles.create(session, step.text, ArticleId(self.new_id()), origin.hand(now), source=origin.source)
        else:
            gone = _take_passages(session, article)
            articles.change(session, article, step.text, origin.hand(now))
        if not origin.by_hand:
            article.imported_hash = step.text.content_hash
        article.indexed_revision = article.revision
        session.add_all(step.staged.rows(article.id, article.revision, epoch, live=True))
        return Published(name, step.change, article.id), gone


def bump(session: Session) -> str:
    """Tell every process that what is live changes; the epoch of the index that it changes in.

    Comes first in a transaction: on Postgres the row stays locked to the end, so that such changes follow one another.
    """
    query = update(IndexState).where(IndexState.id == 0).values(version=IndexState.version + 1).returning(IndexState.epoch)
    return session.execute(query).scalar_one()


def _with_learned(text: ArticleText, known: Article | None) -> ArticleText:
    """The text with the wordings that the article has learned, unless it brings its own."""
    if text.learned is not None:
        return text
    return replace(text, learned=tuple(known.learned) if known else ())


def _seen(origin: Origin, known: Article | None) -> int | None:
    """The revision that a change was made for; None when there must be no article yet."""
    return (known.revision if known else None) if origin.revision is None else origin.revision or None


def _plan(text: ArticleText, known: Article | None, origin: Origin) -> _Step:
    seen = _seen(origin, known)
    if known is None:
        return _Step(text, Change.NEW, seen)
    same = {known.content_hash} if origin.overwrite else {known.content_hash, known.imported_hash}
    if known.state == ArticleState.PUBLISHED and text.content_hash in same and list(text.learned or ()) == known.learned:
        return _Step(text, Change.UNCHANGED, seen)
    edited = known.imported_hash != known.content_hash
    conflict = edited and not origin.overwrite and not origin.by_hand
    return _Step(text, Change.CONFLICT if conflict else Change.CHANGED, seen)


def _retire(session: Session, article: Article, now: datetime) -> list[str]:
    """Retire an article; the ids that the index must forget after the commit."""
    articles.retire(article, now=now)
    article.indexed_revision = None
    return _take_passages(session, article)


def _take_passages(session: Session, article: Article) -> list[str]:
    """Delete an article's live passages; the ids that the index must forget after the commit."""
    query = select(Passage.id).where(Passage.article_id == article.id, Passage.live).order_by(Passage.position)
    ids: list[str] = list(session.scalars(query))
    session.execute(delete(Passage).where(Passage.article_id == article.id, Passage.live))
    session.execute(delete(TitleVector).where(TitleVector.article_id == article.id))
    return ids + wording_ids(article.kind, ids, len(article.wordings) + len(article.learned))
