"""Staff pages over HTTP: cookies, forms, redirects, limits, and what each page does."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create
from api.bootstrap import Service
from api.headers import STAFF
from api.staff.door import COOKIE, LOOPBACK_COOKIE, ago, own_path
from api.tables import Account, StaffRole, StaffSession
from tests.api.staffing import OTHER_PASSWORD, PAGE, PASSWORD, Colleague, account_of, browser_of, invited, said
from tests.builders import START, Clock, is_problem, running_in, together

ROLES = list(StaffRole)
HOMES = {"/desk", "/library", "/staff/account"}


@pytest.fixture
def app(service: Service) -> FastAPI:
    return create(service)


@pytest.fixture
def browser(app: FastAPI) -> TestClient:
    return browser_of(app)


def sign_in(browser: TestClient, email: str, password: str = PASSWORD, **more: Any) -> Any:
    return browser.post("/staff/login", data={"email": email, "password": password, **more}, headers=PAGE)


def cookie_of(response: Any) -> tuple[str, str, set[str]]:
    """Name, value and attributes of the one cookie a response sets."""
    (line,) = response.headers.get_list("set-cookie")
    pair, *attributes = [part.strip() for part in line.split(";")]
    name, _, value = pair.partition("=")
    return name, value, {attribute.lower() for attribute in attributes}


# ── the cookie ──────────────────────────────────────────────────────────────────────────────────────


def test_over_https_the_cookie_belongs_to_this_host_alone(service: Service, browser: TestClient) -> None:
    account_of(service, email="ada@example.com")
    response = sign_in(browser, "ada@example.com")
    assert response.status_code == 303
    name, value, attributes = cookie_of(response)
    assert name == COOKIE == "__Host-firstline"
    assert len(value) >= 43
    assert attributes == {"secure", "httponly", "samesite=lax", "path=/", "max-age=604800"}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_over_plain_http_on_this_machine_the_cookie_has_a_name_that_browsers_keep(service: Service, app: FastAPI, host: str) -> None:
    account_of(service, email="ada@example.com")
    browser = browser_of(app, https=False, host=host)
    response = sign_in(browser, "ada@example.com")
    name, value, attributes = cookie_of(response)
    assert name == LOOPBACK_COOKIE
    assert attributes == {"httponly", "samesite=lax", "path=/", "max-age=604800"}
    assert browser.get("/staff/account", headers={**PAGE, "Cookie": f"{name}={value}"}).status_code == 200


def test_over_plain_http_from_elsewhere_signing_in_is_refused_in_words(service: Service, app: FastAPI) -> None:
    account_of(service, email="ada@example.com")
    browser = browser_of(app, https=False, host="support.example.com")
    for response in (browser.get("/staff/login"), sign_in(browser, "ada@example.com"), browser.get(f"/staff/join/{invited(service)}")):
        assert "over https" in said(response)
        assert 'type="password"' not in response.text
        assert "set-cookie" not in response.headers
    assert sign_in(browser, "ada@example.com").status_code == 403
    token = invited(service)
    assert browser.post(f"/staff/join/{token}", data={"name": "A", "password": PASSWORD}).status_code == 200
    with service.database.read() as session:
        assert len(session.scalars(select(Account)).all()) == 1


def test_a_cookie_without_the_prefix_is_worth_nothing_over_https(service: Service, app: FastAPI) -> None:
    ada = Colleague.arrives(service, app=app)
    thrown = browser_of(app)
    thrown.cookies.set(LOOPBACK_COOKIE, ada.new.token)
    assert thrown.get("/staff/account").status_code == 401


def test_behind_a_trusted_proxy_https_is_believed_and_from_others_it_is_not(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", trusted_proxies="10.0.0.0/8") as service:
        account_of(service, email="ada@example.com")
        app = create(service)
        for address, status in (("10.1.2.3", 303), ("203.0.113.9", 403)):
            browser = browser_of(app, https=False, host="support.example.com", address=address)
            browser.headers["X-Forwarded-Proto"] = "https"
            response = sign_in(browser, "ada@example.com")
            assert response.status_code == status
            assert ("strict-transport-security" in response.headers) is (status == 303)


def test_signing_in_makes_a_new_token_whatever_the_browser_brought(service: Service, browser: TestClient) -> None:
    account_of(service, email="ada@example.com")
    browser.cookies.set(COOKIE, "planted-by-somebody")
    value = cookie_of(sign_in(browser, "ada@example.com"))[1]
    assert value != "planted-by-somebody"
    assert browser.get("/staff/account", headers={"Cookie": f"{COOKIE}=planted-by-somebody"}).status_code == 401


def test_signing_in_again_ends_the_session_the_browser_had(service: Service, app: FastAPI) -> None:
    ada = Colleague.arrives(service, app=app)
    sign_in(ada.client, ada.account.email)
    assert browser_of(app).get("/staff/account", headers={"Cookie": f"{COOKIE}={ada.new.token}"}).status_code == 401


def test_after_signing_out_the_old_cookie_opens_nothing(service: Service) -> None:
    ada = Colleague.arrives(service)
    response = ada.post("/staff/logout")
    assert (response.status_code, response.headers["location"]) == (303, "/staff/login")
    assert cookie_of(response)[1] in {"", '""'}
    ada.client.cookies.set(COOKIE, ada.new.token)
    assert ada.client.get("/staff/account").status_code == 401


def test_who_is_disabled_is_refused_at_the_next_request(service: Service, app: FastAPI) -> None:
    admin, agent = Colleague.arrives(service, StaffRole.ADMIN, app=app), Colleague.arrives(service, app=app)
    assert agent.get("/staff/account").status_code == 200
    assert admin.post(f"/staff/accounts/{agent.account.id}/disable").status_code == 303
    assert agent.client.get("/staff/account").status_code == 401


def test_a_changed_role_counts_from_the_next_request_on(service: Service, app: FastAPI) -> None:
    admin, agent = Colleague.arrives(service, StaffRole.ADMIN, app=app), Colleague.arrives(service, app=app)
    assert agent.get("/staff").status_code == 403
    admin.post(f"/staff/accounts/{agent.account.id}/role", role="admin")
    assert agent.get("/staff").status_code == 200


def test_a_session_in_use_lasts_and_an_idle_one_does_not(service: Service, clock: Clock) -> None:
    ada = Colleague.arrives(service)
    for _ in range(3):
        clock.move(11 * 3600)
        assert ada.get("/staff/account").status_code == 200
    clock.move(12 * 3600)
    assert ada.client.get("/staff/account").status_code == 401


def test_a_page_that_only_listens_does_not_keep_a_session_alive(service: Service, clock: Clock) -> None:
    ada = Colleague.arrives(service)
    for _ in range(2):
        clock.move(5 * 3600)
        assert ada.client.get("/staff/account", headers={"Accept": "text/event-stream"}).status_code == 200
    clock.move(2 * 3600)
    assert ada.client.get("/staff/account").status_code == 401


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("csrf", ["", "wrong", "ß", "x" * 5000])
def test_a_form_without_the_sessions_own_token_is_refused(service: Service, csrf: str) -> None:
    ada = Colleague.arrives(service)
    response = ada.post("/staff/logout", csrf=csrf)
    assert response.status_code == 403
    assert "did not go through" in said(response)
    assert ada.get("/staff/account").status_code == 200


def test_the_token_of_another_session_of_the_same_person_does_not_fit(service: Service, app: FastAPI) -> None:
    here = Colleague.arrives(service, app=app)
    there = Colleague.arrives(service, app=app, account=here.account)
    assert here.post("/staff/logout", csrf=there.new.csrf).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused_even_with_the_token(service: Service, app: FastAPI, headers: dict[str, str]) -> None:
    ada = Colleague.arrives(service, app=app)
    assert ada.post("/staff/logout", headers=headers).status_code == 403
    assert ada.get("/staff/account").status_code == 200
    account_of(service, email="eve@example.com")
    foreign = browser_of(app).post("/staff/login", data={"email": "eve@example.com", "password": PASSWORD}, headers=headers)
    assert is_problem(foreign, 403)
    assert "set-cookie" not in foreign.headers
    token = invited(service)
    joined = browser_of(app).post(f"/staff/join/{token}", data={"name": "Eve", "password": PASSWORD}, headers=headers)
    assert joined.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_a_kind_of_body_that_another_site_could_send_is_refused(service: Service, kind: str) -> None:
    ada = Colleague.arrives(service)
    body = f"csrf={ada.new.csrf}"
    response = ada.client.post("/staff/logout", content=body, headers={"Content-Type": kind, "X-CSRF-Token": ada.new.csrf})
    assert response.status_code in {400, 403}
    assert ada.get("/staff/account").status_code == 200


def test_a_script_may_send_the_token_in_a_header_and_gets_problems_instead_of_pages(service: Service) -> None:
    ada = Colleague.arrives(service)
    assert is_problem(ada.client.post("/staff/logout", headers={"X-CSRF-Token": "wrong"}), 403)
    assert ada.client.post("/staff/logout", headers={"X-CSRF-Token": ada.new.csrf}).status_code == 303
    assert is_problem(ada.client.get("/staff/account"), 401)


# ── where one is sent ───────────────────────────────────────────────────────────────────────────────


def test_a_page_asks_to_sign_in_and_leads_back_afterwards(service: Service, browser: TestClient) -> None:
    account_of(service, email="ada@example.com")
    sent = browser.get("/staff/account?said=ended", headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, "/staff/login?next=/staff/account%3Fsaid%3Dended")
    form = browser.get(sent.headers["location"])
    assert 'name="next" value="/staff/account?said=ended"' in form.text
    back = sign_in(browser, "ada@example.com", next="/staff/account?said=ended")
    assert (back.status_code, back.headers["location"]) == (303, "/staff/account?said=ended")


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(service: Service, browser: TestClient) -> None:
    referer = {**PAGE, "Referer": "https://testserver/staff/account"}
    sent = browser.post("/staff/account/password", data={"old": "x"}, headers=referer)
    assert sent.headers["location"] == "/staff/login?next=/staff/account"
    foreign = browser.post("/staff/account/password", headers={**PAGE, "Referer": "https://evil.example/staff"})
    assert foreign.headers["location"] == "/staff/login"


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/ /evil.example",
    " /desk",
    "javascript:alert(1)",
    "evil.example",
    "/desk\r\nSet-Cookie: a=b",
    "/" + "x" * 600,
    "",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_after_signing_in_nobody_is_led_to_another_site(service: Service, browser: TestClient, wanted: str) -> None:
    assert own_path(wanted) == ""
    account_of(service, email="ada@example.com")
    if len(wanted) < 300:
        response = sign_in(browser, "ada@example.com", next=wanted)
        assert (response.status_code, response.headers["location"] in HOMES) == (303, True)


@pytest.mark.parametrize("wanted", ["/desk", "/desk/tickets/1?tab=notes#end", "/library?q=a%20b", "/staff/account?next=https://x.example"])
def test_a_path_of_our_own_is_kept_as_it_is(wanted: str) -> None:
    assert own_path(wanted) == wanted


def test_who_is_signed_in_is_not_asked_again(service: Service) -> None:
    ada = Colleague.arrives(service)
    assert ada.get("/staff/login").headers["location"] in HOMES
    assert ada.get("/staff/login?next=/staff/account%3Fsaid%3Dended").headers["location"] == "/staff/account?said=ended"


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_shows_what_exists_and_is_for_the_role(service: Service, role: StaffRole) -> None:
    app = create(service)

    @app.get("/desk")
    def desk() -> None:
        pass

    @app.get("/library")
    def library() -> None:
        pass

    page = Colleague.arrives(service, role, app=app).get("/staff/account").text
    shown = re.findall(r'<a href="(/\w+)"', page.partition("<nav")[2].partition("</nav>")[0])
    assert shown == {"agent": ["/desk"], "writer": ["/library"], "admin": ["/desk", "/library", "/staff"]}[role]


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_and_an_unknown_address_get_the_same_page(service: Service, app: FastAPI) -> None:
    gone = account_of(service, email="gone@example.com")
    account_of(service, email="some@example.com")
    with service.database.write() as session:
        session.get_one(Account, gone.id).disabled_at = service.now()
    pages = set()
    for email in ("some@example.com", "none@example.com", "gone@example.com"):
        response = sign_in(browser_of(app), email, "wrong wrong wrong")
        assert response.status_code == 401
        assert dict(response.headers).items() >= {k.lower(): v for k, v in STAFF.items()}.items()
        pages.add(response.text.replace(email, ""))
    assert len(pages) == 1
    assert "The e-mail address or the password is wrong." in pages.pop()


def test_a_password_may_be_tried_so_often_for_one_account_from_wherever_whether_it_exists_or_not(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", logins_per_account=3) as service:
        account_of(service, email="ada@example.com")
        app = create(service)
        for email in ("ada@example.com", "nobody@example.com"):
            tries = [sign_in(browser_of(app, address=f"203.0.113.{n}"), email.upper() if n == 1 else email, "wrong") for n in range(4)]
            assert [response.status_code for response in tries] == [401, 401, 401, 429]
            assert 1 <= int(tries[-1].headers["retry-after"]) <= 300
            assert "Too many attempts" in said(tries[-1])
        assert sign_in(browser_of(app), "ada@example.com").status_code == 429


def test_one_address_may_try_so_many_accounts_and_links(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", logins_per_address=4) as service:
        app = create(service)
        browser = browser_of(app)
        assert [sign_in(browser, f"{n}@example.com", "wrong").status_code for n in range(2)] == [401, 401]
        assert [browser.get(f"/staff/join/{n}").status_code for n in range(2)] == [404, 404]
        assert browser.get(f"/staff/join/{invited(service)}").status_code == 429
        assert sign_in(browser, "ada@example.com").status_code == 429
        assert sign_in(browser_of(app, address="198.51.100.1"), "ada@example.com", "wrong").status_code == 401


def test_the_present_password_cannot_be_guessed_from_a_stolen_browser(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", logins_per_account=2) as service:
        ada = Colleague.arrives(service)
        tries = [ada.post("/staff/account/password", old="wrong", new=OTHER_PASSWORD) for _ in range(3)]
        assert [response.status_code for response in tries] == [422, 422, 429]
        assert tries[-1].headers["retry-after"]


def test_many_who_sign_in_at_once_all_get_in(service: Service, app: FastAPI) -> None:
    for number in range(6):
        account_of(service, email=f"{number}@example.com")
    results = together(6, lambda number: sign_in(browser_of(app), f"{number}@example.com").status_code)
    assert results == [303] * 6


# ── joining ─────────────────────────────────────────────────────────────────────────────────────────


def test_looking_at_an_invitation_does_not_use_it_up_and_joining_does(service: Service, app: FastAPI) -> None:
    token = invited(service, StaffRole.WRITER, "grace@example.com")
    browser = browser_of(app)
    for _ in range(2):
        page = browser.get(f"/staff/join/{token}")
        assert page.status_code == 200
        assert "grace@example.com" in page.text
    weak = browser.post(f"/staff/join/{token}", data={"name": "Grace <b>Hopper</b>", "password": "grace@example.com"})
    assert weak.status_code == 422
    assert "Grace &lt;b&gt;Hopper&lt;/b&gt;" in weak.text
    assert "grace@example.com" not in weak.text.partition('type="password"')[2]
    joined = browser.post(f"/staff/join/{token}", data={"name": "Grace", "password": PASSWORD, "role": "admin", "email": "e@evil.example"})
    assert (joined.status_code, joined.headers["location"] in HOMES) == (303, True)
    name, value, _ = cookie_of(joined)
    me = browser_of(app).get("/staff/account", headers={"Cookie": f"{name}={value}"})
    assert "grace@example.com" in said(me)
    assert "Writer" in said(me)
    again = browser_of(app).post(f"/staff/join/{token}", data={"name": "Eve", "password": PASSWORD})
    assert again.status_code == 404
    assert "This link does not work" in said(again)


def test_a_link_leaves_no_trace_in_headers_that_travel(service: Service, browser: TestClient) -> None:
    response = browser.get(f"/staff/join/{invited(service)}")
    assert response.headers["referrer-policy"] == "same-origin"
    assert response.headers["cache-control"] == "no-store"


# ── one's own account ───────────────────────────────────────────────────────────────────────────────


def test_a_new_password_is_taken_and_the_other_browsers_are_out(service: Service, app: FastAPI) -> None:
    here = Colleague.arrives(service, app=app)
    there = Colleague.arrives(service, app=app, account=here.account)
    wrong = here.post("/staff/account/password", old="wrong", new=OTHER_PASSWORD)
    assert (wrong.status_code, "present password is wrong" in said(wrong)) == (422, True)
    weak = here.post("/staff/account/password", old=PASSWORD, new="short")
    assert (weak.status_code, "at least 12 characters" in said(weak)) == (422, True)
    done = here.post("/staff/account/password", old=PASSWORD, new=OTHER_PASSWORD)
    assert done.headers["location"] == "/staff/account?said=password"
    assert "Your password is changed" in said(here.get(done.headers["location"]))
    assert there.client.get("/staff/account").status_code == 401


def test_one_sees_where_one_is_signed_in_and_ends_it_there(service: Service, app: FastAPI) -> None:
    here = Colleague.arrives(service, app=app)
    there = Colleague.arrives(service, app=app, account=here.account)
    assert said(here.get("/staff/account")).count("Firefox on Linux") == 2
    assert here.post(f"/staff/account/sessions/{there.new.id}/end").headers["location"] == "/staff/account?said=ended"
    assert there.client.get("/staff/account").status_code == 401
    assert here.post(f"/staff/account/sessions/{here.new.id}/end").headers["location"] == "/staff/login"
    assert here.client.get("/staff/account").status_code == 401


def test_nobody_ends_the_session_of_somebody_else(service: Service, app: FastAPI) -> None:
    ada, bob = Colleague.arrives(service, StaffRole.ADMIN, app=app), Colleague.arrives(service, app=app)
    bob.post(f"/staff/account/sessions/{ada.new.id}/end")
    assert ada.get("/staff/account").status_code == 200


def test_signing_out_everywhere_ends_this_session_too(service: Service, app: FastAPI) -> None:
    here = Colleague.arrives(service, app=app)
    there = Colleague.arrives(service, app=app, account=here.account)
    assert here.post("/staff/account/sessions/end").status_code == 303
    with service.database.read() as session:
        assert session.scalars(select(StaffSession)).all() == []
    assert there.client.get("/staff/account").status_code == 401


# ── what admins do ──────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_is_shown_once_as_a_link_that_works(service: Service, app: FastAPI) -> None:
    admin = Colleague.arrives(service, StaffRole.ADMIN, app=app)
    page = admin.post("/staff/invitations", email="Grace@example.com", role="agent")
    (address,) = re.findall(r'value="(https://testserver/staff/join/[\w-]+)"', page.text)
    assert "Invitation for grace@example.com" in said(page)
    assert address not in admin.get("/staff").text
    joined = browser_of(app).post(address, data={"name": "Grace", "password": PASSWORD})
    assert joined.status_code == 303
    assert "Grace grace@example.com Agent" in said(admin.get("/staff"))


def test_links_name_the_public_address_where_there_is_one(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", public_url="https://support.example.com/") as service:
        admin = Colleague.arrives(service, StaffRole.ADMIN)
        page = admin.post("/staff/invitations", email="grace@example.com", role="agent")
        assert 'value="https://support.example.com/staff/join/' in page.text


def test_a_wrong_or_taken_address_is_told_beside_the_field(service: Service) -> None:
    admin = Colleague.arrives(service, StaffRole.ADMIN)
    for email, told in (("grace", "Please give an e-mail address"), (admin.account.email, "has an account already")):
        page = admin.post("/staff/invitations", email=email, role="writer")
        assert page.status_code == 422
        assert told in said(page)
        assert 'aria-invalid="true"' in page.text
        assert '<option value="writer" selected>' in page.text
    assert is_problem(admin.post("/staff/invitations", email="a@example.com", role="owner"), 422)


def test_a_withdrawn_invitation_is_gone(service: Service, app: FastAPI) -> None:
    admin = Colleague.arrives(service, StaffRole.ADMIN, app=app)
    token = invited(service, email="grace@example.com")
    page = admin.get("/staff").text
    (path,) = re.findall(r'action="(/staff/invitations/\w+/withdraw)"', page)
    assert admin.post(path).status_code == 303
    assert browser_of(app).get(f"/staff/join/{token}").status_code == 404


def test_a_link_for_a_new_password_is_shown_once_and_works(service: Service, app: FastAPI) -> None:
    admin, grace = Colleague.arrives(service, StaffRole.ADMIN, app=app), Colleague.arrives(service, app=app)
    page = admin.post(f"/staff/accounts/{grace.account.id}/password")
    (address,) = re.findall(r'value="(https://testserver/staff/join/[\w-]+)"', page.text)
    assert "Choose a new password" in said(browser_of(app).get(address))
    assert browser_of(app).post(address, data={"password": OTHER_PASSWORD}).status_code == 303
    assert grace.client.get("/staff/account").status_code == 401
    assert sign_in(browser_of(app), grace.account.email, OTHER_PASSWORD).status_code == 303


def test_the_last_admin_is_told_why_not(service: Service, app: FastAPI) -> None:
    admin = Colleague.arrives(service, StaffRole.ADMIN, app=app)
    for path, fields in (("disable", {}), ("role", {"role": "agent"})):
        response = admin.post(f"/staff/accounts/{admin.account.id}/{path}", **fields)
        assert response.status_code == 409
        assert "This is the last admin" in said(response)
    assert is_problem(admin.post("/staff/accounts/nobody/disable"), 404)


def test_disabled_and_enabled_again_somebody_signs_in_as_before(service: Service, app: FastAPI) -> None:
    admin, agent = Colleague.arrives(service, StaffRole.ADMIN, app=app), account_of(service, email="bob@example.com")
    admin.post(f"/staff/accounts/{agent.id}/disable")
    assert "Disabled" in said(admin.get("/staff?said=disabled"))
    assert sign_in(browser_of(app), agent.email).status_code == 401
    assert admin.post(f"/staff/accounts/{agent.id}/password").status_code == 409
    admin.post(f"/staff/accounts/{agent.id}/enable")
    assert sign_in(browser_of(app), agent.email).status_code == 303


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7199, "120 min ago"),
        (7200, "2 h ago"),
        (172_800, "2 d ago"),
        (-30, "in a minute"),
        (-259_199, "in 3 d"),
    ],
)
def test_a_moment_is_told_in_the_unit_that_fits(seconds: int, told: str) -> None:
    assert ago(START - timedelta(seconds=seconds), START) == told
