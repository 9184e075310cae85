"""How much and how often: a cap on request bodies before they are parsed, and rates per caller."""

import hmac
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import TooMany, problem

MOST_CALLERS = 50_000  # callers remembered at once; the longest unseen is forgotten first


class BodyLimit:
    """Refuses a body that is larger than allowed, whether it says so in advance or not."""

    def __init__(self, app: ASGIApp, *, most: int, most_internal: int, control_token: str) -> None:
        """`most` bytes for everybody; `most_internal` for the command line, which shows the token."""
        self.app, self.most, self.most_internal = app, most, most_internal
        self._control = f"Bearer {control_token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting its bytes."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        trusted = hmac.compare_digest(headers.get(b"authorization", b""), self._control)
        most = self.most_internal if trusted else self.most
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            await self._refuse(scope, receive, send, most)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > most:
                await self._refuse(scope, receive, send, most)
                return
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        await self.app(scope, _replay({**message, "body": bytes(body)} if message["type"] == "http.request" else message, receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, most: int) -> None:
        response = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is larger than {most} bytes")
        await response(scope, receive, send)


def _replay(first: Message, receive: Receive) -> Receive:
    """The body that was read already, then whatever comes."""
    waiting = [first]

    async def read() -> Message:
        return waiting.pop() if waiting else await receive()

    return read


class Rate:
    """At most `most` events per caller in `seconds`, counted in a token bucket that refills evenly."""

    def __init__(self, what: str, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`what` names the events in the error."""
        self.what, self.most, self.seconds, self.clock = what, most, seconds, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one event. Raise TooMany when the caller has used up the allowance."""
        now = self.clock()
        with self._lock:
            tokens, then = self._buckets.pop(caller, (float(self.most), now))
            tokens = min(float(self.most), tokens + (now - then) * self.most / self.seconds)
            self._buckets[caller] = (tokens - 1 if tokens >= 1 else tokens, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        if tokens < 1:
            raise TooMany(max(1, math.ceil((1 - tokens) * self.seconds / self.most)), self.what)
