"""Who is calling: a visitor by the secret of a conversation, a program by its API key, and from which address."""

import hmac
import ipaddress
from collections.abc import Sequence
from datetime import datetime

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import Headers
from starlette.types import Scope

from api.errors import Unauthorised
from api.tables import ApiKey
from assistant import conversation
from assistant.conversation import NoSuchConversation, hash_secret
from assistant.tables import Conversation

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def bearer(request: Request) -> str:
    """The token of the Authorization header. Raise Unauthorised."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorised("this needs an Authorization header with a bearer token")
    return token.strip()


def visitor(session: Session, request: Request, conversation_id: str) -> Conversation:
    """The conversation that the caller's secret opens. Raise Unauthorised; NoSuchConversation for another's id."""
    try:
        found = conversation.by_secret(session, bearer(request))
    except NoSuchConversation as error:
        raise Unauthorised("this secret opens no conversation") from error
    if not hmac.compare_digest(found.id.encode(), conversation_id.encode("utf-8", "replace")):
        raise NoSuchConversation("no such conversation")
    return found


def program(session: Session, request: Request) -> ApiKey:
    """The API key that the caller holds. Raise Unauthorised."""
    query = select(ApiKey).where(ApiKey.key_hash == hash_secret(bearer(request)), ApiKey.revoked_at.is_(None))
    key = session.scalar(query)
    if key is None:
        raise Unauthorised("this API key is unknown or was revoked")
    return key


def create_key(session: Session, *, name: str, secret: str, key_id: str, now: datetime) -> ApiKey:
    """A new API key; only its hash is kept."""
    key = ApiKey(id=key_id, name=name, key_hash=hash_secret(secret), created_at=now)
    session.add(key)
    return key


def address(request: Request, proxies: Sequence[Network]) -> str:
    """The caller's address, in the form that rates are counted by: an IPv6 caller by its /64 network.

    X-Forwarded-For is believed only from a trusted proxy, read from its right end.
    """
    hops = [h.strip() for line in request.headers.getlist("x-forwarded-for") for h in line.split(",") if h.strip()]
    at = request.client.host if request.client else ""
    while hops and _within(at, proxies):
        at = hops.pop()
    parsed = _parsed(at)
    if parsed is None:
        return at[:64]
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)  # noqa: PLR2004


def is_secure(scope: Scope, proxies: Sequence[Network]) -> bool:
    """Whether the caller's browser came over https; X-Forwarded-Proto is believed only from a trusted proxy."""
    if scope.get("scheme") == "https":
        return True
    peer = (scope.get("client") or ("", 0))[0]
    told = [part.strip().lower() for line in Headers(scope=scope).getlist("x-forwarded-proto") for part in line.split(",")]
    return bool(told) and told[-1] == "https" and _within(peer, proxies)


def _within(text: str, networks: Sequence[Network]) -> bool:
    parsed = _parsed(text)
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; an IPv4 caller of an IPv6 socket (::ffff:192.0.2.1) is an IPv4 caller."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None) or found
