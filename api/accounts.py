"""Staff accounts: invited once, signed in with a password, signed out on the server.

Passwords are hashed with argon2. A wrong password and an unknown address cost the same time and get the
same answer. Tokens are 256 random bits of which only the hash is stored, so there is nothing to derive.
"""

import hmac
from datetime import datetime, timedelta
from functools import cache

from pwdlib import PasswordHash
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from api.tables import Account, Invitation, StaffRole, StaffSession
from assistant.conversation import hash_secret

SESSION_DAYS = 14
INVITATION_HOURS = 72
SHORTEST, LONGEST = 12, 200
COMMON = frozenset(
    ["password1234", "passwordpassword", "123456789012", "1234567890123", "qwertyuiop12", "qwertyuiopas", "letmeinletmein", "adminadminadmin", "iloveyouiloveyou", "welcomewelcome", "changemechangeme", "firstlinefirstline", "abcdefghijkl", "aaaaaaaaaaaa", "111111111111", "000000000000"],
)


class WrongLogin(Exception):
    """The address or the password is wrong; which one is not said."""


class BadInvitation(Exception):
    """The link is unknown, was used, or is too old."""


class WeakPassword(ValueError):
    """The password is too short, too long or known to everybody."""


def has_accounts(session: Session) -> bool:
    """Whether anybody can sign in."""
    return bool(session.scalar(select(exists().where(Account.disabled_at.is_(None)))))


def invite(session: Session, *, role: StaffRole, by: str, token: str, now: datetime) -> Invitation:
    """A link for one new account, good for 72 hours."""
    invitation = Invitation(token_hash=hash_secret(token), role=role, invited_by=by, expires_at=now + timedelta(hours=INVITATION_HOURS))
    session.add(invitation)
    return invitation


def invitation(session: Session, token: str, *, now: datetime) -> Invitation:
    """The invitation behind a link. Raise BadInvitation."""
    found = session.get(Invitation, hash_secret(token))
    if found is None or found.used_at is not None or found.expires_at <= now:
        raise BadInvitation("This invitation is unknown, was used already, or is older than 72 hours. Ask for a new one.")
    return found


def accept(session: Session, token: str, *, email: str, name: str, password: str, account_id: str, now: datetime) -> Account:
    """Make the account an invitation is for. Raise BadInvitation, WeakPassword."""
    offered = invitation(session, token, now=now)
    check_password(password, email)
    taken = session.execute(
        update(Invitation)
        .where(Invitation.token_hash == offered.token_hash, Invitation.used_at.is_(None))
        .values(used_at=now)
        .returning(Invitation.token_hash),
    ).first()
    if taken is None or session.scalar(select(exists().where(Account.email == _address(email)))):
        raise BadInvitation("This invitation cannot be used for that address.")
    account = Account(
        id=account_id,
        email=_address(email),
        name=name.strip() or email,
        role=offered.role,
        password_hash=_hasher().hash(password),
        created_at=now,
    )
    session.add(account)
    return account


def sign_in(session: Session, *, email: str, password: str) -> Account:
    """The account. Raise WrongLogin."""
    account = session.scalar(select(Account).where(Account.email == _address(email), Account.disabled_at.is_(None)))
    right = _hasher().verify(password[:LONGEST], account.password_hash if account else _nobody())
    if account is None or not right:
        raise WrongLogin("The address or the password is wrong.")
    return account


def open_session(session: Session, account: Account, *, token: str, csrf: str, now: datetime) -> StaffSession:
    """A new signed-in browser; always a new token, so one planted before cannot be used."""
    opened = StaffSession(
        token_hash=hash_secret(token), account_id=account.id, csrf=csrf, created_at=now, expires_at=now + timedelta(days=SESSION_DAYS)
    )
    session.add(opened)
    session.execute(delete(StaffSession).where(StaffSession.expires_at <= now))
    return opened


def signed_in(session: Session, token: str, *, now: datetime) -> tuple[Account, StaffSession] | None:
    """Who holds this cookie, while the session lasts and the account is not disabled."""
    query = (
        select(Account, StaffSession)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .where(StaffSession.token_hash == hash_secret(token), StaffSession.expires_at > now, Account.disabled_at.is_(None))
    )
    found = session.execute(query).first()
    return (found[0], found[1]) if found else None


def sign_out(session: Session, token: str) -> None:
    """End one browser's session."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == hash_secret(token)))


def disable(session: Session, account: Account, *, now: datetime) -> None:
    """Nobody signs in with it any more, and whoever is signed in is out."""
    account.disabled_at = now
    session.execute(delete(StaffSession).where(StaffSession.account_id == account.id))


def same_csrf(opened: StaffSession, given: str) -> bool:
    """Whether a form came from our own page."""
    return hmac.compare_digest(opened.csrf.encode(), given.encode("utf-8", "replace"))


def check_password(password: str, email: str) -> None:
    """Raise WeakPassword with the reason."""
    if len(password) < SHORTEST:
        raise WeakPassword(f"The password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise WeakPassword(f"The password may have at most {LONGEST} characters.")
    folded = password.casefold()
    if folded in COMMON or len(set(folded)) < 4 or folded == _address(email):  # noqa: PLR2004 - aaaaaaaaaaab
        raise WeakPassword("This password is too easy to guess.")


def _address(email: str) -> str:
    return email.strip().casefold()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobody() -> str:
    """A hash to compare with when there is no such account, so that it takes as long."""
    return _hasher().hash("nobody has this password")
