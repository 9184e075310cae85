"""The life of a delivery: due, tried by one worker at a time, sent at least once, or given up and shown to the operator.

The schedule is that of Standard Webhooks (https://www.standardwebhooks.com): ten tries within 75 hours and 35 minutes.
Every function runs in the caller's transaction; `chance` is a number from 0 to below 1, drawn by the caller.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from escalation.outbox_tables import SHORT, Delivery, DeliveryState, Outbox, Way

S, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PAUSES = (5 * S, 5 * M, 30 * M, 2 * H, 5 * H, 10 * H, 14 * H, 20 * H, 24 * H)  # after the first try, the second, …
TRIES = len(PAUSES) + 1
JITTER = 0.1  # a pause is up to a tenth longer, so that what failed together does not come back together
LONGEST_WAIT = 24 * H  # asked for by a receiver
LEASE = 2 * M
COLLECTS = 5 * M  # how long a mail that sums up waits for more to sum up


class NoSuchDelivery(LookupError):
    """No delivery has that id, or it is not given up."""


def delivery_id(*parts: object) -> str:
    """The id of a message, the same however often it is derived: 128 bits of the hash of what it is about."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:32]


def pause(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many failed tries; None when it is given up."""
    return PAUSES[tries - 1] * (1 + JITTER * chance) if tries < TRIES else None


def unspread(session: Session, limit: int, beyond: Iterable[int] = ()) -> Sequence[Outbox]:
    """Events whose deliveries are not written yet, oldest first; not those in `beyond`, nor those that another worker is writing."""
    query = select(Outbox).where(Outbox.event_id.not_in(list(beyond))).order_by(Outbox.event_id).limit(limit)
    return session.scalars(query.with_for_update(skip_locked=True)).all()


def spread(session: Session, owed: Outbox, recipients: Sequence[tuple[Way, str]], *, now: datetime) -> int:
    """Write the deliveries of an event and settle its row; how many there are."""
    for way, recipient in recipients:
        name = delivery_id(owed.ticket_id, owed.event_id, way, recipient)
        if session.get(Delivery, name) is None:
            session.add(
                Delivery(
                    id=name,
                    way=way,
                    recipient=recipient,
                    event_id=owed.event_id,
                    ticket_id=owed.ticket_id,
                    kind=owed.kind,
                    details={**owed.details, "by": owed.by},
                    state=DeliveryState.WAITING,
                    next_at=now,
                    happened_at=owed.at,
                    created_at=now,
                )
            )
    session.delete(owed)
    session.flush()
    return len(recipients)


def sum_up(session: Session, kind: str, recipients: Sequence[str], *, now: datetime) -> int:
    """One mail a day to each recipient about many events of a kind, a while from now, so that it tells of all; how many are new."""
    if not recipients:
        return 0
    names = {delivery_id(kind, recipient, now.date()): recipient for recipient in recipients}
    for known in session.scalars(select(Delivery.id).where(Delivery.id.in_(names))):
        del names[known]
    for name, recipient in names.items():
        rest = {"event_id": 0, "ticket_id": "", "kind": kind, "state": DeliveryState.WAITING, "happened_at": now, "created_at": now}
        session.add(Delivery(id=name, way=Way.MAIL, recipient=recipient, next_at=now + COLLECTS, **rest))
    session.flush()
    return len(names)


def due(session: Session, ways: Sequence[Way], limit: int, *, now: datetime, only: str | None = None, but: Sequence[str] = ()) -> list[str]:
    """Ids of deliveries to try now, the longest due first: of one recipient, or of all but some."""
    query = select(Delivery.id).where(Delivery.way.in_(ways), *_ready(now))
    if only is not None:
        query = query.where(Delivery.recipient == only)
    if but:
        query = query.where(Delivery.recipient.not_in(but))
    return list(session.scalars(query.order_by(Delivery.next_at, Delivery.event_id, Delivery.id).limit(limit)))


def claim(session: Session, name: str, *, now: datetime) -> Delivery | None:
    """One more try of a delivery, ours for two minutes; None when somebody else has it."""
    taking = update(Delivery).where(Delivery.id == name, *_ready(now)).values(tries=Delivery.tries + 1, leased_until=now + LEASE)
    if not _changed(session, taking):
        return None
    return session.get_one(Delivery, name, populate_existing=True)


def sent(session: Session, tried: Delivery, *, now: datetime) -> None:
    """It arrived."""
    _end(session, tried, DeliveryState.SENT, "", now)


def drop(session: Session, tried: Delivery, why: str, *, now: datetime) -> None:
    """There is nobody to tell any more."""
    _end(session, tried, DeliveryState.DROPPED, why, now)


def failed(
    session: Session, tried: Delivery, why: str, *, now: datetime, chance: float, for_good: bool = False, wait: timedelta | None = None
) -> bool:
    """It did not arrive: tried again after a pause, or after `wait` when the receiver asked for longer; whether it is given up."""
    longer = pause(tried.tries, chance)
    if for_good or longer is None:
        _end(session, tried, DeliveryState.DEAD, why, now)
        return True
    at = now + max(longer, min(wait or longer, LONGEST_WAIT))
    session.execute(update(Delivery).where(*_mine(tried)).values(next_at=at, leased_until=None, error=why[:SHORT]))
    return False


def postpone(session: Session, tried: Delivery, until: datetime) -> None:
    """It was not tried after all, for the receiver rests: the try does not count."""
    session.execute(update(Delivery).where(*_mine(tried)).values(next_at=until, leased_until=None, tries=Delivery.tries - 1))


def replay(session: Session, name: str, *, now: datetime) -> Delivery:
    """Try again what was given up, with its ten tries anew and the id it always had. Raise NoSuchDelivery."""
    if not _changed(session, update(Delivery).where(Delivery.id == name, Delivery.state == DeliveryState.DEAD).values(**_anew(now))):
        raise NoSuchDelivery(f"no delivery {name} was given up")
    return session.get_one(Delivery, name, populate_existing=True)


def replay_all(session: Session, *, now: datetime) -> int:
    """Try everything again that was given up; how many there are."""
    again = update(Delivery).where(Delivery.state == DeliveryState.DEAD).values(**_anew(now))
    result: CursorResult[Any] = session.execute(again)  # type: ignore[assignment]
    return result.rowcount


def _anew(now: datetime) -> dict[str, Any]:
    return {"state": DeliveryState.WAITING, "tries": 0, "next_at": now, "ended_at": None, "leased_until": None}


def listed(session: Session, state: DeliveryState, limit: int) -> Sequence[Delivery]:
    """Deliveries in a state, the latest first."""
    query = select(Delivery).where(Delivery.state == state).order_by(Delivery.created_at.desc(), Delivery.event_id.desc(), Delivery.id)
    return session.scalars(query.limit(limit)).all()


def counts(session: Session) -> dict[str, int]:
    """How many deliveries are in each state; events not spread yet count as waiting."""
    found = {state.value: 0 for state in DeliveryState}
    found |= {str(state): count for state, count in session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))}
    found[DeliveryState.WAITING.value] += session.scalar(select(func.count()).select_from(Outbox)) or 0
    return found


def forget(session: Session, *, before: datetime) -> int:
    """Delete what ended before a moment; how many there were."""
    result: CursorResult[Any] = session.execute(delete(Delivery).where(Delivery.ended_at < before))  # type: ignore[assignment]
    return result.rowcount


def _end(session: Session, tried: Delivery, state: DeliveryState, why: str, now: datetime) -> None:
    session.execute(
        update(Delivery).where(*_mine(tried)).values(state=state, ended_at=now, leased_until=None, error=why[:SHORT]),
    )


def _ready(now: datetime) -> tuple[ColumnElement[bool], ...]:
    free = or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now)
    return Delivery.state == DeliveryState.WAITING, Delivery.next_at <= now, free


def _mine(tried: Delivery) -> tuple[ColumnElement[bool], ...]:
    """The try that was claimed, unless it was taken over or replayed since."""
    return Delivery.id == tried.id, Delivery.tries == tried.tries, Delivery.state == DeliveryState.WAITING


def _changed(session: Session, statement: Any) -> bool:
    result: CursorResult[Any] = session.execute(statement)  # type: ignore[assignment]
    return bool(result.rowcount)
