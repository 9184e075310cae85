"""Staff accounts: invited once, disabled rather than deleted, and never without an admin.

An invitation is a link with 256 random bits of which only the hash is kept. It works once and not for long. The
first admin comes by a link that `firstline serve` prints; a forgotten password is replaced by a link too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.database import Database
from api.staff import passwords, sessions
from api.tables import Account, Invitation, StaffRole
from assistant.conversation import hash_secret

FIRST_ADMIN = "firstline serve"
MAX_NAME, MAX_EMAIL = 100, 254


class WrongLogin(Exception):
    """The address or the password is wrong; which one is not said."""


class BadInvitation(Exception):
    """The link is unknown, was used, or is too old; which one is not said."""


class BadDetails(ValueError):
    """A name or an e-mail address that cannot be kept."""


class AddressTaken(Exception):
    """Somebody has an account with this address."""


class NoSuchAccount(Exception):
    """There is no such account."""


class Disabled(Exception):
    """The account is disabled, so a new password would not let anybody in."""


class LastAdmin(Exception):
    """Nobody could let anybody in any more."""


@dataclass(frozen=True)
class Details:
    """What a new member of staff says about themselves."""

    name: str
    email: str
    password: str


@dataclass(frozen=True)
class Link:
    """What a new invitation needs: its id and token, who gives it (an account's id, or a program's name), and how long it works."""

    id: str
    token: str
    by: str
    lasting: timedelta


def address(server: str, token: str) -> str:
    """Where a link leads."""
    return f"{server.rstrip('/')}/staff/join/{token}"


def normalised(email: str) -> str:
    """An address as accounts are found by it. Raise BadDetails."""
    folded = email.strip().casefold()
    local, _, domain = folded.rpartition("@")
    if not local or "." not in domain.strip(".") or len(folded) > MAX_EMAIL or not folded.isprintable() or " " in folded or "@" in local:
        raise BadDetails("Please give an e-mail address, such as ada@example.com.")
    return folded


def has_admin(session: Session) -> bool:
    """Whether somebody can let others in."""
    return bool(session.scalar(select(exists().where(Account.role == StaffRole.ADMIN, Account.disabled_at.is_(None)))))


def everybody(session: Session) -> list[Account]:
    """Every account by name, the disabled ones last."""
    return list(session.scalars(select(Account).order_by(Account.disabled_at.is_not(None), Account.name, Account.id)))


def get(session: Session, account_id: str) -> Account:
    """One account. Raise NoSuchAccount."""
    found = session.get(Account, account_id)
    if found is None:
        raise NoSuchAccount("There is no such account.")
    return found


def by_email(session: Session, email: str) -> Account:
    """The account with an address. Raise NoSuchAccount."""
    found = session.scalar(select(Account).where(Account.email == email.strip().casefold()))
    if found is None:
        raise NoSuchAccount(f"Nobody here has the address {email}.")
    return found


# ── links ───────────────────────────────────────────────────────────────────────────────────────────


def invite(session: Session, email: str, role: StaffRole, link: Link, *, now: datetime) -> Invitation:
    """A link for one new account; an older one for the same address works no more. Raise BadDetails, AddressTaken."""
    invited = normalised(email)
    if session.scalar(select(exists().where(Account.email == invited))):
        raise AddressTaken(f"{invited} has an account already.")
    _void_links(session, Invitation.email == invited)
    return _link(session, Invitation(email=invited, role=role), link, now)


def invite_first_admin(session: Session, link: Link, *, now: datetime) -> bool:
    """A link for the first admin while there is none; every older one works no more. False when there is an admin."""
    _void_links(session, Invitation.invited_by == FIRST_ADMIN)
    if has_admin(session):
        return False
    _link(session, Invitation(email="", role=StaffRole.ADMIN), link, now)
    return True


def offer_new_password(session: Session, account: Account, link: Link, *, now: datetime) -> Invitation:
    """A link with which an account gets a new password; the present one works until then. Raise Disabled."""
    if account.disabled_at is not None:
        raise Disabled(f"The account of {account.email} is disabled; enable it first.")
    _void_links(session, Invitation.account_id == account.id)
    return _link(session, Invitation(email=account.email, role=account.role, account_id=account.id), link, now)


def open_invitations(session: Session, *, now: datetime) -> list[Invitation]:
    """Invitations that nobody has used yet, the newest first."""
    query = select(Invitation).where(Invitation.used_at.is_(None), Invitation.expires_at > now, Invitation.account_id.is_(None))
    return list(session.scalars(query.order_by(Invitation.created_at.desc(), Invitation.id)))


def withdraw(session: Session, invitation_id: str) -> None:
    """Make an unused invitation worthless."""
    _void_links(session, Invitation.id == invitation_id)


def invitation(session: Session, token: str, *, now: datetime) -> Invitation:
    """The invitation behind a link. Raise BadInvitation."""
    query = select(Invitation).where(Invitation.token_hash == hash_secret(token), Invitation.used_at.is_(None), Invitation.expires_at > now)
    found = session.scalar(query)
    owner = session.get(Account, found.account_id) if found and found.account_id else None
    if found is None or (found.invited_by == FIRST_ADMIN and has_admin(session)) or (owner and owner.disabled_at):
        raise BadInvitation("This link does not work: it was used already, is too old, or was replaced by a newer one.")
    return found


def join(database: Database, token: str, details: Details, account_id: str, *, now: datetime) -> Account:
    """Make the account an invitation is for, or give its account the new password. Only one of two at once succeeds.

    Raise BadInvitation, BadDetails, WeakPassword, AddressTaken.
    """
    with database.read() as session:
        offered = invitation(session, token, now=now)
        owner = session.get(Account, offered.account_id) if offered.account_id else None
    email = offered.email or normalised(details.email)
    name = owner.name if owner else _name(details.name)
    passwords.check(details.password, email, name)
    password_hash = passwords.hashed(details.password)
    try:
        with database.write() as session:
            invitation(session, token, now=now)
            _use(session, offered.id, offered.account_id or account_id, now)
            if offered.account_id:
                return _with_new_password(session, offered.account_id, password_hash)
            if session.scalar(select(exists().where(Account.email == email))):
                raise AddressTaken(f"{email} has an account already.")
            account = Account(id=account_id, email=email, name=name, role=offered.role, password_hash=password_hash, created_at=now)
            session.add(account)
            session.flush()
            return account
    except IntegrityError as error:
        raise AddressTaken(f"{email} has an account already.") from error


def _link(session: Session, invitation: Invitation, link: Link, now: datetime) -> Invitation:
    invitation.id, invitation.token_hash, invitation.invited_by = link.id, hash_secret(link.token), link.by
    invitation.created_at, invitation.expires_at = now, now + link.lasting
    session.add(invitation)
    return invitation


def _void_links(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(delete(Invitation).where(which, Invitation.used_at.is_(None)))


def _use(session: Session, invitation_id: str, account_id: str, now: datetime) -> None:
    """Only one can: the row is changed where it still is unused."""
    unused = update(Invitation).where(Invitation.id == invitation_id, Invitation.used_at.is_(None))
    if session.execute(unused.values(used_at=now, used_by=account_id).returning(Invitation.id)).first() is None:
        raise BadInvitation("This link was used already.")


def _name(name: str) -> str:
    told = " ".join(name.split())
    if not told or len(told) > MAX_NAME or not told.isprintable():
        raise BadDetails(f"Please give your name, with at most {MAX_NAME} characters.")
    return told


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────


def log_in(database: Database, email: str, password: str, new: sessions.NewSession, lasting: sessions.Lasting, *, now: datetime) -> Account:
    """Begin a session. An unknown address costs the same work as a wrong password. Raise WrongLogin."""
    wrong = WrongLogin("The e-mail address or the password is wrong.")
    with database.read() as session:
        known = session.scalar(select(Account).where(Account.email == email.strip().casefold()))
    right, fresh = passwords.verify(password, known.password_hash if known else None)
    if known is None or not right:
        raise wrong
    with database.write() as session:
        account = get(session, known.id)
        if account.disabled_at is not None or account.password_hash != known.password_hash:
            raise wrong
        account.password_hash = fresh or account.password_hash
        sessions.begin(session, account, new, lasting, now=now)
        return account


def change_password(database: Database, signed: sessions.Signed, old: str, new: str) -> None:
    """A new password for one who knows the old one; every other session of theirs ends. Raise WrongLogin, WeakPassword."""
    with database.read() as session:
        known = get(session, signed.account_id)
    if not passwords.verify(old, known.password_hash)[0]:
        raise WrongLogin("The present password is wrong.")
    passwords.check(new, known.email, known.name)
    password_hash = passwords.hashed(new)
    with database.write() as session:
        _with_new_password(session, signed.account_id, password_hash, but=signed.session_id)


def _with_new_password(session: Session, account_id: str, password_hash: str, *, but: str = "") -> Account:
    account = get(session, account_id)
    account.password_hash = password_hash
    sessions.end_all(session, account_id, but=but)
    _void_links(session, Invitation.account_id == account_id)
    return account


# ── what admins do ──────────────────────────────────────────────────────────────────────────────────


def disable(session: Session, account_id: str, *, now: datetime) -> Account:
    """Nobody signs in with it any more, and whoever is signed in is out. Raise NoSuchAccount, LastAdmin."""
    account = get(session, account_id)
    _not_the_last_admin(session, account)
    account.disabled_at = account.disabled_at or now
    sessions.end_all(session, account_id)
    _void_links(session, (Invitation.account_id == account_id) | (Invitation.invited_by == account_id))
    return account


def enable(session: Session, account_id: str) -> Account:
    """Let a disabled account in again, with the password it had. Raise NoSuchAccount."""
    account = get(session, account_id)
    account.disabled_at = None
    return account


def change_role(session: Session, account_id: str, role: StaffRole) -> Account:
    """From the next request on, an account may do something else. Raise NoSuchAccount, LastAdmin."""
    account = get(session, account_id)
    if role != StaffRole.ADMIN:
        _not_the_last_admin(session, account)
        _void_links(session, Invitation.invited_by == account_id)
    account.role = role
    return account


def _not_the_last_admin(session: Session, account: Account) -> None:
    """Two admins who disable each other at once wait here for one another, on Postgres by row locks."""
    active = select(Account.id).where(Account.role == StaffRole.ADMIN, Account.disabled_at.is_(None)).order_by(Account.id).with_for_update()
    if set(session.scalars(active)) == {account.id}:
        raise LastAdmin("This is the last admin; make somebody else an admin first.")
