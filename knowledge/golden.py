"""Golden questions: each names the article that must answer it, and an edit is tried on them before it is published."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import articles
from knowledge.articles import ArticleText
from knowledge.lift_tables import GoldenAct, GoldenEvent, GoldenId, GoldenOrigin, GoldenQuestion
from knowledge.publishing import Refused
from knowledge.rehearsal import Asking, Change, Edit, Met

LONGEST = 1000  # characters of a question
MOST_UNPROTECTED = 200  # that an edit is also tried on; the newest


class NoSuchGolden(LookupError):
    """No golden question has that id."""


class NoName(ValueError):
    """Nobody is named who protects a question or lifts its protection."""


class StillProtected(ValueError):
    """The question is protected, so it cannot be removed."""


class Blank(ValueError):
    """Nothing is asked."""


@dataclass(frozen=True)
class Golden:
    """A golden question as it is handed in."""

    question: str
    article_id: str
    protected: bool = True
    origin: GoldenOrigin = GoldenOrigin.WRITTEN


@dataclass(frozen=True)
class Tried:
    """One question before and after an edit. `wanted`: the article that should answer, None for a group's own question."""

    change: Change
    golden_id: GoldenId | None = None
    wanted: str | None = None
    protected: bool = False
    before: Met = Met.NOT
    after: Met = Met.NOT

    @property
    def worse(self) -> bool:
        """Whether the article that must answer answers less than it did."""
        return self.wanted is not None and self.after < self.before

    @property
    def breaks(self) -> bool:
        """Whether this alone blocks the publish."""
        return self.protected and self.worse


@dataclass(frozen=True)
class Trial:
    """What an edit would change, question by question: golden ones first, then the group's own."""

    tried: tuple[Tried, ...]

    @property
    def changed(self) -> tuple[Tried, ...]:
        """Those for which a visitor would get something else."""
        return tuple(one for one in self.tried if one.change.changed or one.worse)

    @property
    def broken(self) -> tuple[Tried, ...]:
        """Protected ones that would no longer be answered as well as now."""
        return tuple(one for one in self.tried if one.breaks)


class BreaksProtected(Refused):
    """A protected question would no longer be answered; nothing was published. `trial` says which and how."""

    def __init__(self, trial: Trial) -> None:
        """`trial`: with at least one that breaks."""
        first, more = trial.broken[0].change.question, len(trial.broken) - 1
        others = f" and {more} other protected questions" if more > 1 else " and one other protected question" if more else ""
        super().__init__(f"“{first}”{others} would no longer be answered; lift the protection first, or change the text")
        self.trial = trial


def key_of(question: str) -> str:
    """The same for the same question, whatever its case and spaces."""
    return hashlib.sha256(" ".join(question.casefold().split()).encode("utf-8", "replace")).hexdigest()


def add(session: Session, golden: Golden, golden_id: str, *, by: str, now: datetime) -> GoldenQuestion:
    """Keep a question, or give one that is kept another article or protection. Raise NoSuchArticle, NoName, Blank."""
    question = golden.question.strip()[:LONGEST]
    if not question:
        raise Blank("a golden question cannot be blank")
    articles.get(session, golden.article_id)
    name = _named(by)
    known = session.scalars(select(GoldenQuestion).where(GoldenQuestion.key == key_of(question))).one_or_none()
    if known is None:
        known = GoldenQuestion(id=GoldenId(golden_id), key=key_of(question), question=question, added_by=name, added_at=now)
        known.origin, known.article_id, known.protected = golden.origin, golden.article_id, golden.protected  # type: ignore[assignment]
        session.add(known)
        acts = [] if golden.origin is GoldenOrigin.CONFIRMED else [GoldenAct.ADDED]
    else:
        acts = _changes(known, golden)
        known.article_id, known.protected = golden.article_id, golden.protected  # type: ignore[assignment]
        if acts:
            known.changed_by, known.changed_at = name, now
    for act in acts:
        _write_down(session, known, act, name, now)
    session.flush()
    return known


def confirmed(session: Session, found: Iterable[tuple[str, str]], new_id: Callable[[], str], *, by: str, now: datetime) -> int:
    """Keep questions that an article answered to the visitor's content, unprotected; how many are new. Known ones stay as they are."""
    new = 0
    for question, article_id in found:
        known = session.scalars(select(GoldenQuestion.id).where(GoldenQuestion.key == key_of(question))).first()
        if known is None and question.strip():
            add(session, Golden(question, article_id, protected=False, origin=GoldenOrigin.CONFIRMED), new_id(), by=by, now=now)
            new += 1
    return new


def get(session: Session, golden_id: str) -> GoldenQuestion:
    """The golden question. Raise NoSuchGolden."""
    found = session.get(GoldenQuestion, golden_id)
    if found is None:
        raise NoSuchGolden(f"there is no golden question {golden_id}")
    return found


def protect(session: Session, golden_id: str, *, protected: bool, by: str, now: datetime) -> GoldenQuestion:
    """Protect it, or lift the protection, under a name. Raise NoSuchGolden, NoName."""
    found, name = get(session, golden_id), _named(by)
    if found.protected != protected:
        found.protected, found.changed_by, found.changed_at = protected, name, now
        _write_down(session, found, GoldenAct.PROTECTED if protected else GoldenAct.LIFTED, name, now)
    return found


def remove(session: Session, golden_id: str, *, by: str, now: datetime) -> None:
    """Forget an unprotected one. Raise NoSuchGolden, NoName, StillProtected."""
    found, name = get(session, golden_id), _named(by)
    if found.protected:
        raise StillProtected("a protected question cannot be removed; lift the protection first")
    _write_down(session, found, GoldenAct.REMOVED, name, now)
    session.delete(found)
    session.flush()


def listed(session: Session, *, protected: bool | None = None, article_id: str | None = None) -> Sequence[GoldenQuestion]:
    """The protected first, each the newest first."""
    query = select(GoldenQuestion).order_by(GoldenQuestion.protected.desc(), GoldenQuestion.added_at.desc(), GoldenQuestion.id)
    if protected is not None:
        query = query.where(GoldenQuestion.protected == protected)
    return session.scalars(query if article_id is None else query.where(GoldenQuestion.article_id == article_id)).all()


def history(session: Session, article_id: str, limit: int = 20) -> Sequence[GoldenEvent]:
    """Who did what to the golden questions of an article, the newest first."""
    query = select(GoldenEvent).where(GoldenEvent.article_id == article_id)
    return session.scalars(query.order_by(GoldenEvent.at.desc(), GoldenEvent.number.desc()).limit(limit)).all()


def follow(session: Session, old: Sequence[str], new: str, *, by: str, now: datetime) -> None:
    """Articles were merged into another: it must answer their questions from now on."""
    for row in session.scalars(select(GoldenQuestion).where(GoldenQuestion.article_id.in_(old))):
        row.article_id = new  # type: ignore[assignment]
        _write_down(session, row, GoldenAct.MOVED, by, now)


def edit_of(session: Session, texts: Sequence[ArticleText], source: str, retiring: Sequence[str] = ()) -> Edit:
    """The edit that publishing these texts of a source, and retiring these articles, would be."""
    known = articles.by_external_id(session, source, [text.external_id for text in texts])
    named = [(known[t.external_id].id if t.external_id in known else f"new:{t.external_id}", t) for t in texts]
    return Edit(tuple(named), tuple(retiring))


def to_try(session: Session) -> list[GoldenQuestion]:
    """Those an edit is tried on: every protected one and the newest of the others."""
    return [*listed(session, protected=True), *listed(session, protected=False)[:MOST_UNPROTECTED]]


def attempt(ask: Asking, edit: Edit, golden: Sequence[GoldenQuestion], own: Sequence[str] = ()) -> Trial:
    """Try an edit on golden questions and on a group's own; nothing is published. Without any question nothing is asked."""
    questions = [*(row.question for row in golden), *own]
    if not questions:
        return Trial(())
    changes = ask(questions, edit)
    first = edit.texts[0][0] if edit.texts else None
    tried = [_tried(row, change, edit, first) for row, change in zip(golden, changes, strict=False)]
    return Trial((*tried, *(Tried(change) for change in changes[len(golden) :])))


def refuse_breaking(trial: Trial) -> None:
    """Raise BreaksProtected when a protected question would break."""
    if trial.broken:
        raise BreaksProtected(trial)


def _tried(row: GoldenQuestion, change: Change, edit: Edit, first: str | None) -> Tried:
    """Of articles that retire while another text is published, that one takes the questions over: a merge."""
    heirs = [row.article_id, first] if first is not None and row.article_id in edit.retiring else [row.article_id]
    met = change.before.met_by([row.article_id]), change.after.met_by([id_ for id_ in heirs if id_ is not None])
    return Tried(change, row.id, row.article_id, row.protected, *met)


def _changes(known: GoldenQuestion, golden: Golden) -> list[GoldenAct]:
    """What handing it in once more changes."""
    acts = [GoldenAct.MOVED] if known.article_id != golden.article_id else []
    if known.protected != golden.protected:
        acts.append(GoldenAct.PROTECTED if golden.protected else GoldenAct.LIFTED)
    return acts


def _write_down(session: Session, golden: GoldenQuestion, act: GoldenAct, by: str, now: datetime) -> None:
    row = {"golden_id": golden.id, "article_id": golden.article_id, "question": golden.question}
    session.add(GoldenEvent(**row, act=act, by=by, at=now))


def _named(by: str) -> str:
    if not by.strip():
        raise NoName("a golden question is kept under the name of a person")
    return by.strip()[:200]
