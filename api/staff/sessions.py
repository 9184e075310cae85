"""Who is signed in, on the server: a browser holds a random token, the database its hash, and ending a session deletes it."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.tables import Account, StaffRole, StaffSession
from assistant.conversation import hash_secret

SEEN_EVERY = timedelta(minutes=5)  # how often a session that is used says so: a write each request would cost more than it tells


@dataclass(frozen=True)
class Signed:
    """The member of staff who asks. `csrf` stands in every form of theirs."""

    account_id: str
    name: str
    email: str
    role: StaffRole
    csrf: str
    session_id: str

    @property
    def is_admin(self) -> bool:
        """Admins may do everything."""
        return self.role == StaffRole.ADMIN

    def may(self, *roles: StaffRole) -> bool:
        """Whether somebody with one of these roles may; admins always."""
        return self.is_admin or self.role in roles

    def sent(self, given: str) -> bool:
        """Whether a form carries this session's own token."""
        return hmac.compare_digest(self.csrf.encode(), given.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Lasting:
    """How long a session lasts: at all, and without a request."""

    whole: timedelta
    idle: timedelta


@dataclass(frozen=True)
class NewSession:
    """What a new session needs of chance: its id, the browser's token, and the token of its forms."""

    id: str
    token: str
    csrf: str
    browser: str = ""


def begin(session: Session, account: Account, new: NewSession, lasting: Lasting, *, now: datetime) -> StaffSession:
    """A signed-in browser; its token is always new, so that one planted before is worth nothing. Dead sessions are swept."""
    begun = StaffSession(
        id=new.id,
        token_hash=hash_secret(new.token),
        account_id=account.id,
        csrf=new.csrf,
        browser=new.browser,
        created_at=now,
        seen_at=now,
        expires_at=now + lasting.whole,
    )
    session.execute(delete(StaffSession).where((StaffSession.expires_at <= now) | (StaffSession.seen_at <= now - lasting.idle)))
    session.add(begun)
    return begun


def holder(session: Session, token: str, lasting: Lasting, *, now: datetime) -> tuple[Signed, bool] | None:
    """Whose browser this is, and whether its session should say again that it was seen; None when it is over."""
    query = (
        select(StaffSession, Account)
        .join(Account, Account.id == StaffSession.account_id)
        .where(StaffSession.token_hash == hash_secret(token), Account.disabled_at.is_(None))
        .where(StaffSession.expires_at > now, StaffSession.seen_at > now - lasting.idle)
    )
    row = session.execute(query).first()
    if row is None:
        return None
    found, account = row
    signed = Signed(account.id, account.name, account.email, StaffRole(account.role), found.csrf, found.id)
    return signed, found.seen_at <= now - SEEN_EVERY


def seen(session: Session, session_id: str, *, now: datetime) -> None:
    """Note that a session was used."""
    found = session.get(StaffSession, session_id)
    if found is not None:
        found.seen_at = now


def of_account(session: Session, account_id: str, lasting: Lasting, *, now: datetime) -> list[StaffSession]:
    """The browsers in which an account is signed in, the one used last first."""
    query = select(StaffSession).where(StaffSession.account_id == account_id, StaffSession.expires_at > now)
    return list(session.scalars(query.where(StaffSession.seen_at > now - lasting.idle).order_by(StaffSession.seen_at.desc())))


def end(session: Session, account_id: str, session_id: str) -> None:
    """End one session of an account."""
    session.execute(delete(StaffSession).where(StaffSession.id == session_id, StaffSession.account_id == account_id))


def end_token(session: Session, token: str) -> None:
    """End the session of a browser, whoever signed in there."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == hash_secret(token)))


def end_all(session: Session, account_id: str, *, but: str = "") -> None:
    """End every session of an account, or every other one."""
    session.execute(delete(StaffSession).where(StaffSession.account_id == account_id, StaffSession.id != but))
