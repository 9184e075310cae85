"""Staff accounts: who gets one, who loses it, and what is kept of a password."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from api.bootstrap import Service
from api.staff import accounts, passwords, sessions
from api.staff.accounts import (
    FIRST_ADMIN,
    AddressTaken,
    BadDetails,
    BadInvitation,
    Details,
    Disabled,
    LastAdmin,
    WrongLogin,
)
from api.staff.passwords import WeakPassword
from api.staff.sessions import NewSession, Signed
from api.tables import Account, Invitation, StaffRole, StaffSession
from tests.api.staffing import LASTING, OTHER_PASSWORD, PASSWORD, account_of, invited, link
from tests.builders import Clock, running_in, stored_bytes, together

ADA = Details("Ada Lovelace", "ada@example.com", PASSWORD)


def new_session(service: Service, token: str = "") -> NewSession:
    return NewSession(service.new_id(), token or service.new_id(), service.new_id())


def log_in(service: Service, email: str, password: str, token: str = "") -> Account:
    return accounts.log_in(service.database, email, password, new_session(service, token), LASTING, now=service.now())


def join(service: Service, token: str, details: Details = ADA) -> Account:
    return accounts.join(service.database, token, details, service.new_id(), now=service.now())


def holder(service: Service, token: str) -> Signed | None:
    with service.database.read() as session:
        found = sessions.holder(session, token, LASTING, now=service.now())
    return found[0] if found else None


def first_link(service: Service) -> str:
    made = link(service, by=FIRST_ADMIN)
    with service.database.write() as session:
        assert accounts.invite_first_admin(session, made, now=service.now())
    return made.token


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "eleven char",
        "aaaaaaaaaaaa",
        "121212121212",
        "123456789012",
        "abcdefghijkl",
        "PasswordPassword",
        "password12345",
        "qwertyuiop12",
        "Firstline2026!",
        "correcthorsebatterystaple",
        "ada@example.com",
        "Ada Lovelace",
        "adalovelace@ADA",
        "x" * 201,
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    known = ("adalovelace@ada", "Ada Lovelace") if password.startswith("adal") else ("ada@example.com", "Ada Lovelace")
    with pytest.raises(WeakPassword):
        passwords.check(password, *known)


@pytest.mark.parametrize(
    "password", ["twelve chars", PASSWORD, "ada likes the small engine", "пароль из слов", "🐴🔋📎✅🌊🌋🏔️🏝️🌙⭐", "x1" * 98 + "ab!"]
)
def test_any_long_password_that_is_not_guessed_first_is_taken_whatever_it_is_made_of(password: str) -> None:
    passwords.check(password, "ada@example.com", "Ada Lovelace")


def test_a_long_password_counts_to_its_last_character() -> None:
    stored = passwords.hashed("b" * 199 + "x")
    assert passwords.verify("b" * 199 + "x", stored)[0]
    assert not passwords.verify("b" * 199 + "y", stored)[0]


def test_neither_password_nor_token_is_stored_in_clear(tmp_path: Path) -> None:
    with running_in(tmp_path / "data") as service:
        token = first_link(service)
        account = join(service, token)
        log_in(service, ADA.email, PASSWORD, "the-browser's-token")
        assert account.password_hash.startswith("$argon2id$")
        with service.database.write() as session:
            accounts.offer_new_password(session, account, link(service, token="the-link's-token"), now=service.now())
    stored = stored_bytes(tmp_path / "data")
    assert ADA.email.encode() in stored
    for secret in (token, PASSWORD, "the-browser's-token", "the-link's-token"):
        assert secret.encode() not in stored


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────


def test_who_is_invited_joins_once_with_the_role_and_address_of_the_invitation(service: Service) -> None:
    token = invited(service, StaffRole.WRITER, " Grace@Example.COM ")
    account = join(service, token, Details(" Grace  Hopper ", "someone-else@example.com", PASSWORD))
    assert (account.email, account.name, account.role) == ("grace@example.com", "Grace Hopper", "writer")
    with pytest.raises(BadInvitation):
        join(service, token)
    with service.database.read() as session:
        used = session.scalars(select(Invitation)).one()
        assert (used.used_by, used.used_at) == (account.id, service.now())


def test_of_many_who_use_an_invitation_at_once_one_joins(service_on_both: Service) -> None:
    token = invited(service_on_both)
    results = together(4, lambda _: join(service_on_both, token))
    assert sorted(type(result).__name__ for result in results) == ["Account", *["BadInvitation"] * 3]
    with service_on_both.database.read() as session:
        assert len(session.scalars(select(Account)).all()) == 1


def test_of_two_who_join_with_one_address_at_once_one_does(service_on_both: Service) -> None:
    tokens = []
    for _ in range(2):
        made = link(service_on_both)
        tokens.append(made.token)
        with service_on_both.database.write() as session:
            session.add(accounts._link(session, Invitation(email="", role=StaffRole.AGENT), made, service_on_both.now()))
    results = together(2, lambda number: join(service_on_both, tokens[number]))
    assert sorted(type(result).__name__ for result in results) == ["Account", "AddressTaken"]


def test_an_invitation_works_for_72_hours_and_no_longer(service: Service, clock: Clock) -> None:
    token, late = invited(service), invited(service)
    clock.move(72 * 3600 - 1)
    join(service, token)
    clock.move(1)
    with pytest.raises(BadInvitation):
        join(service, late, Details("Late", "", PASSWORD))


def test_an_unknown_a_used_and_an_old_invitation_are_refused_in_the_same_words(service: Service, clock: Clock) -> None:
    used, old = invited(service), invited(service)
    join(service, used)
    clock.move(73 * 3600)
    told = set()
    for token in (used, old, "unknown", ""):
        with pytest.raises(BadInvitation) as refused:
            join(service, token)
        told.add(str(refused.value))
    assert len(told) == 1


def test_a_second_invitation_for_an_address_replaces_the_first(service: Service) -> None:
    first, second = invited(service, email="grace@example.com"), invited(service, email="Grace@example.com")
    with pytest.raises(BadInvitation):
        join(service, first)
    assert join(service, second).email == "grace@example.com"


def test_nobody_is_invited_twice_into_one_account(service: Service) -> None:
    account_of(service, email="ada@example.com")
    with pytest.raises(AddressTaken):
        invited(service, email="ADA@example.com")


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.com", "ada@localhost", "a da@example.com", "a@b@c.de", "ada@example.com\n", "x" * 250 + "@a.de"]
)
def test_what_is_no_address_is_not_invited(service: Service, email: str) -> None:
    if email.endswith("\n"):
        email = "ada\n@example.com"
    with pytest.raises(BadDetails):
        invited(service, email=email or " ")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Ada\x00"])
def test_a_name_must_say_something(service: Service, name: str) -> None:
    with pytest.raises(BadDetails):
        join(service, invited(service), Details(name, "", PASSWORD))


def test_a_weak_password_does_not_use_the_invitation_up(service: Service) -> None:
    token = invited(service)
    with pytest.raises(WeakPassword):
        join(service, token, Details("Ada", "", "short"))
    join(service, token)


def test_a_withdrawn_invitation_is_worth_nothing_and_a_used_one_stays_on_record(service: Service) -> None:
    token, used = invited(service), invited(service)
    join(service, used)
    with service.database.write() as session:
        for one in session.scalars(select(Invitation)).all():
            accounts.withdraw(session, one.id)
    with pytest.raises(BadInvitation):
        join(service, token, Details("Late", "", PASSWORD))
    with service.database.read() as session:
        assert [one.used_at for one in session.scalars(select(Invitation))] == [service.now()]


# ── the first admin ─────────────────────────────────────────────────────────────────────────────────


def test_each_start_without_an_admin_makes_a_new_link_and_voids_the_older_ones(service: Service) -> None:
    older, newer = first_link(service), first_link(service)
    with pytest.raises(BadInvitation):
        join(service, older)
    assert join(service, newer).role == "admin"


def test_with_an_admin_no_link_is_made_and_an_open_one_works_no_more(service: Service) -> None:
    token = first_link(service)
    account_of(service, StaffRole.ADMIN)
    with pytest.raises(BadInvitation):
        join(service, token)
    with service.database.write() as session:
        assert not accounts.invite_first_admin(session, link(service, by=FIRST_ADMIN), now=service.now())
    with service.database.read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_the_last_admin_can_neither_be_disabled_nor_made_something_else(service: Service) -> None:
    last, gone = account_of(service, StaffRole.ADMIN), account_of(service, StaffRole.ADMIN)
    with service.database.write() as session:
        accounts.disable(session, gone.id, now=service.now())
    with service.database.write() as session:
        with pytest.raises(LastAdmin):
            accounts.disable(session, last.id, now=service.now())
        with pytest.raises(LastAdmin):
            accounts.change_role(session, last.id, StaffRole.WRITER)
        assert accounts.change_role(session, last.id, StaffRole.ADMIN).role == "admin"


def test_two_admins_who_put_each_other_out_at_once_leave_one(service_on_both: Service) -> None:
    service = service_on_both
    for _ in range(5):
        pair = [account_of(service, StaffRole.ADMIN), account_of(service, StaffRole.ADMIN)]

        def put_out(number: int, pair: list[Account] = pair) -> None:
            with service.database.write() as session:
                if number:
                    accounts.disable(session, pair[0].id, now=service.now())
                else:
                    accounts.change_role(session, pair[1].id, StaffRole.AGENT)

        results = together(2, put_out)
        assert sorted(type(result).__name__ for result in results) == ["LastAdmin", "NoneType"]
        with service.database.write() as session:
            assert accounts.has_admin(session)
            session.execute(text("UPDATE account SET role = 'agent'"))


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────


def test_the_right_password_signs_in_however_the_address_is_written(service: Service) -> None:
    account = account_of(service, email="ada@example.com")
    assert log_in(service, " ADA@Example.com ", PASSWORD, "token").id == account.id
    signed = holder(service, "token")
    assert signed is not None
    assert (signed.account_id, signed.role, signed.name) == (account.id, StaffRole.AGENT, account.name)


def test_every_failed_login_says_the_same_after_the_same_work(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    account_of(service, email="ada@example.com")
    gone = account_of(service, email="gone@example.com")
    with service.database.write() as session:
        accounts.disable(session, gone.id, now=service.now())

    class Counting:
        entered = 0

        def __enter__(self) -> None:
            self.entered += 1

        def __exit__(self, *_: object) -> None:
            pass

    hashes = Counting()
    monkeypatch.setattr(passwords, "AT_ONCE", hashes)
    told, work = set(), []
    for email, password in [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("gone@example.com", PASSWORD), ("", "")]:
        before = hashes.entered
        with pytest.raises(WrongLogin) as refused:
            log_in(service, email, password)
        told.add(str(refused.value))
        work.append(hashes.entered - before)
    assert len(told) == 1
    assert work == [1, 1, 1, 1]


def test_the_hash_that_unknown_addresses_are_compared_with_costs_as_much_as_any_and_opens_nothing() -> None:
    parameters = {stored.rsplit("$", 2)[0] for stored in (passwords._nobody(), passwords.hashed(PASSWORD))}
    assert len(parameters) == 1
    assert passwords.verify("nobody has this password", None) == (False, None)


def test_a_session_ends_at_log_out_when_idle_and_at_the_latest_after_its_whole_time(service: Service, clock: Clock) -> None:
    account_of(service, email="ada@example.com")
    for token in ("left", "idle", "busy"):
        log_in(service, "ada@example.com", PASSWORD, token)
    with service.database.write() as session:
        sessions.end_token(session, "left")
    assert holder(service, "left") is None
    for _ in range(15):
        clock.move(11 * 3600)
        busy = holder(service, "busy")
        assert busy is not None
        with service.database.write() as session:
            sessions.seen(session, busy.session_id, now=clock())
    assert holder(service, "idle") is None
    clock.move(3 * 3600)
    assert holder(service, "busy") is None


def test_dead_sessions_are_swept_when_somebody_signs_in(service: Service, clock: Clock) -> None:
    account_of(service, email="ada@example.com")
    log_in(service, "ada@example.com", PASSWORD)
    clock.move(13 * 3600)
    log_in(service, "ada@example.com", PASSWORD)
    with service.database.read() as session:
        assert len(session.scalars(select(StaffSession)).all()) == 1


def test_a_changed_password_ends_the_other_sessions_and_opens_with_the_new_one_only(service: Service) -> None:
    account_of(service, email="ada@example.com")
    for token in ("here", "there"):
        log_in(service, "ada@example.com", PASSWORD, token)
    here = holder(service, "here")
    assert here is not None
    with pytest.raises(WrongLogin):
        accounts.change_password(service.database, here, "wrong", OTHER_PASSWORD)
    with pytest.raises(WeakPassword):
        accounts.change_password(service.database, here, PASSWORD, "short")
    assert holder(service, "there") is not None
    accounts.change_password(service.database, here, PASSWORD, OTHER_PASSWORD)
    assert holder(service, "here") is not None
    assert holder(service, "there") is None
    with pytest.raises(WrongLogin):
        log_in(service, "ada@example.com", PASSWORD)
    log_in(service, "ada@example.com", OTHER_PASSWORD)


def test_who_is_disabled_is_out_at_once_and_comes_back_with_the_old_password(service: Service) -> None:
    account_of(service, StaffRole.ADMIN)
    account = account_of(service, email="ada@example.com")
    log_in(service, "ada@example.com", PASSWORD, "token")
    with service.database.write() as session:
        accounts.disable(session, account.id, now=service.now())
    assert holder(service, "token") is None
    with service.database.write() as session:
        accounts.enable(session, account.id)
    assert holder(service, "token") is None
    log_in(service, "ada@example.com", PASSWORD)


def test_the_links_an_admin_gave_die_with_the_admins_rights(service: Service) -> None:
    account_of(service, StaffRole.ADMIN)
    for put_out in (
        lambda session, id_: accounts.disable(session, id_, now=service.now()),
        lambda session, id_: accounts.change_role(session, id_, StaffRole.AGENT),
    ):
        admin = account_of(service, StaffRole.ADMIN)
        made = link(service, by=admin.id)
        with service.database.write() as session:
            accounts.invite(session, "friend@example.com", StaffRole.ADMIN, made, now=service.now())
            put_out(session, admin.id)
        with pytest.raises(BadInvitation):
            join(service, made.token)


# ── a forgotten password ────────────────────────────────────────────────────────────────────────────


def test_a_link_for_a_new_password_works_once_ends_every_session_and_changes_nothing_else(service: Service) -> None:
    account = account_of(service, StaffRole.WRITER, email="ada@example.com", name="Ada")
    log_in(service, "ada@example.com", PASSWORD, "token")
    made = link(service)
    with service.database.write() as session:
        accounts.offer_new_password(session, account, made, now=service.now())
    log_in(service, "ada@example.com", PASSWORD)
    again = join(service, made.token, Details("Mallory", "mallory@example.com", OTHER_PASSWORD))
    assert (again.id, again.email, again.name, again.role) == (account.id, "ada@example.com", "Ada", "writer")
    assert holder(service, "token") is None
    log_in(service, "ada@example.com", OTHER_PASSWORD)
    with pytest.raises(BadInvitation):
        join(service, made.token)


def test_a_disabled_account_gets_no_link_and_the_one_it_had_is_dead(service: Service) -> None:
    account = account_of(service)
    made = link(service)
    with service.database.write() as session:
        accounts.offer_new_password(session, account, made, now=service.now())
        accounts.disable(session, account.id, now=service.now())
    with service.database.write() as session, pytest.raises(Disabled):
        accounts.offer_new_password(session, accounts.get(session, account.id), link(service), now=service.now())
    with pytest.raises(BadInvitation):
        join(service, made.token)


def test_a_password_that_changes_while_somebody_signs_in_with_the_old_one_keeps_them_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = account_of(service, email="ada@example.com")
    verify = passwords.verify

    def slowly(password: str, stored: str | None) -> tuple[bool, str | None]:
        result = verify(password, stored)
        with service.database.write() as session:
            accounts.get(session, account.id).password_hash = "another"
        return result

    monkeypatch.setattr(passwords, "verify", slowly)
    with pytest.raises(WrongLogin):
        log_in(service, "ada@example.com", PASSWORD)


def test_a_session_says_at_most_every_five_minutes_that_it_is_used(service: Service, clock: Clock) -> None:
    account_of(service, email="ada@example.com")
    log_in(service, "ada@example.com", PASSWORD, "token")
    for seconds, stale in ((299, False), (1, True)):
        clock.move(seconds)
        with service.database.read() as session:
            found = sessions.holder(session, "token", LASTING, now=clock())
        assert found is not None
        assert found[1] is stale


@pytest.mark.slow
def test_an_unknown_address_takes_as_long_as_a_wrong_password(service: Service) -> None:
    from statistics import median
    from time import perf_counter

    account_of(service, email="ada@example.com")
    took: dict[str, list[float]] = {"ada@example.com": [], "nobody@example.com": []}
    for _ in range(200):
        for email, times in took.items():
            begun = perf_counter()
            with pytest.raises(WrongLogin):
                log_in(service, email, "wrong wrong wrong")
            times.append(perf_counter() - begun)
    known, unknown = (median(times) for times in took.values())
    assert abs(known - unknown) < 0.010, timedelta(seconds=known - unknown)
