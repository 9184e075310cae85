"""What a member of staff wants to be told by mail: kinds of messages, queues they follow, tiers they stand for."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.messages.tables import Follow, Unwanted
from api.messages.telling import follow
from escalation import queues, sla
from escalation.notifications import CHOICES


@dataclass(frozen=True)
class Box:
    """One box to tick."""

    name: str
    title: str
    on: bool


@dataclass(frozen=True)
class Chosen:
    """Every box, by what it is about."""

    kinds: tuple[Box, ...]
    queues: tuple[Box, ...]
    tiers: tuple[Box, ...]


def of(session: Session, account_id: str) -> Chosen:
    """What somebody has chosen; mails of every kind are wanted until they are not, and nothing is followed until it is."""
    unwanted = set(session.scalars(select(Unwanted.choice).where(Unwanted.account_id == account_id)))
    followed = set(session.scalars(select(Follow.what).where(Follow.account_id == account_id)))
    return Chosen(
        tuple(Box(choice, title, choice not in unwanted) for choice, title in CHOICES.items()),
        tuple(Box(name, title, name in followed) for name, title in _queues().items()),
        tuple(Box(name, title, name in followed) for name, title in _tiers().items()),
    )


def choose(session: Session, account_id: str, wanted: Iterable[str], follows: Iterable[str]) -> None:
    """Keep a choice; names that there are not are left out."""
    kept = {*_queues(), *_tiers()} & set(follows)
    session.execute(delete(Unwanted).where(Unwanted.account_id == account_id))
    session.execute(delete(Follow).where(Follow.account_id == account_id))
    session.add_all(Unwanted(account_id=account_id, choice=choice) for choice in set(CHOICES) - set(wanted))
    session.add_all(Follow(account_id=account_id, what=what) for what in sorted(kept))


def _queues() -> dict[str, str]:
    return {follow("queue", queue.id): queue.title for queue in queues.load().values()}


def _tiers() -> dict[str, str]:
    names = {tier.who: tier.who for chain in sla.book().chains.values() for tier in chain.tiers}
    return {follow("tier", name): name for name in names}
