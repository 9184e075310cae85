"""What the desk's pages have in common: the words they use, the filters in their address, and how a mistake is told on a page."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from sqlalchemy.orm import Session

from api import errors, live
from api.context import service_of
from api.desk import clock_words, saved_views
from api.desk import words as desk_words
from api.desk import worklist as views
from api.desk.worklist import Filters, View
from api.help.rendering import article_html
from api.staff import door as staff
from api.staff.sessions import Signed
from escalation import datafile, queues
from escalation.tables import Priority, Reason, Ticket, TicketState
from escalation.tickets import StaleVersion

KEYS_COOKIE = "firstline-keys"
OFF = "off"
VIEW_TITLES: Mapping[str, str] = {
    View.MINE: "Mine",
    View.UNASSIGNED: "Unassigned",
    View.OPEN: "All open",
    View.WAITING: "Waiting",
    View.RESOLVED: "Resolved",
    View.CLOSED: "Closed",
    View.ALL: "All",
}
SAID: Mapping[str, str] = {
    "reply": "Sent. The visitor reads it in the conversation.",
    "note": "The note is kept.",
    "assign": "The ticket has a new assignee.",
    "move": "The ticket is moved on.",
    "queue": "The ticket is in another queue.",
    "priority": "The priority is changed.",
    "tags": "The tags are changed.",
    "fields": "What is known of it is changed.",
    "contact": "Who asks is changed.",
    "merge": "The ticket was merged; this one has both conversations.",
    "link": "The ticket hangs on the incident; a reply to the incident reaches its visitor too.",
    "unlink": "The ticket hangs on no incident any more.",
    "escalate": "The next tier is called.",
    "faq": "Noted: its answer should become a FAQ.",
    "judged": "Thank you: your judgement counts into the policy's precision.",
    "view": "The view is kept.",
    "view-dropped": "The view is dropped.",
    "template": "The template is kept.",
    "template-dropped": "The template is dropped.",
    "keys-on": "Keyboard shortcuts are on.",
    "keys-off": "Keyboard shortcuts are off.",
}
STALE = "Somebody changed this ticket since you opened it, so nothing was done. This is how it stands now; please look and repeat."
OWN_PARAMETERS = frozenset({"said", "template", "tab", "suggest"})


def filters_of(request: Request) -> Filters:
    """What the address filters by."""
    return Filters.read(request.query_params)


def kept_query(request: Request) -> str:
    """The part of an address that filters the list beside a ticket; empty when none was chosen."""
    chosen = {"view", *views.NAMES} & set(request.query_params)
    return filters_of(request).query() if chosen else ""


def with_query(path: str, *queries: str, **more: str) -> str:
    """A path with queries joined; what is empty is left out."""
    told = [query for query in (*queries, urlencode({name: value for name, value in more.items() if value})) if query]
    return path + ("?" + "&".join(told) if told else "")


def page(request: Request, name: str, me: Signed, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """A page of the desk; what `said` in the address names is told above it."""
    shown: dict[str, Any] = {
        "w": desk_words,
        "here": "/desk",
        "keys": request.cookies.get(KEYS_COOKIE) != OFF,
        "flash": SAID.get(request.query_params.get("said", ""), ""),
        "kept": kept_query(request),
        "with_query": with_query,
        "rendered": rendered,
        "clock": lambda line: clock_words.told(line.next_clock, line.clock_state, due_of(line), service_of(request).now()),
        "clock_row": lambda row: clock_words.of_row(row, service_of(request).now()),
        "length": lambda seconds: datafile.words(timedelta(seconds=seconds)),
        "zoned": lambda moment: zoned(moment, service_of(request).settings.sla_book().profile.calendar.zone),
        "view_titles": VIEW_TITLES,
        **values,
    }
    return staff.page(request, name, me, status, **shown)


def due_of(line: Any) -> datetime | None:
    """When the next clock of a ticket, or of a line of a list, is due."""
    due: datetime | None = line.next_due_at if isinstance(line, Ticket) else line.due_at
    return due


def zoned(moment: datetime, zone: ZoneInfo) -> str:
    """A moment by the clock of the operator's zone, which is named; the desk's script puts the agent's own in its place."""
    return f"{moment.astimezone(zone):%a %d %b, %H:%M} ({zone.key})"


def choices() -> dict[str, Any]:
    """What a ticket can be given: for selects."""
    return {
        "queues": {queue.id: queue.title for queue in queues.load().values()},
        "priorities": list(reversed(Priority)),
        "reasons": list(Reason),
        "states": list(TicketState),
    }


def queue_values(session: Session, me: Signed, filters: Filters) -> dict[str, Any]:
    """A worklist with everything around it."""
    return {
        "work": views.worklist(session, filters, me.account_id),
        "saved": saved_views.of(session, me.account_id),
        "agents": views.agents(session),
        "after_event": live.newest_ticket_event(session),
    }


def beside_values(session: Session, me: Signed, filters: Filters, names: Mapping[str, str]) -> dict[str, Any]:
    """What stands beside a ticket; nothing is counted there."""
    return {
        "work": views.page(session, filters, me.account_id, names),
        "agents": views.agents(session),
        "after_event": live.newest_ticket_event(session),
    }


def missing(request: Request, me: Signed, why: str) -> HTMLResponse:
    """That something is not there."""
    return page(request, "desk/missing.html", me, HTTPStatus.NOT_FOUND, why=why)


def told(error: Exception) -> tuple[int, str]:
    """Status and sentence of a mistake on a page."""
    if isinstance(error, StaleVersion):
        return HTTPStatus.CONFLICT, STALE
    sentence = str(error)
    return errors.STATUS[type(error)], sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith(".") else ".")


MISTAKES = tuple(errors.STATUS)


def rendered(markdown: str) -> Markup:
    """A reply of the assistant as safe HTML: it quotes Markdown of articles."""
    return Markup(article_html(markdown, lambda _: None))  # noqa: S704 - sanitised by article_html


def go(path: str, *queries: str, **more: str) -> RedirectResponse:
    """To another page of the desk."""
    return staff.go(with_query(path, *queries, **more))


def policies(request: Request) -> Mapping[str, Any]:
    """The guard's policies by id."""
    return service_of(request).assistant.guard.policies
