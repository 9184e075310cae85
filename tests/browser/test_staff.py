"""Staff pages in a real browser, over plain http on this machine: joined, signed in and out without any script, light and dark."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from api.staff.door import LOOPBACK_COOKIE
from api.tables import StaffRole
from tests.api.staffing import PASSWORD, invited
from tests.browser.browsing import Site, Window
from tests.browser.test_looks import findings

Open = Callable[..., Window]
WITHOUT_SCRIPT: dict[str, Any] = {"java_script_enabled": False}
NARROW: dict[str, Any] = {"viewport": {"width": 320, "height": 640}}
OPERATIONS = ("/staff/jobs", "/staff/outbox", "/staff/webhooks", "/staff/recipients")
DARK: dict[str, Any] = {"color_scheme": "dark"}


def join(here: Window, site: Site, role: StaffRole = StaffRole.ADMIN) -> str:
    """Join by a fresh invitation; the address of the account."""
    email = f"{site.service.new_id()[:12]}@example.com"
    here.page.goto(f"{site.url}/staff/join/{invited(site.service, role, email)}")
    here.page.get_by_label("Name").fill("Ada Lovelace")
    here.page.get_by_label("Password").fill(PASSWORD)
    here.page.get_by_role("button", name="Join").click()
    here.page.wait_for_url(lambda url: "/join/" not in url)
    return email


def test_somebody_joins_signs_out_and_in_again_without_a_script(window: Open, site: Site) -> None:
    here = window(**WITHOUT_SCRIPT)
    email = join(here, site)
    assert [(c["name"], c["httpOnly"], c["sameSite"]) for c in here.page.context.cookies()] == [(LOOPBACK_COOKIE, True, "Lax")]
    here.page.goto(f"{site.url}/staff/account")
    here.page.get_by_role("button", name="Sign out", exact=True).click()
    here.page.wait_for_url("**/staff/login")
    assert here.page.context.cookies() == []
    here.page.goto(f"{site.url}/staff")
    assert here.page.url == f"{site.url}/staff/login?next=/staff"
    here.page.get_by_label("E-mail").fill(email)
    here.page.get_by_label("Password").fill(PASSWORD)
    here.page.keyboard.press("Enter")
    here.page.wait_for_url(f"{site.url}/staff")
    assert here.page.get_by_role("heading", level=1).inner_text() == "Staff"


def test_an_admin_invites_somebody_with_the_keyboard_alone(window: Open, site: Site) -> None:
    here = window()
    join(here, site)
    here.page.goto(f"{site.url}/staff")
    here.page.get_by_label("E-mail").focus()
    here.page.keyboard.type(f"{site.service.new_id()[:12]}@example.com")
    here.page.keyboard.press("Tab")
    here.page.keyboard.press("w")
    here.page.keyboard.press("Tab")
    here.page.keyboard.press("Enter")
    link = here.page.locator("input.copy")
    link.wait_for()
    assert re.fullmatch(rf"{site.url}/staff/join/[\w-]+", link.input_value())
    assert [url for url in here.requests if not url.startswith(site.url)] == []


@pytest.mark.parametrize("look", [{}, NARROW, DARK, {**DARK, **NARROW}], ids=["wide", "narrow", "dark", "dark-narrow"])
def test_everybody_can_use_the_pages_and_nothing_runs_over_the_edge(window: Open, site: Site, look: dict[str, Any]) -> None:
    here = window(**look, bypass_csp=True)
    here.page.goto(f"{site.url}/staff/login")
    found = findings(here.page)
    join(here, site)
    for path in (*OPERATIONS, "/staff", "/staff/account", "/staff/account?said=ended", "/staff?said=role"):
        here.page.goto(site.url + path)
        found += findings(here.page)
        assert here.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, path
    here.page.goto(f"{site.url}/staff")
    here.page.locator(".menu summary").first.click()
    found += findings(here.page)
    assert found == []
