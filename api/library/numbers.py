"""What readers make of articles: how often they are opened, which questions they answer, and whether that helped.

Views are counted when a page is shown. Which reply used which article stands in the replies; it is turned round here, a
batch of messages at a time, so that neither a turn nor a page has to read every reply there ever was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Integer, Select, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.tables import ArticleCited, ArticleFeedback, ArticleViews, CitedUpTo
from assistant.tables import Feedback, Message, Outcome, Role, Turn

log = structlog.get_logger()

LATELY = timedelta(days=30)
BATCH = 2_000  # messages that are turned round at once: some 30 ms
SETTLED = timedelta(minutes=1)  # on Postgres a message with a lower number may still be on its way
ABOUT = "notes for every article which replies used it, so that the library can show what it answers"
ANSWERED = frozenset(outcome for outcome in Outcome if outcome.family == "answered")


@dataclass(frozen=True)
class Numbers:
    """Views and answered questions of the last 30 days, and all thumbs there ever were: on its page, and on replies that use it."""

    views: int = 0
    answers: int = 0
    up: int = 0
    down: int = 0

    @property
    def helpful(self) -> float | None:
        """Share of thumbs up, 0 to 1; None while there is none."""
        return self.up / (self.up + self.down) if self.up + self.down else None


@dataclass(frozen=True)
class Answered:
    """A question that an article answered, masked as it was searched; `helpful` is the visitor's thumb."""

    question: str
    at: datetime
    helpful: bool | None


def viewed(service: Service, article_id: str) -> None:
    """Count that an article was opened now. A reader never waits for it in vain: what cannot be counted is left out."""
    try:
        with service.database.write() as session:
            dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
            one = dialect.insert(ArticleViews).values(article_id=article_id, day=service.now().date(), count=1)
            same_day = [ArticleViews.article_id, ArticleViews.day]
            session.execute(one.on_conflict_do_update(index_elements=same_day, set_={"count": ArticleViews.count + 1}))
    except SQLAlchemyError as error:
        log.warning("view_not_counted", error=type(error).__name__)


def follow(service: Service, *, batches: int = 5) -> bool:
    """Turn round the sources of replies that came since the last time; whether everything is done."""
    return any(_follow_once(service) < BATCH for _ in range(batches))


def follow_job(service: Service, _now: datetime) -> str:
    """The same, by itself."""
    return "every reply is noted" if follow(service) else "many replies are noted, and more are left for the next run"


def _follow_once(service: Service) -> int:
    settled = service.now() - SETTLED
    with service.database.read() as session:
        if not _later(session, session.get_one(CitedUpTo, 0).message_id, settled, 1):
            return 0
    with service.database.write() as session:
        mark = session.get_one(CitedUpTo, 0, with_for_update=True)
        found = _later(session, mark.message_id, settled, BATCH)
        for message_id, content, at in found:
            if content.get("outcome") in ANSWERED:
                ids = dict.fromkeys(str(source["article_id"]) for source in content.get("sources", []))
                session.add_all(ArticleCited(article_id=id_, message_id=message_id, at=at) for id_ in ids)
        mark.message_id = found[-1][0] if found else mark.message_id
        return len(found)


def _later(session: Session, after: int, until: datetime, limit: int) -> list[tuple[int, dict[str, Any], datetime]]:
    query = select(Message.id, Message.content, Message.at).where(Message.id > after, Message.role == Role.ASSISTANT, Message.at <= until)
    return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Message.id).limit(limit))]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────


def numbers_of(session: Session, ids: Sequence[str], now: datetime) -> dict[str, Numbers]:
    """The numbers of some articles."""
    since = now - LATELY
    views = _counted(session, views_since(since.date()).where(ArticleViews.article_id.in_(ids)))
    answers = _counted(session, answers_since(since).where(ArticleCited.article_id.in_(ids)))
    thumbs = thumbs_given().subquery()
    given = {row[0]: (int(row[1]), int(row[2])) for row in session.execute(select(thumbs).where(thumbs.c.article_id.in_(ids)))}
    found = {}
    for id_ in ids:
        up, of = given.get(id_, (0, 0))
        found[id_] = Numbers(views.get(id_, 0), answers.get(id_, 0), up, of - up)
    return found


def views_since(day: date) -> Select[Any]:
    """Articles with their views since a day."""
    query: Any = select(ArticleViews.article_id, func.sum(ArticleViews.count).label("number")).where(ArticleViews.day >= day)
    return query.group_by(ArticleViews.article_id)  # type: ignore[no-any-return]


def answers_since(moment: datetime) -> Select[Any]:
    """Articles with the number of replies that used them since a moment."""
    query: Any = select(ArticleCited.article_id, func.count().label("number")).where(ArticleCited.at >= moment)
    return query.group_by(ArticleCited.article_id)  # type: ignore[no-any-return]


def thumbs_given() -> Select[Any]:
    """Articles with their thumbs up and all their thumbs."""
    pages = select(ArticleFeedback.article_id.label("article_id"), cast(ArticleFeedback.helpful, Integer).label("up"))
    replies = select(ArticleCited.article_id, cast(Feedback.helpful, Integer)).join(
        Feedback, Feedback.message_id == ArticleCited.message_id
    )
    each = pages.union_all(replies).subquery()
    return select(each.c.article_id, func.sum(each.c.up).label("up"), func.count().label("number")).group_by(each.c.article_id)


def answered_by(session: Session, article_id: str, limit: int) -> list[Answered]:
    """The latest questions that an article answered."""
    query = (
        select(Turn.question, ArticleCited.at, Feedback.helpful)
        .join(Turn, Turn.reply_id == ArticleCited.message_id)
        .outerjoin(Feedback, Feedback.message_id == ArticleCited.message_id)
        .where(ArticleCited.article_id == article_id, Turn.question.is_not(None))
        .order_by(ArticleCited.message_id.desc())
        .limit(limit)
    )
    return [Answered(question or "", at, helpful) for question, at, helpful in session.execute(query)]


def complaints_about(session: Session, article_id: str, limit: int) -> Sequence[ArticleFeedback]:
    """The latest thumbs down that say why."""
    query = select(ArticleFeedback).where(ArticleFeedback.article_id == article_id, ~ArticleFeedback.helpful, ArticleFeedback.reason != "")
    return session.scalars(query.order_by(ArticleFeedback.at.desc()).limit(limit)).all()


def _counted(session: Session, query: Select[Any]) -> dict[str, int]:
    return {str(id_): int(number) for id_, number in session.execute(query)}
