"""The conversations that a browser holds without a script: their secrets in one cookie, the latest first."""

import re

from fastapi import Request, Response
from sqlalchemy.orm import Session

from api.context import service_of
from api.identity import is_secure
from assistant import conversation
from assistant.conversation import NoSuchConversation
from assistant.tables import Conversation

COOKIE, PLAIN_COOKIE = "__Host-firstline-tickets", "firstline-tickets"
MOST = 6
SECONDS = 90 * 86_400
SECRET = re.compile(r"[A-Za-z0-9_-]{32,100}")


def secrets_of(request: Request) -> list[str]:
    """The secrets in the browser's cookie, the latest first; what is no secret is left out."""
    name = COOKIE if _is_secure(request) else PLAIN_COOKIE
    return [part for part in request.cookies.get(name, "").split(".") if SECRET.fullmatch(part)][:MOST]


def held(session: Session, request: Request) -> list[Conversation]:
    """The conversations that this browser may read, the latest first; erased ones are left out."""
    found = []
    for secret in secrets_of(request):
        try:
            found.append(conversation.by_secret(session, secret))
        except NoSuchConversation:
            continue
    return found


def one_of(session: Session, request: Request, conversation_id: str) -> Conversation:
    """The conversation with this id, if this browser holds it. Raise NoSuchConversation."""
    for found in held(session, request):
        if found.id == conversation_id:
            return found
    raise NoSuchConversation("this browser holds no such conversation")


def hold(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep one more; the longest unused go."""
    secure = _is_secure(request)
    kept = list(dict.fromkeys([secret, *secrets_of(request)]))[:MOST]
    name = COOKIE if secure else PLAIN_COOKIE
    response.set_cookie(name, ".".join(kept), max_age=SECONDS, path="/", secure=secure, httponly=True, samesite="lax")


def _is_secure(request: Request) -> bool:
    return is_secure(request.scope, service_of(request).settings.api.proxies)
