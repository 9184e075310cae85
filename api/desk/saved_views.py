"""Choices of tickets that an agent keeps under a name."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.desk.errors import NoSuchView, TooManyViews
from api.desk.shapes import SavedViewIn
from api.desk.worklist import Filters
from api.tables import SavedView

MOST = 50


def of(session: Session, account_id: str) -> Sequence[SavedView]:
    """One's own, by name."""
    return session.scalars(select(SavedView).where(SavedView.account_id == account_id).order_by(SavedView.name)).all()


def keep(session: Session, account_id: str, body: SavedViewIn, view_id: str, *, now: datetime) -> SavedView:
    """Keep a view, in place of an earlier one of that name. Raise TooManyViews."""
    query = Filters.read(dict(parse_qsl(body.query))).query(after="")
    known = session.scalar(select(SavedView).where(SavedView.account_id == account_id, SavedView.name == body.name))
    if known is None:
        if (session.scalar(select(func.count()).select_from(SavedView).where(SavedView.account_id == account_id)) or 0) >= MOST:
            raise TooManyViews(f"you can keep {MOST} views; drop one first")
        known = SavedView(id=view_id, account_id=account_id, name=body.name, created_at=now)
        session.add(known)
    known.query = query
    session.flush()
    return known


def drop(session: Session, account_id: str, view_id: str) -> None:
    """Forget one of one's own. Raise NoSuchView."""
    found = session.get(SavedView, view_id)
    if found is None or found.account_id != account_id:
        raise NoSuchView("you have no such view")
    session.delete(found)
    session.flush()
