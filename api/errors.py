"""Domain errors → HTTP problems (RFC 9457), in one table; nothing of the request's text is echoed."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from starlette.exceptions import HTTPException

from api.desk.errors import BadForm, NoSuchView, NotAnAgent, TooManyViews
from api.headers import API
from api.jobs.leases import NoSuchJob
from api.library.errors import MergeItself, NoSuchGroup, StaleArticle
from api.messages.webhooks import BadWebhook, NoSuchWebhook
from api.staff.accounts import NoSuchAccount
from assistant.conversation import NoSuchConversation, NoSuchMessage, SameIdOtherText, TooLong
from escalation.outbox import NoSuchDelivery
from escalation.queues import NoSuchQueue
from escalation.replies import MissingPlaceholder, NoSuchTemplate, UnknownPlaceholder
from escalation.tickets import AlreadyOpen, IllegalMove, NoSuchTicket, StaleVersion
from escalation.work import NoSuchField
from guardrails.ledger import UnknownDecision
from knowledge.articles import AlreadyThere, EditedConflict, NoSuchArticle, NoSuchRevision, NotReviewed
from knowledge.deciding import ArticleChanged, NoReviewer, NotPublished, Unsupported
from knowledge.golden import Blank, BreaksProtected, NoSuchGolden, StillProtected
from knowledge.suggestions import AlreadyDecided, NoSuchSuggestion, StaleSuggestion

log = structlog.get_logger()

STATUS: dict[type[Exception], HTTPStatus] = {
    NoSuchConversation: HTTPStatus.NOT_FOUND,
    NoSuchMessage: HTTPStatus.NOT_FOUND,
    SameIdOtherText: HTTPStatus.CONFLICT,
    TooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchArticle: HTTPStatus.NOT_FOUND,
    NoSuchRevision: HTTPStatus.NOT_FOUND,
    EditedConflict: HTTPStatus.CONFLICT,
    BreaksProtected: HTTPStatus.CONFLICT,
    NoSuchGolden: HTTPStatus.NOT_FOUND,
    StillProtected: HTTPStatus.CONFLICT,
    Blank: HTTPStatus.UNPROCESSABLE_ENTITY,
    AlreadyThere: HTTPStatus.CONFLICT,
    NotReviewed: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchAccount: HTTPStatus.NOT_FOUND,
    NoSuchTicket: HTTPStatus.NOT_FOUND,
    NoSuchQueue: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchField: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchTemplate: HTTPStatus.NOT_FOUND,
    UnknownPlaceholder: HTTPStatus.UNPROCESSABLE_ENTITY,
    MissingPlaceholder: HTTPStatus.UNPROCESSABLE_ENTITY,
    IllegalMove: HTTPStatus.CONFLICT,
    StaleVersion: HTTPStatus.CONFLICT,
    AlreadyOpen: HTTPStatus.CONFLICT,
    UnknownDecision: HTTPStatus.NOT_FOUND,
    NoSuchView: HTTPStatus.NOT_FOUND,
    NotAnAgent: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyViews: HTTPStatus.CONFLICT,
    BadForm: HTTPStatus.UNPROCESSABLE_ENTITY,
    StaleArticle: HTTPStatus.CONFLICT,
    NoSuchSuggestion: HTTPStatus.NOT_FOUND,
    NoSuchGroup: HTTPStatus.NOT_FOUND,
    StaleSuggestion: HTTPStatus.CONFLICT,
    AlreadyDecided: HTTPStatus.CONFLICT,
    ArticleChanged: HTTPStatus.CONFLICT,
    NotPublished: HTTPStatus.CONFLICT,
    Unsupported: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoReviewer: HTTPStatus.UNPROCESSABLE_ENTITY,
    MergeItself: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchWebhook: HTTPStatus.NOT_FOUND,
    BadWebhook: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchDelivery: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
}

DATABASE_DOWN = (OperationalError, InterfaceError, NoFreeConnection)


class Unauthorised(Exception):
    """No key, or not the right one."""


class ForeignForm(Exception):
    """A form came from another site."""


class TooMany(Exception):
    """More requests than allowed; `retry_after` is in seconds."""

    def __init__(self, retry_after: int, what: str) -> None:
        """`what` is counted: messages, conversations, requests."""
        super().__init__(f"too many {what}; try again in {retry_after} seconds")
        self.retry_after = retry_after


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem document; its type is about:blank, so the title is the status' own phrase."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json", headers={**API, **(headers or {})})


def told(request: Request, error: Exception) -> Response:
    """The problem document of an error that cannot leave the app as an exception, because the response has begun."""
    if type(error) in STATUS:
        return _domain(request, error)
    return _database_down(request, error) if isinstance(error, DATABASE_DOWN) else _unexpected(request, error)


def install(app: FastAPI) -> None:
    """Every error that leaves the app is a problem document."""
    for kind in STATUS:
        app.add_exception_handler(kind, _domain)
    app.add_exception_handler(Unauthorised, _unauthorised)
    app.add_exception_handler(ForeignForm, _forbidden)
    app.add_exception_handler(TooMany, _too_many)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in DATABASE_DOWN:
        app.add_exception_handler(kind, _database_down)
    app.add_exception_handler(Exception, _unexpected)


def _forbidden(_request: Request, error: Exception) -> Response:
    return problem(HTTPStatus.FORBIDDEN, str(error))


def _domain(_request: Request, error: Exception) -> Response:
    return problem(STATUS[type(error)], str(error))


def _unauthorised(_request: Request, error: Exception) -> Response:
    return problem(HTTPStatus.UNAUTHORIZED, str(error), headers={"WWW-Authenticate": "Bearer"})


def _too_many(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TooMany)  # noqa: S101 - registered for this type only
    return problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), headers={"Retry-After": str(error.retry_after)})


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    wrong = [{"where": ".".join(str(part) for part in e["loc"]), "what": str(e["msg"])} for e in error.errors()[:20]]
    detail = "; ".join(f"{e['where']}: {e['what']}" for e in wrong[:3])
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, _safe(detail), errors=[{k: _safe(v) for k, v in e.items()} for e in wrong])


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    return problem(error.status_code, str(error.detail), headers=dict(error.headers) if error.headers else None)


def _database_down(_request: Request, error: Exception) -> Response:
    log.error("database_unavailable", error=type(error).__name__)
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer; nothing was lost, please try again.", headers={"Retry-After": "2"}
    )


def _unexpected(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "")  # not the address itself: links for new staff hold a token
    log.error("unexpected_error", path=route, error=type(error).__name__, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.")


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
