"""What every route may ask of the app: the service, and how often the caller may still call."""

from dataclasses import dataclass

from fastapi import Request

from api import identity
from api.bootstrap import Service
from api.limits import Rate


@dataclass(frozen=True)
class Limits:
    """The rates of this server."""

    requests: Rate
    conversations: Rate
    messages: Rate
    logins: Rate
    logins_by_account: Rate


def service_of(request: Request) -> Service:
    """The service this app was made for."""
    found = request.app.state.service
    assert isinstance(found, Service)  # noqa: S101 - set by the app factory
    return found


def limits(request: Request) -> Limits:
    """The rates of this app."""
    found = request.app.state.limits
    assert isinstance(found, Limits)  # noqa: S101 - set by the app factory
    return found


def limits_address(request: Request) -> None:
    """Count a request of this address. Raise TooMany."""
    limits(request).requests.take(identity.address(request, service_of(request).settings.api.proxies))
