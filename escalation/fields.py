"""The fields of a ticket, filled from what the visitor wrote: no chat model, their own words, None where it was not said."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import yaml

from escalation import story
from escalation.extraction import asked_about, first, found, phrase, plain, tidy

QUESTIONS = Path(__file__).parent / "data" / "questions.yaml"
EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
MENTIONED = ("account", "role", "plan", "contact_name", "browser", "os", "device", "app_version", "page")
SHORT_ANSWER = 8  # words; a longer answer to "which browser?" tells a story
LONGEST_NAME = 3  # words of a name, a role, a plan
PIECE = re.compile(r"(?<=[.!?])\s+|\s*[,;\n]\s*|\s+(?:and|und|et|y|e)\s+(?:my |the |i'm )?")
ENVIRONMENT = ("device", "browser", "os", "app_version", "page")
MOST_QUESTIONS = 2  # issue 4: what is missing is asked in at most two questions


@dataclass(frozen=True)
class Said:
    """One message of the transcript; `role` is visitor, assistant or agent."""

    role: str
    text: str


@dataclass(frozen=True)
class Fields:
    """What was said, in the visitor's words; None and () mean "not said"."""

    goal: str | None = None
    symptom: str | None = None
    errors: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    device: str | None = None
    browser: str | None = None
    os: str | None = None
    app_version: str | None = None
    page: str | None = None
    locale: str | None = None
    account: str | None = None
    role: str | None = None
    plan: str | None = None
    contact_name: str | None = None
    contact_email: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def environment(self) -> str | None:
        """Where it happened, in one line."""
        return ", ".join(value for name in ENVIRONMENT if (value := getattr(self, name))) or None

    def columns(self) -> dict[str, Any]:
        """The same as columns of a Ticket, the contact aside."""
        lists = {"error_texts": list(self.errors), "tried": list(self.tried), "tags": list(self.tags)}
        texts = {name: _fit(getattr(self, name), limit) for name, limit in WIDTHS.items()}
        return {"goal": self.goal, "symptom": self.symptom, "environment": self.environment, **texts, **lists}


WIDTHS: Mapping[str, int] = {  # characters that the columns hold
    "device": 200,
    "browser": 200,
    "os": 200,
    "app_version": 100,
    "page": 2000,
    "locale": 35,
    "account": 200,
    "role": 200,
    "plan": 200,
}


class Described(Protocol):
    """A ticket, as far as completeness needs it."""

    conversation_id: str
    reason: str
    queue: str
    language: str
    goal: str | None
    symptom: str | None
    environment: str | None
    account: str | None
    role: str | None
    contact_email: str | None
    asked: list[str]
    sources: list[dict[str, Any]] | None


@dataclass(frozen=True)
class Question:
    """One question to the visitor, and the fields that its answer fills."""

    fields: tuple[str, ...]
    text: str


def fill(transcript: Sequence[Said], *, known: Fields | None = None) -> Fields:
    """Read the visitor's messages; what the page already told (`known`) is kept."""
    texts = [plain(said.text) for said in transcript if said.role == "visitor"]
    values: dict[str, Any] = {name: first(name, texts) for name in MENTIONED}
    errors = tuple(error for error in dict.fromkeys(_without_parts(found("error", texts))) if error != values["account"])
    values["contact_email"] = next((match.group() for text in texts for match in EMAIL.finditer(text)), None)
    asked_for = _answering(transcript, "symptom")
    values |= {"goal": story.goal(texts), "symptom": story.symptom(texts, errors, asked_for), "errors": errors, "tried": story.tried(texts)}
    for name, answer in _answers(transcript):
        key = "errors" if name == "error" else name
        if not values.get(key) or (key == "device" and any(c.isdigit() for c in answer)):  # "the printer" … "which model?" "LP-200"
            values[key] = (answer,) if key in {"errors", "tried"} else answer
    values["goal"] = values["goal"] or story.question(texts, values["symptom"])
    if not values["goal"] and not values["symptom"]:
        values["goal"] = story.statement(texts)  # neither a wish nor a question nor a happening
    if values["contact_name"] == values["account"]:
        values["contact_name"] = None  # "Lantern Books" answered "which account?"
    values["tags"] = tags(texts)
    read = Fields(**values)
    told = {name: value for name, value in vars(known or Fields()).items() if value}
    return replace(read, **told)


def tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Topics that words of the text name, sorted."""
    joined = "\n".join(texts)
    return tuple(sorted(name for name, pattern in _questions()["tags"].items() if re.search(pattern, joined, re.IGNORECASE)))


def lacking(ticket: Described) -> tuple[str, ...]:
    """What a complete ticket would have and this one has not; empty means complete.

    Goal and symptom may be "not said" only after they were asked for; so may the contact, environment, account and role.
    """
    absent = [name for name in ("goal", "symptom") if not getattr(ticket, name) and name not in ticket.asked]
    absent += [name for name in ("reason", "queue", "language", "conversation_id") if not getattr(ticket, name)]
    absent += ["sources"] if ticket.sources is None else []
    absent += ["contact"] if not ticket.contact_email and "contact" not in ticket.asked else []
    absent += [name for name in ("environment", "account", "role") if not getattr(ticket, name) and name not in ticket.asked]
    return tuple(absent)


def complete(ticket: Described) -> bool:
    """An agent can work it without asking what happened."""
    return not lacking(ticket)


def missing(ticket: Described, language: str = "en") -> list[Question]:
    """At most two questions for what is lacking: what happened and where; who asks. Never for a secret."""
    absent = set(lacking(ticket))
    wordings = _questions()["questions"].get(language) or _questions()["questions"]["en"]
    asked: list[Question] = []
    for group in (("goal", "symptom", "environment"), ("contact", "account", "role")):
        wanted = tuple(name for name in group if name in absent)
        if wanted:
            parts = [wordings["goal_symptom"]] if {"goal", "symptom"} <= set(wanted) else []
            parts += [wordings[name] for name in wanted if not (parts and name in {"goal", "symptom"})]
            asked.append(Question(wanted, " ".join(parts)))
    return asked[:MOST_QUESTIONS]


def _answers(transcript: Sequence[Said]) -> Iterable[tuple[str, str]]:
    """(field, answer) where the assistant asked for fields and the visitor answered shortly, one piece per field."""
    for question, answer in pairwise(transcript):
        if question.role != "visitor" and answer.role == "visitor":
            asked, text = plain(question.text), plain(answer.text)
            places = {name: match.start() for name, pattern in asked_about().items() if (match := pattern.search(asked))}
            if set(places) == {"tried"} and not phrase("no_answer").search(text):
                yield "tried", tidy(phrase("tried_lead_in").sub("", story.SENTENCE.split(text)[0]))
            elif places and not phrase("no_answer").search(text):
                yield from _paired(sorted(places, key=places.__getitem__), _pieces(text))


def _paired(names: list[str], pieces: list[str]) -> Iterable[tuple[str, str]]:
    """Fields with the pieces that may be their values: those that show what they are first, the others in order."""
    for piece in list(pieces):
        shown = [name for name in MENTIONED if first(name, [piece]) == piece]
        if shown or EMAIL.search(piece):
            pieces.remove(piece)
            names = [name for name in names if name not in shown]
    names = [name for name in names if name != "contact_email"]
    if len(names) == 1 or len(names) <= len(pieces):
        yield from ((name, piece) for name, piece in zip(names, pieces, strict=False) if _may_be(name, piece))


def _pieces(text: str) -> list[str]:
    """What a short answer lists, without "it's" and the like."""
    parts = (tidy(phrase("lead_in").sub("", tidy(part))) for part in PIECE.split(text))
    return [part for part in parts if part and not phrase("courtesy").search(part) and len(part.split()) <= SHORT_ANSWER]


def _may_be(name: str, value: str) -> bool:
    """The value looks like one of its field."""
    if name == "contact_name":
        return len(value.split()) <= LONGEST_NAME and all(word[0].isupper() for word in value.split() if len(word) > LONGEST_NAME)
    if name == "app_version":
        return any(c.isdigit() for c in value)
    return name in {"goal", "symptom", "tried", "error"} or len(value.split()) <= LONGEST_NAME


def _answering(transcript: Sequence[Said], field: str) -> list[int]:
    """The numbers of the visitor's messages that answer a question for this field."""
    numbers, number = [], -1
    for before, said in zip([None, *transcript], transcript, strict=False):
        number += said.role == "visitor"
        if said.role == "visitor" and before and before.role != "visitor" and asked_about()[field].search(plain(before.text)):
            numbers.append(number)
    return numbers


def _without_parts(values: Iterable[str]) -> list[str]:
    """Drop what stands inside another value."""
    every = list(values)
    return [value for value in every if not any(value != other and value in other for other in every)]


def _fit(value: str | None, limit: int) -> str | None:
    return value[:limit] if value else None


@cache
def _questions() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return loaded
