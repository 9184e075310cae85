"""The desk's words for what the tables keep as codes: states, reasons, outcomes, events."""

from collections.abc import Mapping
from typing import Any

from api.desk import clock_words
from assistant.tables import Outcome
from escalation import calendars, queues
from escalation.tables import EventKind, Priority, Reason, TicketEvent, TicketState

STATES: Mapping[str, str] = {
    TicketState.OPEN: "Open",
    TicketState.ACKNOWLEDGED: "Acknowledged",
    TicketState.IN_DIAGNOSIS: "In diagnosis",
    TicketState.WAITING_CUSTOMER: "Waiting for customer",
    TicketState.WAITING_THIRD_PARTY: "Waiting for third party",
    TicketState.RESOLVED: "Resolved",
    TicketState.CLOSED: "Closed",
}
STATE_BADGES: Mapping[str, str] = {
    TicketState.OPEN: "open",
    TicketState.ACKNOWLEDGED: "info",
    TicketState.IN_DIAGNOSIS: "info",
    TicketState.WAITING_CUSTOMER: "waiting",
    TicketState.WAITING_THIRD_PARTY: "waiting",
    TicketState.RESOLVED: "solved",
    TicketState.CLOSED: "plain",
}
MOVE_TO: Mapping[str, str] = {
    TicketState.OPEN: "Reopen",
    TicketState.ACKNOWLEDGED: "Acknowledge",
    TicketState.IN_DIAGNOSIS: "Start diagnosis",
    TicketState.WAITING_CUSTOMER: "Wait for customer",
    TicketState.WAITING_THIRD_PARTY: "Wait for third party",
    TicketState.RESOLVED: "Resolve",
    TicketState.CLOSED: "Close",
}
PRIORITIES: Mapping[str, str] = {one: one.capitalize() for one in reversed(Priority)}
REASONS: Mapping[str, str] = {
    Reason.POLICY_HANDOVER: "Policy hands over",
    Reason.FORM: "Form",
    Reason.ASKED: "Asked for a person",
    Reason.UNKNOWN_LANGUAGE: "Unknown language",
    Reason.POLICY_REFUSED: "Policy refused",
    Reason.POLICY_ROUTED: "Policy routes",
    Reason.NOT_SOLVED: "Not solved",
    Reason.REPEATED: "Asked again and again",
    Reason.FAILED_TURNS: "No answer twice",
    Reason.ANGER: "Angry",
    Reason.NOT_COVERED: "Not in the articles",
}
OUTCOMES: Mapping[str, str] = {
    Outcome.ANSWERED_FAQ: "answered from a FAQ",
    Outcome.ANSWERED_QUOTED: "answered by quoting",
    Outcome.ANSWERED_WRITTEN: "answered by the chat model, checked",
    Outcome.ANSWERED_IN_PART: "answered in part",
    Outcome.SMALLTALK: "small talk",
    Outcome.OFFERED_CHOICES: "offered choices",
    Outcome.REFUSED_POLICY: "refused by a policy",
    Outcome.UNANSWERED_NOT_COVERED: "not in the articles",
    Outcome.ESCALATED_ASKED: "handed over: asked for a person",
    Outcome.ESCALATED_POLICY: "handed over by a policy",
    Outcome.ESCALATED_LANGUAGE: "handed over: unknown language",
    Outcome.ESCALATED_UNRESOLVED: "handed over: unresolved",
    Outcome.ESCALATED_FEEDBACK: "handed over: not solved",
    Outcome.ESCALATED_FORM: "handed over: form",
    Outcome.MERGED: "answered together with the next message",
    Outcome.DELIVERED: "",
    Outcome.FAILED_ERROR: "failed",
}
LANGUAGES: Mapping[str, str] = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "sv": "Swedish",
}
FIELDS: Mapping[str, str] = {
    "goal": "Goal",
    "symptom": "Symptom",
    "environment": "Environment",
    "device": "Device",
    "browser": "Browser",
    "os": "System",
    "app_version": "Version",
    "page": "Page",
    "locale": "Locale",
    "account": "Account",
    "role": "Role",
    "plan": "Plan",
}
LACKING: Mapping[str, str] = {
    **FIELDS,
    "contact": "A way to reach them",
    "account": "Which account",
    "role": "Their role",
    "sources": "Sources shown",
}
PEOPLE: Mapping[str, str] = {"assistant": "The assistant", "visitor": "The visitor", "clock": "The clock"}


def queue_title(name: str) -> str:
    """What a queue is called; its id once it is no more."""
    found = queues.load().get(name)
    return found.title if found else name


def language(code: str) -> str:
    """A language's name, or its code."""
    return LANGUAGES.get(code, code)


def person(by: str, names: Mapping[str, str]) -> str:
    """Who did something."""
    return PEOPLE.get(by) or names.get(by) or by


def happened(event: TicketEvent, names: Mapping[str, str]) -> str:
    """An event as a sentence that begins with who did it."""
    who = person(event.by, names)
    said = EVENTS.get(event.kind)
    return f"{who} {said(event.details, names) if callable(said) else said or event.kind}"


def calendar_title(name: str) -> str:
    """What a calendar of the shipped file is called; the operator's own by its name."""
    found = calendars.load().get(name)
    return found.title if found else name.replace("_", " ")


def clock_name(kind: str) -> str:
    """What a clock is called inside a sentence."""
    return clock_words.NAMES.get(kind, kind).lower()


def _moved(details: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return f"moved it from {STATES[details['from']].lower()} to {STATES[details['to']].lower()}"


def _assigned(details: Mapping[str, Any], names: Mapping[str, str]) -> str:
    to = details.get("to")
    return f"gave it to {names.get(to, to)}" if to else "gave it back to the queue"


def _queue(details: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return f"moved it from {queue_title(details['from'])} to {queue_title(details['to'])}"


def _described(details: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    told = details.get("fields", ())
    if told == ["becomes_faq"]:
        return "said its answer should become a FAQ"
    return f"filled in {', '.join(FIELDS.get(name, name).lower() for name in told)}"


def _asked(details: Mapping[str, Any], _names: Mapping[str, str]) -> str:
    return f"asked for {', '.join(LACKING.get(name, name).lower() for name in details.get('fields', ()))}"


EVENTS: Mapping[str, Any] = {
    EventKind.OPENED: lambda d, _: f"opened it in {queue_title(d['queue'])}",
    EventKind.MOVED: _moved,
    EventKind.REOPENED: "opened it again",
    EventKind.ASSIGNED: _assigned,
    EventKind.NOTED: "wrote a note",
    EventKind.REPLIED: "answered",
    EventKind.QUEUE_CHANGED: _queue,
    EventKind.PRIORITY_CHANGED: lambda d, _: f"changed the priority from {d['from']} to {d['to']}",
    EventKind.DESCRIBED: _described,
    EventKind.ASKED: _asked,
    EventKind.MERGED: lambda d, _: f"merged it into ticket {d['number']}",
    EventKind.ABSORBED: lambda d, _: f"merged ticket {d['number']} into it",
    EventKind.LINKED: lambda d, _: f"linked it to incident {d['number']}",
    EventKind.UNLINKED: "took it off its incident",
    EventKind.VISITOR_WROTE: "wrote a message",
    EventKind.REACHED: lambda d, _: f"answered it with the reply to incident {d['incident']}",
    EventKind.CLOCK_WARNED: lambda d, _: f"warned: {clock_name(d['clock'])} is due soon",
    EventKind.CLOCK_BREACHED: lambda d, _: f"ran out: {clock_name(d['clock'])} is overdue",
    EventKind.ESCALATED: lambda d, _: f"called the {d['who']} (tier {d['tier']})",
    EventKind.RATED: lambda d, _: f"gave {d['stars']} of 5 stars",
}
