"""The index made anew from SQL, and brought in line with it after a kill."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from sqlalchemy import delete, func, select, update

from knowledge import articles
from knowledge.publishing import bump
from knowledge.staging import EMBED_BATCH, Hold, PassageIndex, Sessions, batches, stage, wording_ids
from knowledge.tables import Article, ArticleId, ArticleState, IndexState, Passage, TitleVector

ARTICLES_AT_ONCE = 32


def reconcile(sessions: Sessions, index: PassageIndex) -> tuple[int, int]:
    """Make the index hold exactly the live passages of SQL; how many vectors were removed and how many added."""
    live = _live_entries(sessions, index.epoch)
    removed = added = 0
    for name, collection in index.collections.items():
        present = set(collection.ids())
        orphans = sorted(present - live.keys())
        collection.remove(orphans)
        removed, added = removed + len(orphans), added + _add_missing(index, name, present, live)
    return removed, added


def repair(sessions: Sessions, index: PassageIndex, suspected: set[str]) -> tuple[set[str], int, int]:
    """As reconcile, while others publish: a vector that SQL does not list is removed only when it was `suspected` before.

    For a publish stages its vectors before SQL lists them. Gives what is suspected now, and how many were removed and added;
    looks must lie further apart than a publish takes.
    """
    live = _live_entries(sessions, index.epoch)
    found: set[str] = set()
    removed = added = 0
    for name, collection in index.collections.items():
        present = set(collection.ids())
        orphans = present - live.keys()
        gone = sorted(orphans & suspected)
        collection.remove(gone)
        found |= orphans - suspected
        removed, added = removed + len(gone), added + _add_missing(index, name, present, live)
    return found, removed, added


def _add_missing(index: PassageIndex, name: str, present: set[str], live: Mapping[str, Callable[[], str]]) -> int:
    """Put into one collection what it lacks; how many vectors that were."""
    missing = sorted(live.keys() - present)
    only = PassageIndex(index.epoch, {name: index.encoders[name]}, {name: index.collections[name]})
    for part in batches(missing, EMBED_BATCH):
        only.put(list(part), only.embed([live[entry]() for entry in part]))
    return len(missing)


def rebuild(
    sessions: Sessions,
    index: PassageIndex,
    new_id: Callable[[], str],
    hold: Hold,
    progress: Callable[[int, int], None],
    *,
    now: datetime,
) -> int:
    """Index every published article anew beside the old index, then swap; how many passages are live.

    The old index answers until the swap. Articles that change meanwhile are done again.
    """
    done: dict[ArticleId, int] = {}
    while True:
        with sessions.read() as session:
            query = select(Article.id, Article.revision).where(Article.state == ArticleState.PUBLISHED)
            wanted = {row.id: row.revision for row in session.execute(query)}
        todo = [id_ for id_, revision in wanted.items() if done.get(id_) != revision]
        if not todo and _switch(sessions, index.epoch, done, now=now):
            break
        for part in batches(todo, ARTICLES_AT_ONCE):
            _build(sessions, index, part, new_id, hold)
            done |= {id_: wanted[id_] for id_ in part}
            progress(len(done), len(wanted))
    reconcile(sessions, index)
    with sessions.read() as session:
        return session.scalar(select(func.count()).select_from(Passage).where(Passage.live)) or 0


def _build(sessions: Sessions, index: PassageIndex, ids: Sequence[ArticleId], new_id: Callable[[], str], hold: Hold) -> None:
    """Stage these articles' passages for the new epoch, not live yet."""
    with sessions.read() as session:
        rows = session.scalars(select(Article).where(Article.id.in_(ids))).all()
        texts = [replace(articles.text_of(session, row), external_id=row.id) for row in rows]
        revisions = {row.id: row.revision for row in rows}
    staged = stage(texts, index, new_id, hold)
    with sessions.write() as session:
        kept = set(session.scalars(select(Article.id).where(Article.id.in_(ids)).with_for_update()))  # the others were deleted meanwhile
        session.execute(delete(Passage).where(Passage.article_id.in_(ids), Passage.live.is_(False)))
        session.execute(delete(TitleVector).where(TitleVector.article_id.in_(ids), TitleVector.epoch == index.epoch))
        for text, article in zip(texts, staged, strict=True):
            article_id = ArticleId(text.external_id)
            if article_id in kept:
                session.add_all(article.rows(article_id, revisions[article_id], index.epoch, live=False))


def _switch(sessions: Sessions, epoch: str, done: Mapping[ArticleId, int], *, now: datetime) -> bool:
    """Make the new epoch's passages the live ones; False when an article changed meanwhile."""
    with sessions.write() as session:
        bump(session)
        query = select(Article.id, Article.revision).where(Article.state == ArticleState.PUBLISHED)
        wanted = {row.id: row.revision for row in session.execute(query)}
        if any(done.get(id_) != revision for id_, revision in wanted.items()):
            return False
        session.execute(delete(Passage).where(Passage.live))
        for part in batches(list(wanted), 500):
            session.execute(update(Passage).where(Passage.article_id.in_(part), Passage.epoch == epoch).values(live=True))
        session.execute(delete(Passage).where(Passage.live.is_(False)))
        session.execute(delete(TitleVector).where(TitleVector.epoch != epoch))
        session.execute(update(IndexState).where(IndexState.id == 0).values(epoch=epoch, switched_at=now))
    return True


def _live_entries(sessions: Sessions, epoch: str) -> dict[str, Callable[[], str]]:
    """Every entry the index must hold, with the text it is embedded from."""
    entries: dict[str, Callable[[], str]] = {}
    first: dict[ArticleId, Passage] = {}
    with sessions.read() as session:
        query = select(Passage, Article).join(Article, Article.id == Passage.article_id)
        query = query.where(Passage.live, Passage.epoch == epoch, Passage.held.is_(None)).order_by(Passage.article_id, Passage.position)
        for passage, article in session.execute(query):
            entries[passage.id] = partial(passage.embedded, article.title)
            if first.setdefault(article.id, passage) is passage:
                wordings = [article.title, *article.wordings, *article.learned]
                ids = wording_ids(article.kind, [passage.id], len(wordings) - 1)
                entries |= {entry: partial(str, text) for entry, text in zip(ids, wordings, strict=False)}
    return entries
