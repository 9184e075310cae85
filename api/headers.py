"""Which security headers an answer has, by its class: one table, and the middleware that fills in what a route has not set itself."""

from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOSNIFF = {"X-Content-Type-Options": "nosniff"}
QUIET = {**NOSNIFF, "Referrer-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=(), geolocation=()"}
OWN = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; object-src 'none'"
TRUSTED = "require-trusted-types-for 'script'"

# what a program reads: answers of the interface, health, problems
API = {
    **NOSNIFF,
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# what everybody reads: help centre, HTTP interface
PUBLIC = {**QUIET, "Content-Security-Policy": f"{OWN}; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; {TRUSTED}"}
DEMO = {**QUIET, "Content-Security-Policy": f"{OWN}; frame-src 'self'; form-action 'none'; frame-ancestors 'none'; {TRUSTED}"}
# what only staff read
STAFF = {
    **QUIET,
    "Content-Security-Policy": f"{OWN}; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; {TRUSTED}",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# scripts, style sheets, pictures; the loader is for pages of other origins
ASSET = {**NOSNIFF, "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
LOADER = {
    **ASSET,
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PICTURE = {**NOSNIFF, "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}


def frame(origins: Sequence[str] = ()) -> dict[str, str]:
    """The widget's panel, which only pages of this server and of these origins may frame."""
    policy = f"{OWN}; connect-src 'self'; form-action 'none'; {TRUSTED}; trusted-types 'none'; frame-ancestors 'self'"
    return {**QUIET, "Content-Security-Policy": " ".join((policy, *origins)), "Cache-Control": "no-cache"}


STAFF_PATHS = ("/staff", "/desk", "/library", "/overview")
ASSET_PATHS = ("/assets/", "/static/", "/widget.js", "/theme.css", "/favicon.svg")
API_PATHS = ("/api/", "/internal/", "/widget/", "/livez", "/readyz", "/openapi.json", "/metrics")
BY_PATH: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    (STAFF_PATHS, STAFF),
    (ASSET_PATHS, ASSET),
    (("/widget/panel",), frame()),
    (API_PATHS, API),
    (("/demo",), DEMO),
    (("/",), PUBLIC),
)
ENCRYPTED_ONLY = {"Strict-Transport-Security": "max-age=31536000"}


def class_of(path: str, media_type: str) -> Mapping[str, str]:
    """The headers an answer must have: JSON is for programs, wherever it comes from."""
    if media_type.partition(";")[0].strip() in {"application/json", "application/problem+json"}:
        return API
    return next(found for starts, found in BY_PATH if path.startswith(starts))


class SecurityHeaders:
    """Gives every answer the headers of its class that its route has not set."""

    def __init__(self, app: ASGIApp, *, is_secure: Callable[[Scope], bool]) -> None:
        """`is_secure` says whether the browser came over https."""
        self.app, self.is_secure = app, is_secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(scope, MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, with_headers)

    def _complete(self, scope: Scope, headers: MutableHeaders) -> None:
        wanted = class_of(scope["path"], headers.get("content-type", ""))
        for name, value in {**wanted, **(ENCRYPTED_ONLY if self.is_secure(scope) else {})}.items():
            headers.setdefault(name, value)
