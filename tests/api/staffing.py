"""What tests of staff pages share: colleagues who are signed in, and what a page says."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any, Self

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create
from api.bootstrap import Service, new_secret
from api.staff import accounts, passwords, sessions
from api.staff.accounts import Link
from api.staff.door import COOKIE
from api.staff.sessions import Lasting, NewSession
from api.tables import Account, StaffRole

PASSWORD = "grass tin violet harbour"
OTHER_PASSWORD = "copper lamp seven rivers"
LASTING = Lasting(timedelta(hours=168), timedelta(hours=12))
THREE_DAYS = timedelta(hours=72)
PAGE = {"Accept": "text/html"}


@cache
def password_hash() -> str:
    """The hash of PASSWORD, made once."""
    return passwords.hashed(PASSWORD)


def account_of(service: Service, role: StaffRole = StaffRole.AGENT, *, email: str = "", name: str = "") -> Account:
    """An account with PASSWORD."""
    id_ = service.new_id()
    account = Account(
        id=id_,
        email=email or f"{id_[:8]}@example.com",
        name=name or f"Colleague {id_[:4]}",
        role=role,
        password_hash=password_hash(),
        created_at=service.now(),
    )
    with service.database.write() as session:
        session.add(account)
    return account


def link(service: Service, *, token: str = "", by: str = "somebody", lasting: timedelta = THREE_DAYS) -> Link:
    """What an invitation needs."""
    return Link(service.new_id(), token or new_secret(), by, lasting)


def invited(service: Service, role: StaffRole = StaffRole.AGENT, email: str = "") -> str:
    """The token of an invitation."""
    made = link(service)
    with service.database.write() as session:
        accounts.invite(session, email or f"{made.id[:8]}@example.com", role, made, now=service.now())
    return made.token


def browser_of(app: FastAPI, *, https: bool = True, host: str = "testserver", address: str = "203.0.113.7") -> TestClient:
    """A browser that has stored nothing and follows no redirect."""
    url = f"{'https' if https else 'http'}://{host}"
    return TestClient(app, base_url=url, raise_server_exceptions=False, client=(address, 40_000), follow_redirects=False)


@dataclass
class Colleague:
    """A signed-in browser."""

    client: TestClient
    account: Account
    new: NewSession
    app: FastAPI = field(repr=False)

    @classmethod
    def arrives(
        cls, service: Service, role: StaffRole = StaffRole.AGENT, *, app: FastAPI | None = None, account: Account | None = None
    ) -> Self:
        """Somebody who has signed in a moment ago."""
        app = app or create(service)
        account = account or account_of(service, role)
        new = NewSession(service.new_id(), new_secret(), new_secret(), "Firefox on Linux")
        with service.database.write() as session:
            sessions.begin(session, account, new, LASTING, now=service.now())
        client = browser_of(app)
        client.cookies.set(COOKIE, new.token)
        return cls(client, account, new, app)

    def get(self, path: str, **more: Any) -> Any:
        """A page."""
        return self.client.get(path, headers=PAGE, **more)

    def post(self, path: str, *, csrf: str | None = None, headers: Mapping[str, str] | None = None, **fields: Any) -> Any:
        """A form of ours."""
        data = {"csrf": self.new.csrf if csrf is None else csrf, **fields}
        return self.client.post(path, data=data, headers={**PAGE, **(headers or {})})


def said(response: Any) -> str:
    """What a page says, as a reader sees it: without tags, spaces joined."""
    main = re.sub(r"(?s)^.*<main[^>]*>|</main>.*$", "", response.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())
