"""Who may call which route: every route of the app with every kind of caller, against one table.

A new route is one line in MATRIX. A name in braces is filled with an object made for the call: a conversation of
the first visitor, an account, an invitation, … (see World). A field of a body that holds an id is one line in IDS.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import select

from api import identity
from api.app import create
from api.bootstrap import Service
from api.messages import webhooks
from api.messages.guarded import Internal
from api.staff.door import COOKIE
from api.tables import ArticleFeedback, Invitation, StaffRole
from knowledge import golden
from knowledge.confidence import Band
from knowledge.golden import Golden
from knowledge.tables import Article
from tests.api.shelving import group_in, suggested
from tests.api.staffing import LASTING, PASSWORD, Colleague, account_of, browser_of, invited
from tests.builders import Visitor, article, decided, faq, publish, running_in

KEY = "fl_the-key-of-a-program"


class Caller(StrEnum):
    """Everybody who could call."""

    NOBODY = "nobody"
    VISITOR = "the visitor of the conversation"
    OTHER = "another visitor"
    PROGRAM = "a program with an API key"
    AGENT = "an agent"
    WRITER = "a writer"
    ADMIN = "an admin"


STAFF = {Caller.AGENT: StaffRole.AGENT, Caller.WRITER: StaffRole.WRITER, Caller.ADMIN: StaffRole.ADMIN}


class Door(StrEnum):
    """What opens a route."""

    NONE = "open to everybody"
    CONVERSATION = "the secret of the conversation"
    KEY = "an API key"
    MACHINE = "the token of the command line on the same machine"
    STAFF = "a signed-in member of staff"


@dataclass(frozen=True)
class Entry:
    """How a route is called and whom it lets in. `ok` is the status for those, by default any below 400; a stream is `endless`."""

    door: Door
    roles: frozenset[StaffRole] = frozenset()
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    query: str = ""
    ok: int = 0
    endless: bool = False

    def expected(self, caller: Caller) -> int:
        """The status of a refusal; 0 for those who are let in."""
        if self.door is Door.NONE:
            return 0
        if self.door is Door.CONVERSATION:
            return {Caller.VISITOR: 0, Caller.OTHER: 404}.get(caller, 401)
        if self.door is Door.STAFF and caller in STAFF:
            return 0 if STAFF[caller] in self.roles | {StaffRole.ADMIN} else 403
        return 0 if self.door is Door.KEY and caller is Caller.PROGRAM else 401


def everybody(**more: Any) -> Entry:
    return Entry(Door.NONE, **more)


def visitor(**more: Any) -> Entry:
    return Entry(Door.CONVERSATION, **more)


def program(**more: Any) -> Entry:
    return Entry(Door.KEY, **more)


def machine(**more: Any) -> Entry:
    return Entry(Door.MACHINE, **more)


def staff(*roles: str, **more: Any) -> Entry:
    """Admins are always let in."""
    return Entry(Door.STAFF, frozenset(StaffRole(role) for role in roles), **more)


ANY = ("agent", "writer")
TEXT = {"title": "Tested", "body": "Open **Settings**."}
ARTICLE = {"source": "tests", "external_id": "new", "title": "New", "body": "Text of the new article."}

FORM = {"client_id": "the-form-of-the-matrix", "goal": "Export", "happened": "Nothing", "details": {"email": "eve@example.com"}}

HOOK = {"name": "Chat", "url": "https://example.com/"}

STALE = {"version": 2**31 - 1}  # nobody has read that one: whoever is let in is told so, and the ticket stays as it is for the next caller

MATRIX: dict[str, Entry] = {
    # health and documentation
    "GET /livez": everybody(),
    "GET /readyz": everybody(),
    "GET /openapi.json": everybody(),
    "GET /docs": everybody(),
    # the help centre
    "GET /": everybody(),
    "GET /help": everybody(),
    "GET /help/sections/{section}": everybody(ok=404),
    "GET /faq": everybody(),
    "GET /search": everybody(query="q=refund"),
    "GET /sitemap.xml": everybody(),
    "GET /help/contact": everybody(),
    "POST /help/contact": everybody(form={"goal": "Export", "step": "send"}),
    "GET /help/report": everybody(),
    "POST /help/report": everybody(form={"goal": "Export", "step": "send"}),
    "GET /help/tickets": everybody(),  # shows what the browser's own cookie holds: test_form_pages.py
    "POST /help/tickets/{conversation_id}/reply": everybody(form={"text": "More"}, ok=404),
    "POST /help/tickets/{conversation_id}/solved": everybody(form={"solved": "yes"}, ok=404),
    "GET /help/mail/{mail_link}": everybody(ok=404),  # shows and opens what its token names: test_visitors_mail.py
    "POST /help/mail/{mail_link}": everybody(form={}, ok=404),
    "GET /help/{slug}": everybody(),
    "POST /help/{slug}/feedback": everybody(form={"helpful": "yes"}),
    "GET /help/{slug}/pictures/{number}": everybody(ok=404),
    # files and the widget's own interface
    "MOUNT /static": everybody(ok=404),
    "GET /widget.js": everybody(),
    "GET /assets/{version}/{path}": everybody(ok=404),
    "GET /theme.css": everybody(),
    "GET /favicon.svg": everybody(),
    "GET /demo": everybody(),
    "GET /widget/config": everybody(),
    "GET /widget/words": everybody(),
    "GET /widget/panel": everybody(),
    "GET /widget/articles/{slug}": everybody(),
    "GET /widget/conversations/{conversation_id}/messages": visitor(),
    "GET /widget/conversations/{conversation_id}/messages/{message_id}/sources/{number}": visitor(),
    "PUT /widget/conversations/{conversation_id}/visitor": visitor(json={"name": "Eve"}),
    # visitors
    "POST /api/conversations": everybody(json={}),
    "POST /api/conversations/{conversation_id}/messages": visitor(json={"text": "How long is the trial?"}),
    "GET /api/conversations/{conversation_id}/messages": visitor(),
    "POST /api/conversations/{conversation_id}/messages/{message_id}/feedback": visitor(json={"helpful": True}),
    "GET /api/search": everybody(query="q=refund"),
    "POST /api/conversations/{conversation_id}/handover": visitor(json={}),
    "GET /api/conversations/{conversation_id}/ticket": visitor(),
    "PUT /api/conversations/{conversation_id}/details": visitor(json={"account": "Acme"}),
    "POST /api/conversations/{conversation_id}/solved": visitor(json={"solved": False}),
    "GET /api/conversations/{conversation_id}/events": visitor(endless=True),
    "POST /api/forms/{form}": everybody(json=FORM),
    # programs
    "GET /api/articles": program(),
    "GET /api/articles/{article_id}": program(),
    "PUT /api/articles": program(json=ARTICLE),
    "DELETE /api/articles/{article_id}": program(),
    # the command line on the same machine
    "POST /internal/publish": machine(json={"texts": [], "origin": {}, "dry_run": True}),
    "POST /internal/prune": machine(json={"source": "x", "seen": [], "dry_run": True}),
    "POST /internal/reindex": machine(json={}),
    "POST /internal/ask": machine(json={"question": "x"}),
    "POST /internal/explain": machine(json={"question": "x"}),
    "POST /internal/suggest": machine(json={"rebuild": False}),
    "POST /internal/release": machine(json={"passage": "x"}),
    # staff: signing in, one's own account, and who works here
    "GET /staff/login": everybody(),
    "POST /staff/login": everybody(form={"email": "nobody@example.com", "password": "wrong"}, ok=401),
    "GET /staff/join/{token}": everybody(),
    "POST /staff/join/{token}": everybody(form={"name": "New", "password": PASSWORD}),
    "POST /staff/logout": staff(*ANY, form={}),
    "GET /staff/account": staff(*ANY),
    "POST /staff/account/password": staff(*ANY, form={"old": PASSWORD, "new": "copper lamp seven rivers"}),
    "POST /staff/account/sessions/{session_id}/end": staff(*ANY, form={}),
    "POST /staff/account/sessions/end": staff(*ANY, form={}),
    "GET /staff": staff(),
    "POST /staff/invitations": staff(form={"email": "somebody@example.com", "role": "agent"}),
    "POST /staff/invitations/{invitation_id}/withdraw": staff(form={}),
    "POST /staff/accounts/{account_id}/role": staff(form={"role": "writer"}),
    "POST /staff/accounts/{account_id}/disable": staff(form={}),
    "POST /staff/accounts/{account_id}/enable": staff(form={}),
    "POST /staff/accounts/{account_id}/password": staff(form={}),
    # staff: what one wants to be told
    "POST /staff/account/messages": staff(*ANY, form={"wanted": "new"}),
    # the operator
    "GET /staff/jobs": staff(),
    "POST /staff/jobs/{job}/run": staff(form={}),
    "GET /staff/outbox": staff(),
    "POST /staff/outbox/replay": staff(form={}),
    "GET /staff/recipients": staff(),
    "GET /staff/webhooks": staff(),
    "POST /staff/webhooks": staff(form={"name": "Chat", "url": "https://example.com/"}),
    "POST /staff/webhooks/{webhook_id}/{change}": staff(form={}),
    "GET /api/desk/webhooks": staff(),
    "POST /api/desk/webhooks": staff(json=HOOK),
    "PUT /api/desk/webhooks/{webhook_id}": staff(json=HOOK),
    "POST /api/desk/webhooks/{webhook_id}/rotate": staff(json={}),
    "DELETE /api/desk/webhooks/{webhook_id}": staff(),
    # the desk
    "GET /desk": staff("agent"),
    "GET /desk/events": staff("agent", endless=True),
    "GET /desk/tickets/{ticket}": staff("agent"),
    "GET /desk/tickets/{ticket}/suggestions": staff("agent"),
    "POST /desk/tickets/{ticket}/{verb}": staff("agent", form={"text": "Seen before."}),
    "POST /desk/bulk": staff("agent", form={}, ok=422),
    "POST /desk/decisions/{decision}/judgement": staff("agent", form={"right": "yes"}, ok=404),
    "POST /desk/keys": staff("agent", form={"on": "on"}),
    "POST /desk/views": staff("agent", form={"name": "Mine", "query": ""}),
    "POST /desk/views/{view_id}/drop": staff("agent", form={}, ok=404),
    "GET /desk/overview": staff("agent"),
    "GET /library/loop": staff("writer"),
    "GET /library/loop.csv": staff("writer"),
    "GET /library/loop.json": staff("writer"),
    "GET /desk/templates": staff("agent"),
    "POST /desk/templates": staff("agent", form={"name": "hi", "language": "en", "text": "Hi {name}"}),
    "POST /desk/templates/drop": staff("agent", form={"name": "none", "language": "en"}, ok=404),
    # the library
    "GET /library": staff("writer"),
    "POST /library/keys": staff("writer", form={"on": "on"}),
    "GET /library/articles/new": staff("writer"),
    "POST /library/articles/new": staff("writer", form={**TEXT, "do": "keep"}),
    "GET /library/articles/{article_id}": staff("writer"),
    "POST /library/articles/{article_id}": staff("writer", form={**TEXT, "do": "check"}),
    "GET /library/articles/{article_id}/revisions": staff("writer"),
    "GET /library/articles/{article_id}/trial": staff("writer"),
    "POST /library/articles/{article_id}/trial": staff("writer", form=TEXT),
    "GET /library/suggestions/{suggestion_id}/trial": staff("writer"),
    "POST /library/articles/{article_id}/{article_verb}": staff("writer", form={"due": "2027-01-01"}),
    "GET /library/suggestions": staff("writer"),
    "GET /library/suggestions/{suggestion_id}": staff("writer"),
    "POST /library/suggestions/{suggestion_id}/{suggestion_verb}": staff("writer", form={"version": "1", "reason": "single_case"}),
    "GET /library/groups": staff("writer"),
    "GET /library/groups/{group_id}": staff("writer"),
    # the library: its interface
    "GET /api/library/articles": staff("writer", query="q=refund"),
    "POST /api/library/articles": staff("writer", json=TEXT),
    "GET /api/library/articles/{article_id}": staff("writer"),
    "PUT /api/library/articles/{article_id}": staff("writer", json={**TEXT, "revision": 1}),
    "POST /api/library/articles/{article_id}/move": staff("writer", json={"to": "retired", "revision": 1}),
    "POST /api/library/articles/{article_id}/restore": staff("writer", json={"number": 1, "revision": 1}),
    "POST /api/library/articles/{article_id}/reviewed": staff("writer", json={}),
    "GET /api/library/articles/{article_id}/revisions": staff("writer"),
    "GET /api/library/articles/{article_id}/revisions/{revision}": staff("writer"),
    "POST /api/library/check": staff("writer", json=TEXT),
    "GET /api/library/suggestions": staff("writer"),
    "GET /api/library/suggestions/{suggestion_id}": staff("writer"),
    "POST /api/library/suggestions/{suggestion_id}/accept": staff("writer", json={"version": 1}),
    "POST /api/library/suggestions/{suggestion_id}/edit": staff("writer", json={"version": 1, "title": "How?"}),
    "POST /api/library/suggestions/{suggestion_id}/reject": staff("writer", json={"version": 1, "reason": "single_case"}),
    "POST /api/library/suggestions/{suggestion_id}/snooze": staff("writer", json={"version": 1}),
    "POST /api/library/suggestions/{suggestion_id}/merge": staff("writer", json={"version": 1, "article": "0"}, ok=404),
    "GET /api/library/articles/{article_id}/golden": staff("writer"),
    "POST /api/library/articles/{article_id}/golden": staff("writer", json={"question": "How long is the trial?"}),
    "POST /api/library/golden/{golden_id}/protect": staff("writer", json={"protected": True}),
    "DELETE /api/library/golden/{golden_id}": staff("writer"),
    "GET /api/library/groups": staff("writer"),
    "GET /api/library/groups/{group_id}": staff("writer"),
    # the desk: its interface
    "GET /api/desk/tickets": staff("agent"),
    "GET /api/desk/tickets/{number}": staff("agent"),
    "GET /api/desk/tickets/{number}/suggestions": staff("agent"),
    "GET /api/desk/overview": staff("agent"),
    "POST /api/desk/tickets/{number}/reply": staff("agent", json={"text": "x", **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/note": staff("agent", json={"text": "x"}),
    "POST /api/desk/tickets/{number}/assign": staff("agent", json={"assignee": None, **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/move": staff("agent", json={"to": "acknowledged", **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/queue": staff("agent", json={"queue": "legal", **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/priority": staff("agent", json={"priority": "low", **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/tags": staff("agent", json={"tags": [], **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/fields": staff("agent", json={"fields": {"goal": "x"}, **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/contact": staff("agent", json={"name": "x", **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/merge": staff("agent", json={"into": 1, **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/link": staff("agent", json={"incident": 1, **STALE}, ok=409),
    "POST /api/desk/tickets/{number}/escalate": staff("agent", json={**STALE}, ok=409),
    "POST /api/desk/tickets/{number}/unlink": staff("agent", json={**STALE}, ok=409),
    "POST /api/desk/tickets/{number}/faq": staff("agent", json={}),
    "POST /api/desk/bulk": staff("agent", json={"tickets": [{"number": 1, **STALE}], "priority": "low"}),
    "PUT /api/desk/decisions/{decision}/judgement": staff("agent", json={"right": True}, ok=404),
    "GET /api/desk/templates": staff("agent"),
    "PUT /api/desk/templates": staff("agent", json={"name": "hi", "text": "Hi {name}"}),
    "DELETE /api/desk/templates/{language}/{template}": staff("agent", ok=404),
    "POST /api/desk/templates/preview": staff("agent", json={"text": "Hi {name}", "number": 1}),
    "GET /api/desk/views": staff("agent"),
    "PUT /api/desk/views": staff("agent", json={"name": "Mine", "query": "view=mine"}),
    "DELETE /api/desk/views/{view_id}": staff("agent", ok=404),
}

# fields of bodies that name an object, and why a stranger's id in them opens nothing
IDS: dict[str, str] = {
    "POST /api/conversations/{conversation_id}/messages: client_message_id": "test_a_message_name_of_another_conversation_is_a_new_message",
    "POST /api/conversations/{conversation_id}/messages: choice": "test_a_choice_of_another_conversation_opens_only_what_is_published",
    "PUT /api/articles: external_id": "a program may replace every article of its own source; the source is in the key's own words",
    "POST /api/forms/{form}: client_id": "test_a_form_sent_again_by_a_stranger_tells_no_secret",
    "POST /api/desk/tickets/{number}/note: id": "an agent may write into every ticket; the id only makes sending twice harmless",
    "POST /api/library/articles: id": "writers may change every article; the name only makes sending twice harmless",
    "POST /help/contact: client_id": "it names a ticket of the one who knows the form's secret too: test_form_pages.py",
    "POST /help/report: client_id": "the same",
    "POST /help/tickets/{conversation_id}/reply: client_id": "names belong to the conversation, and that is the cookie's: test_form_pages.py",
    "POST /help/{slug}/feedback: id": "test_a_thumb_of_another_article_is_left_alone",
}


# ── the world in which they call ────────────────────────────────────────────────────────────────────


@dataclass
class World:
    """One app with a visitor, another, a key, and objects made as they are needed."""

    service: Service
    app: FastAPI
    owner: Visitor
    stranger: Visitor
    cited: int
    ticket: int
    made: dict[str, Callable[[], str]] = field(init=False)

    def __post_init__(self) -> None:
        """Each name makes an object of its own, so that no call can spoil the next one."""
        self.made = {
            "conversation_id": lambda: self.owner.id,
            "message_id": lambda: str(self.cited),
            "number": lambda: "1",
            "ticket": lambda: str(self.ticket),
            "verb": lambda: "note",
            "job": lambda: "sweep",
            "webhook_id": self.webhook,
            "change": lambda: "disable",
            "mail_link": lambda: "nothing",
            "decision": lambda: "2000000",
            "view_id": lambda: "0" * 32,
            "form": lambda: "bug_report",
            "template": lambda: "nothing",
            "language": lambda: "en",
            "section": lambda: "nothing",
            "version": lambda: "0",
            "path": lambda: "nothing.css",
            "slug": lambda: self.published().slug,
            "article_id": lambda: self.published().id,
            "revision": lambda: "1",
            "article_verb": lambda: "reviewed",
            "suggestion_id": lambda: suggested(self.service),
            "suggestion_verb": lambda: "reject",
            "golden_id": self.golden,
            "group_id": lambda: group_in(self.service),
            "token": lambda: invited(self.service),
            "account_id": lambda: account_of(self.service).id,
            "session_id": lambda: Colleague.arrives(self.service, app=self.app).new.id,
            "invitation_id": self.invitation,
        }

    def golden(self) -> str:
        """A new golden question without protection."""
        id_, now = self.service.new_id(), self.service.now()
        wanted = Golden(f"Question {id_}?", self.published().id, protected=False)
        with self.service.database.write() as session:
            return golden.add(session, wanted, id_, by="x", now=now).id

    def published(self) -> Article:
        """A new article."""
        name = self.service.new_id()
        publish(self.service, article(name, f"Title {name}"))
        with self.service.database.read() as session:
            return session.scalars(select(Article).where(Article.external_id == name)).one()

    def webhook(self) -> str:
        """A new webhook; those before are forgotten, for there may be only so many."""
        id_, now = self.service.new_id(), self.service.now()
        with self.service.database.write() as session:
            for one in webhooks.everyone(session):
                webhooks.drop(session, one.id)
            wanted = webhooks.Wanted("Chat", "https://example.com/")
            return webhooks.add(session, wanted, Internal(), new_id=id_, secret="whsec_x", by="x", now=now).id

    def invitation(self) -> str:
        """A new invitation."""
        invited(self.service)
        with self.service.database.read() as session:
            return session.scalars(select(Invitation.id).where(Invitation.used_at.is_(None))).first() or ""

    def call(self, route: str, entry: Entry, caller: Caller) -> Any:
        """Call a route as somebody."""
        method, path = route.split(" ", 1)
        for name in [part.strip("{}") for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{name}}}", self.made[name]())
        client, csrf = self.caller(caller)
        path = path + "/nothing.css" if method == "MOUNT" else path
        headers = {"X-CSRF-Token": csrf} if csrf else {}
        sent: dict[str, Any] = {"json": entry.json} if entry.json is not None else {"data": entry.form} if entry.form is not None else {}
        address = path + (f"?{entry.query}" if entry.query else "")
        if entry.endless:
            return begun(self.app, address, dict(client.headers) | {"Cookie": "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)})
        return client.request("GET" if method == "MOUNT" else method, address, headers=headers, **sent)

    def caller(self, caller: Caller) -> tuple[TestClient, str]:
        """A browser or program, and the token of its forms."""
        client = browser_of(self.app)
        bearer = {Caller.VISITOR: self.owner.secret, Caller.OTHER: self.stranger.secret, Caller.PROGRAM: KEY}
        if caller in bearer:
            client.headers["Authorization"] = f"Bearer {bearer[caller]}"
        if caller not in STAFF:
            return client, ""
        colleague = Colleague.arrives(self.service, STAFF[caller], app=self.app)
        return colleague.client, colleague.new.csrf


def begun(app: FastAPI, address: str, headers: Mapping[str, str]) -> httpx.Response:
    """How an answer begins that may have no end; the caller hangs up then."""

    async def listen() -> httpx.Response:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        body = bytearray()

        sent = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if sent:
                return sent.pop()
            await asyncio.wait([answer])
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start" and not answer.done():
                answer.set_result(message)
            body.extend(message.get("body", b""))

        path, _, query = address.partition("?")
        raw = [(name.lower().encode(), value.encode()) for name, value in {**headers, "Host": "testserver"}.items()]
        scope = {
            "type": "http",
            "method": "GET",
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
        }
        scope |= {"headers": raw, "client": ("203.0.113.7", 40_000), "server": ("testserver", 443), "root_path": "", "http_version": "1.1"}
        call = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
        start = await answer
        if start["status"] < 400:
            call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return httpx.Response(start["status"], headers=start["headers"], content=bytes(body))

    return anyio.run(listen)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    most = {"requests_per_minute": 100_000, "conversations_per_hour": 100_000, "messages_per_minute": 10_000}
    data = tmp_path_factory.mktemp("matrix") / "data"
    with running_in(data, logins_per_account=1000, logins_per_address=10_000, **most) as running:
        publish(running, article(), faq())
        with running.database.write() as session:
            identity.create_key(session, name="tests", secret=KEY, key_id=running.new_id(), now=running.now())
        service = decided(running, Band.ANSWER)
        app = create(service)
        account_of(service, StaffRole.ADMIN)  # so that no admin of a call is the last one
        owner, stranger = (Visitor.arrives(browser_of(app)) for _ in range(2))
        cited = owner.say("How long is the trial?").json()
        assert cited["sources"], cited
        assert browser_of(app).post(f"/api/conversations/{owner.id}/handover", json={}, headers=owner.headers).status_code == 200
        ticket = browser_of(app).get(f"/api/conversations/{owner.id}/ticket", headers=owner.headers).json()
        yield World(service, app, owner, stranger, cited["id"], ticket["number"])


def routes_of(app: FastAPI) -> set[str]:
    """Every route as the matrix names it."""
    found = set()
    for route in iter_route_contexts(app.routes):
        path = str(route.path).replace(":path}", "}")
        found |= {f"{method} {path}" for method in (route.methods or {"MOUNT"}) - {"HEAD", "OPTIONS"}}
    return {RENAMED.get(route, route) for route in found}


# routes whose parameter is called like others' but means something else
RENAMED = {
    "GET /help/sections/{name}": "GET /help/sections/{section}",
    "GET /widget/articles/{name}": "GET /widget/articles/{slug}",
    "GET /desk/tickets/{number}": "GET /desk/tickets/{ticket}",
    "GET /desk/tickets/{number}/suggestions": "GET /desk/tickets/{ticket}/suggestions",
    "POST /desk/tickets/{number}/{verb}": "POST /desk/tickets/{ticket}/{verb}",
    "POST /library/articles/{article_id}/{verb}": "POST /library/articles/{article_id}/{article_verb}",
    "POST /library/suggestions/{suggestion_id}/{verb}": "POST /library/suggestions/{suggestion_id}/{suggestion_verb}",
    "GET /api/library/articles/{article_id}/revisions/{number}": "GET /api/library/articles/{article_id}/revisions/{revision}",
    "GET /help/mail/{token}": "GET /help/mail/{mail_link}",
    "POST /help/mail/{token}": "POST /help/mail/{mail_link}",
    "POST /staff/jobs/{name}/run": "POST /staff/jobs/{job}/run",
    "POST /staff/webhooks/{webhook_id}/{verb}": "POST /staff/webhooks/{webhook_id}/{change}",
}


def test_every_route_has_a_line_in_the_matrix_and_every_line_a_route(world: World) -> None:
    assert routes_of(world.app) == set(MATRIX)


@pytest.mark.parametrize("caller", list(Caller))
@pytest.mark.parametrize("route", MATRIX)
def test_a_route_lets_in_whom_the_matrix_names_and_nobody_else(world: World, route: str, caller: Caller) -> None:
    entry = MATRIX[route]
    response = world.call(route, entry, caller)
    refused = entry.expected(caller)
    if refused:
        assert response.status_code == refused, response.text[:300]
        assert response.headers["content-type"] == "application/problem+json"
    elif entry.ok:
        assert response.status_code == entry.ok, response.text[:300]
    else:
        assert response.status_code < 400, response.text[:300]
        assert not response.headers.get("location", "").startswith("/staff/login?")


@pytest.mark.parametrize("route", [route for route, entry in MATRIX.items() if entry.door is Door.STAFF and not route.startswith("GET")])
def test_what_staff_change_needs_the_token_of_their_forms(world: World, route: str) -> None:
    entry = MATRIX[route]
    client, _ = world.caller(Caller.ADMIN)
    method, path = route.split(" ", 1)
    for name in [part.strip("{}") for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", world.made[name]())
    sent: dict[str, Any] = {"json": entry.json} if entry.json is not None else {"data": entry.form}
    for headers in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""}):
        assert client.request(method, path, headers=headers, **sent).status_code == 403
    token = next(cookie.value for cookie in client.cookies.jar if cookie.name == COOKIE)
    assert token
    assert client.get("/staff/account").status_code == 200


@pytest.mark.parametrize("route", [route for route, entry in MATRIX.items() if entry.door is Door.STAFF])
def test_a_staff_route_does_not_take_the_secrets_of_others_as_a_cookie(world: World, route: str) -> None:
    entry = MATRIX[route]
    for secret in (KEY, world.owner.secret, str(world.app.state.control_token)):
        client = browser_of(world.app)
        client.cookies.set(COOKIE, secret)
        method, path = route.split(" ", 1)
        path = re.sub(r"{\w+}", "1", path)
        sent: dict[str, Any] = {"json": entry.json} if entry.json is not None else {"data": dict(entry.form or {})}
        assert client.request(method, path, **sent).status_code in {401, 422}


# ── ids inside bodies ───────────────────────────────────────────────────────────────────────────────


def names_an_object(name: str) -> bool:
    return name in {"id", "choice"} or name.endswith(("_id", "_ids"))


def id_fields(app: FastAPI) -> Iterator[str]:
    """Every field of a body that names an object."""
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        for body in dependant.body_params if dependant else ():
            model = body.field_info.annotation
            names = getattr(model, "model_fields", None) or {body.alias: None}
            for method in (route.methods or set()) - {"HEAD"}:
                yield from (f"{method} {route.path}: {name}" for name in names if names_an_object(name))


def test_every_id_inside_a_body_is_accounted_for(world: World) -> None:
    assert set(id_fields(world.app)) == set(IDS)
    assert [reason for reason in IDS.values() if reason.startswith("test_") and reason not in globals()] == []


def test_a_message_name_of_another_conversation_is_a_new_message(world: World) -> None:
    first = Visitor.arrives(browser_of(world.app)).say("How long is the trial?", client_message_id="the-same")
    other = world.stranger.say("How do I ask for a refund?", client_message_id="the-same")
    assert (first.status_code, other.status_code) == (200, 200)
    assert first.json()["id"] != other.json()["id"]
    assert "14 days" not in other.json()["text"]


def test_a_choice_of_another_conversation_opens_only_what_is_published(world: World) -> None:
    with world.service.database.read() as session:
        secret = session.scalars(select(Article).where(Article.title == "How long is the trial?")).one()
    response = world.stranger.say("something else", choice=secret.id)
    assert response.status_code == 200
    unknown = world.stranger.say("something else again", choice="0" * 32)
    assert unknown.status_code in {200, 404, 422}


def test_a_form_sent_again_by_a_stranger_tells_no_secret(world: World) -> None:
    first = browser_of(world.app).post("/api/forms/bug_report", json={**FORM, "client_id": "another-form-of-somebody"})
    again = browser_of(world.app).post("/api/forms/bug_report", json={**FORM, "client_id": "another-form-of-somebody"})
    assert first.json()["secret"]
    assert (again.json()["secret"], again.json()["conversation_id"]) == (None, None)


def test_a_thumb_of_another_article_is_left_alone(world: World) -> None:
    one, other = world.published(), world.published()
    client = browser_of(world.app)
    client.post(f"/help/{one.slug}/feedback", data={"helpful": "no"})
    with world.service.database.read() as session:
        thumb = session.scalars(select(ArticleFeedback).where(ArticleFeedback.article_id == one.id)).one()
    client.post(f"/help/{other.slug}/feedback", data={"helpful": "no", "id": thumb.id, "reason": "not mine"})
    with world.service.database.read() as session:
        assert session.get_one(ArticleFeedback, thumb.id).reason == ""


def test_a_message_of_another_conversation_cannot_be_rated_or_opened_through_ones_own(world: World) -> None:
    mine = f"/api/conversations/{world.stranger.id}/messages/{world.cited}"
    rated = browser_of(world.app).post(f"{mine}/feedback", json={"helpful": True}, headers=world.stranger.headers)
    assert rated.status_code == 404
    path = f"/widget/conversations/{world.stranger.id}/messages/{world.cited}/sources/1"
    assert browser_of(world.app).get(path, headers=world.stranger.headers).status_code == 404


def test_sessions_of_the_matrix_last_as_long_as_those_of_the_settings(world: World) -> None:
    api = world.service.settings.api
    assert (LASTING.whole.total_seconds(), LASTING.idle.total_seconds()) == (api.session_hours * 3600, api.session_idle_hours * 3600)
