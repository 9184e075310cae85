"""The app factory: routes, errors and limits around one service."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from api import errors, identity
from api.bootstrap import Service, new_secret
from api.context import Limits
from api.errors import problem
from api.headers import SecurityHeaders
from api.limits import BodyLimit, Rate
from api.live import Pulse
from api.routes import (
    articles,
    chat,
    desk,
    desk_api,
    desk_tickets,
    docs,
    golden,
    handover,
    health,
    internal,
    library,
    library_api,
    library_suggestions,
    loop,
    operations_pages,
    overview,
    panel,
    people,
    reply_templates,
    trials,
    visitor_links,
    webhook_api,
    widget,
)
from api.routes import forms as help_forms
from api.routes import help as help_pages
from api.routes import staff as staff_pages
from api.shapes import Problem
from api.staff import door as staff
from api.staff.door import COOKIE

INTERNAL_BODY_BYTES = 268_435_456  # a batch of articles with their images, from the same machine
DESCRIPTION = "Ask questions that are answered from help articles with their source, and keep those articles."


def create(service: Service, *, control_token: str | None = None) -> FastAPI:
    """The app for a service. `control_token` lets the command line on this machine in; random when not given."""
    app = FastAPI(title="Firstline", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.state.service = service
    app.state.control_token = control_token or new_secret()
    api = service.settings.api
    app.state.pulse = Pulse(service.database)
    app.state.limits = Limits(
        requests=Rate("requests", api.requests_per_minute, 60),
        conversations=Rate("conversations", api.conversations_per_hour, 3600),
        messages=Rate("messages", api.messages_per_minute, 60),
        logins=Rate("attempts to sign in", api.logins_per_address, 900),
        logins_by_account=Rate("attempts to sign in", api.logins_per_account, 900),
    )
    for module in (
        *(chat, handover, articles, internal, health, docs, widget, panel, staff_pages, people),
        *(desk, overview, loop, reply_templates, desk_tickets, desk_api),
        *(trials, library, library_suggestions, library_api, golden, help_forms, help_pages),
        *(visitor_links, operations_pages, webhook_api),
    ):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.add_middleware(JsonOnly)
    app.add_middleware(PlainPath)
    app.add_middleware(BodyLimit, most=api.body_bytes, most_internal=INTERNAL_BODY_BYTES, control_token=app.state.control_token)
    app.add_middleware(SecurityHeaders, is_secure=lambda scope: identity.is_secure(scope, api.proxies))
    errors.install(app)
    staff.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


class PlainPath:
    """Nothing is stored under a name with a NUL in it, and Postgres refuses even to look: so such an address leads nowhere."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on every other address."""
        if scope["type"] == "http" and "\0" in scope["path"]:
            await problem(404, "Not Found")(scope, receive, send)
            return
        await self.app(scope, receive, send)


class JsonOnly:
    """A body sent to the interface must say that it is JSON: a form posted across sites cannot (FastAPI CVE-2021-32677)."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is JSON or has no body."""
        if scope["type"] == "http" and scope["method"] in {"POST", "PUT", "PATCH"} and scope["path"].startswith(("/api/", "/internal/")):
            kind = Request(scope).headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                await problem(415, "send JSON, with Content-Type: application/json")(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The schema, with the problem document that every error is, and the two kinds of bearer tokens."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(unused, None)
        schema["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "staff; unsafe requests also send X-CSRF-Token"},
        }
        for path, methods in schema["paths"].items():
            for operation in methods.values():
                if "401" in operation["responses"]:
                    operation["security"] = [{"session": []} if path.startswith(("/api/desk", "/api/library")) else {"bearer": []}]
                _drop_default_422(path, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _drop_default_422(_path: str, operation: dict[str, Any]) -> None:
    content = operation["responses"].get("422", {}).get("content", {})
    content.pop("application/json", None)
    if "422" in operation["responses"] and not content:
        operation["responses"]["422"]["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
