"""The desk's forms as the same shapes its interface takes, so that both mean the same and are checked alike."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from api.desk.clock_shapes import EscalateIn
from api.desk.errors import BadForm
from api.desk.shapes import (
    AssignIn,
    BulkIn,
    ContactIn,
    FaqIn,
    FieldsIn,
    LinkIn,
    MergeIn,
    MoveIn,
    NoteIn,
    PriorityIn,
    QueueIn,
    ReplyIn,
    SavedViewIn,
    TagsIn,
    TemplateIn,
    UnlinkIn,
)
from api.shapes import In
from escalation.work import DESCRIBABLE

VERBS: Mapping[str, type[In]] = {
    "reply": ReplyIn,
    "note": NoteIn,
    "assign": AssignIn,
    "move": MoveIn,
    "queue": QueueIn,
    "priority": PriorityIn,
    "tags": TagsIn,
    "fields": FieldsIn,
    "contact": ContactIn,
    "merge": MergeIn,
    "link": LinkIn,
    "unlink": UnlinkIn,
    "faq": FaqIn,
    "escalate": EscalateIn,
}
WHOLE = frozenset({"version", "into", "into_version", "incident", "number"})
MAY_BE_EMPTY = frozenset({"name", "email", "tags", "query"})
MOST_DIGITS = 10


async def form(request: Request) -> FormData:
    """The fields that were sent."""
    return await request.form()


Sent = Annotated[FormData, Depends(form)]


def texts(sent: FormData) -> dict[str, str]:
    """The fields as texts, with the line breaks that we store."""
    return {name: value.replace("\r\n", "\n") for name, value in sent.items() if isinstance(value, str)}


def shape(model: type[In], given: Mapping[str, str]) -> In:
    """One of the shapes from a form's fields; what is empty counts as left out. Raise BadForm."""
    values: dict[str, Any] = {name: _value(name, given[name]) for name in model.model_fields if name in given}
    values = {name: value for name, value in values.items() if value != "" or name in MAY_BE_EMPTY}
    if model is FieldsIn:
        values["fields"] = {name: given[name] for name in sorted(DESCRIBABLE & given.keys())}
    if model is AssignIn:
        values["assignee"] = given.get("assignee") or None
    if model is ContactIn:
        values = {name: value for name, value in values.items() if name in given}
    return _checked(model, values)


def bulk(sent: FormData) -> BulkIn:
    """The ticked rows, as number:version, and what to do with them; an assignee of "-" means nobody. Raise BadForm."""
    given = texts(sent)
    ticked = [str(one).partition(":") for one in sent.getlist("ticket")]
    rows = [{"number": _value("number", number), "version": _value("version", version)} for number, _, version in ticked]
    values: dict[str, Any] = {name: given[name] for name in ("priority", "queue") if given.get(name)}
    if assignee := given.get("assignee"):
        values["assignee"] = "" if assignee == "-" else assignee
    if not rows:
        raise BadForm("Tick at least one ticket first.")
    if not values:
        raise BadForm("Choose what to change: assignee, priority or queue.")
    found = _checked(BulkIn, {"tickets": rows, **values})
    assert isinstance(found, BulkIn)  # noqa: S101 - what was asked for
    return found


def template(given: Mapping[str, str]) -> TemplateIn:
    """A reply template. Raise BadForm."""
    found = shape(TemplateIn, {**given, "name": given.get("name", "").strip()})
    assert isinstance(found, TemplateIn)  # noqa: S101 - what was asked for
    return found


def saved_view(given: Mapping[str, str]) -> SavedViewIn:
    """A view to be kept. Raise BadForm."""
    found = shape(SavedViewIn, given)
    assert isinstance(found, SavedViewIn)  # noqa: S101 - what was asked for
    return found


def _value(name: str, text: str) -> Any:
    if name in WHOLE:
        plain = text.strip().removeprefix("#")
        return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else plain
    if name == "tags":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _checked(model: type[In], values: Mapping[str, Any]) -> In:
    try:
        return model.model_validate(values, strict=False)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        raise BadForm(f"{where.capitalize()}: {first['msg'].removeprefix('Value error, ').lower()}.") from wrong
