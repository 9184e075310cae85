"""What the browser tests share: a server, host pages of another origin, and a window with the panel in it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from api.bootstrap import Service
from assistant import handover
from assistant.handover import AgentReply
from escalation import tickets
from escalation.tables import TicketState
from knowledge.confidence import Band
from knowledge.search import Found
from tests.builders import Decided

PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}


class ByWords(Decided):
    """Whether an answer is sure enough is decided by words in the question, so that each state can be shown at will."""

    def find(self, question: str, vectors: Any, **more: Any) -> Found:
        """Found by the library, in the band that the question asks for."""
        lowered = question.lower()
        band = Band.UNSURE if "perhaps" in lowered else Band.NOT_COVERED if "weather" in lowered else Band.ANSWER
        found: Found = self.library.find(question, vectors, **more)
        return replace(found, band=band)


@dataclass
class Site:
    """The server under test, and pages of another origin that embed its widget."""

    url: str
    hosts: str
    service: Service
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def host(self, body: str = "", *, head: str = "", attributes: str = "", csp: str = "", lang: str = "en", widget: bool = True) -> str:
        """The address of a host page with the widget on it."""
        name = f"/{len(self.pages)}"
        script = f'<script async src="{self.url}/widget.js" {attributes}></script>' if widget else ""
        meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>'
        html = f'<!doctype html><html lang="{lang}"><head>{meta}{head}{script}</head><body>{body}</body></html>'
        self.pages[name] = (html, {"Content-Security-Policy": csp} if csp else {})
        return self.hosts + name

    def answer(self, conversation_id: str, text: str, then: TicketState | None = None) -> None:
        """What an agent sends from the desk."""
        with self.service.database.write() as session:
            ticket = tickets.of_conversation(session, conversation_id)
            assert ticket is not None
            reply = AgentReply(text, "agent-1", "Kim Lee", then)
            handover.answer(session, ticket, reply, now=self.service.now(), expected_version=ticket.version)


@contextmanager
def hosting(pages: dict[str, tuple[str, dict[str, str]]]) -> Iterator[str]:
    """Pages on an origin of their own, but of the same site: a support server usually is a subdomain of the shop's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html, headers = pages.get(self.path.partition("?")[0], ("", {}))
            self.send_response(200 if html else 204)  # a browser also asks for a favicon
            for name, value in {"Content-Type": "text/html; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@dataclass
class Window:
    """A browser window, and what happened in it."""

    page: Any
    site: Site
    errors: list[str]
    requests: list[str]

    @property
    def launcher(self) -> Any:
        """The round button."""
        return self.page.locator("firstline-widget .launcher")

    @property
    def frame(self) -> Any:
        """The panel's page."""
        return self.page.frame_locator("firstline-widget iframe")

    @property
    def inner(self) -> Any:
        """The panel's frame, for scripts."""
        return next(frame for frame in self.page.frames if "/widget/panel" in frame.url)

    def opened(self, url: str = "") -> "Window":
        """The panel, opened on a host page."""
        self.page.goto(url or self.site.host("<main><h1>Shop</h1></main>"))
        self.launcher.click()
        self.frame.locator("h1").first.wait_for()
        return self

    def talking(self, url: str = "") -> "Window":
        """The conversation, opened."""
        self.opened(url)
        self.frame.locator(".talk").click()
        self.input.wait_for()
        return self

    @property
    def input(self) -> Any:
        """Where a visitor writes."""
        return self.frame.locator(".composer textarea")

    def say(self, text: str) -> None:
        """Write and send."""
        self.input.fill(text)
        self.input.press("Enter")

    @property
    def conversation(self) -> str:
        """The id of the conversation that the panel holds."""
        found: str = self.inner.evaluate("JSON.parse(localStorage.firstline).conversation.id")
        return found

    def called(self) -> str:
        """A visitor who was offered a person and took the offer; the id of the conversation."""
        self.talking().say("weather in Lisbon")
        self.frame.locator(".offer button").click()
        self.frame.locator(".message.handover .ticket").wait_for()
        return self.conversation

    def replies(self, count: int) -> list[str]:
        """The texts of the replies once there are so many."""
        self.frame.locator(".message.assistant .text").nth(count - 1).wait_for()
        found: list[str] = self.frame.locator(".message.assistant .text").all_inner_texts()
        return found
