"""`firstline staff`, and the link for the first admin that `firstline serve` prints."""

import re
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.api.staffing import OTHER_PASSWORD, PASSWORD
from tests.builders import firstline, serving, wait_until

JOIN = re.compile(r"(http://\S+/staff/join/[\w-]+)")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def join(address: str, email: str = "ada@example.com", password: str = PASSWORD) -> httpx.Response:
    return httpx.post(address, data={"email": email, "name": "Ada", "password": password}, timeout=30)


def sign_in(url: str, email: str, password: str = PASSWORD) -> int:
    return httpx.post(f"{url}/staff/login", data={"email": email, "password": password}, timeout=30).status_code


def link_in(output: list[str]) -> str:
    """The link that the server prints after its address; "" when it prints none within a moment."""
    with suppress(AssertionError):
        wait_until(lambda: JOIN.search("".join(output)) is not None, 3)
    found = JOIN.search("".join(output))
    return found[1] if found else ""


def test_a_server_without_an_admin_prints_a_link_that_works_once_and_only_until_the_next_start(data: Path) -> None:
    with serving(data) as served:
        left_over = link_in(served.output)
        assert left_over.startswith(served.url)
    with serving(data) as served:
        assert join(left_over.replace(left_over.partition("/staff")[0], served.url)).status_code == 404
        address = link_in(served.output)
        assert join(address).status_code == 303
        assert join(address, "eve@example.com").status_code == 404
        assert sign_in(served.url, "ada@example.com") == 303
    with serving(data) as served:
        assert sign_in(served.url, "ada@example.com") == 303
        assert link_in(served.output) == ""
    assert "admin   in use               ada@example.com  Ada" in firstline(data, "staff", "list").stdout


def test_staff_are_invited_listed_reset_and_disabled_beside_a_running_server(data: Path) -> None:
    with serving(data) as served:
        join(link_in(served.output))
        invited = firstline(data, "staff", "invite", "bob@example.com", "--role", "writer")
        address = invited.stdout.strip()
        assert address.startswith(f"{served.url}/staff/join/")
        assert re.search(r"writer  until 2\d{3}-\S+ \S+ +bob@example.com  invited, not joined yet", firstline(data, "staff", "list").stdout)
        assert join(address, "ignored@example.com").status_code == 303

        reset = firstline(data, "staff", "reset", "bob@example.com").stdout.strip()
        assert join(reset, password=OTHER_PASSWORD).status_code == 303
        assert [sign_in(served.url, "bob@example.com", password) for password in (PASSWORD, OTHER_PASSWORD)] == [401, 303]

        assert firstline(data, "staff", "disable", "BOB@example.com").stdout == "disabled bob@example.com\n"
        assert sign_in(served.url, "bob@example.com", OTHER_PASSWORD) == 401
        assert re.search(r"writer  disabled \d{4}-\S+ +bob@example.com", firstline(data, "staff", "list").stdout)
        assert firstline(data, "staff", "enable", "bob@example.com").stdout == "enabled bob@example.com\n"
        assert sign_in(served.url, "bob@example.com", OTHER_PASSWORD) == 303
        refused = firstline(data, "staff", "disable", "ada@example.com")
        assert (refused.returncode, "This is the last admin" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["invite", "bob"], "Please give an e-mail address"),
        (["invite", "bob@example.com", "--role", "owner"], "there is no role owner; choose agent, writer or admin"),
        (["disable", "nobody@example.com"], "Nobody here has the address nobody@example.com."),
        (["reset", "nobody@example.com"], "Nobody here has the address nobody@example.com."),
    ],
)
def test_a_mistake_is_one_sentence(data: Path, arguments: list[str], told: str) -> None:
    done = firstline(data, "staff", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_links_name_the_public_address(data: Path) -> None:
    done = firstline(data, "staff", "invite", "bob@example.com", FIRSTLINE_PUBLIC_URL="https://support.example.com")
    assert done.stdout.startswith("https://support.example.com/staff/join/")
