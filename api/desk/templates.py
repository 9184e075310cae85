"""Reply templates at the desk: every one with whose it is, and their placeholders filled from a ticket."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.staff.sessions import Signed
from assistant.wording import words
from escalation import queues, replies
from escalation.replies import KNOWN, Preview, ReplyKind, Template
from escalation.tables import ReplyTemplate, Ticket

MEANS: Mapping[str, str] = {
    "name": "the visitor's name",
    "number": "the ticket's number",
    "issue": "what they want, in a few words",
    "timeframe": "when they will hear from you",
    "outcome": "what the solution is, in half a sentence",
    "explanation": "how it works, or what was wrong",
    "tip": "something that may help next time",
    "team": "who continues",
    "workaround": "what helps until then",
    "agent": "your name",
}
LONGEST_ISSUE = 80  # characters of a goal that still reads as part of a sentence


@dataclass(frozen=True)
class Kept:
    """A template; `own` when agents wrote it, `hides` when a shipped one of that name is behind it."""

    template: Template
    own: bool
    hides: bool = False


def every(session: Session) -> list[Kept]:
    """All that can be picked, by name, then language; an own one stands in place of the shipped one of its name."""
    found = {key: Kept(template, own=False) for key, template in replies.shipped().items()}
    for row in session.scalars(select(ReplyTemplate)):
        key = (row.name, row.language)
        found[key] = Kept(Template(row.name, ReplyKind(row.kind), row.language, row.text), own=True, hides=key in replies.shipped())
    return [found[key] for key in sorted(found)]


def values_for(ticket: Ticket, me: Signed) -> dict[str, str]:
    """What the ticket knows of a template's placeholders, in the visitor's words."""
    titles = words("queues", ticket.language)
    found = queues.load().get(ticket.queue)
    issue = (ticket.goal or ticket.symptom or "").strip().rstrip(".")
    known = {
        "name": ticket.contact_name or "",
        "number": str(ticket.number),
        "issue": issue if len(issue) <= LONGEST_ISSUE else "",
        "team": titles.get(ticket.queue, found.title if found else ticket.queue),
        "agent": me.name,
    }
    return {name: value for name, value in known.items() if value}


def filled(session: Session, name: str, ticket: Ticket, me: Signed, given: Mapping[str, str]) -> tuple[Template, Preview]:
    """A template in the ticket's language with the ticket's values, those given by hand before them. Raise NoSuchTemplate."""
    template = replies.get(session, name, ticket.language)
    told = {key: value.strip() for key, value in given.items() if key in KNOWN and value.strip()}
    return template, replies.preview(template, {**values_for(ticket, me), **told})
