"""The library's forms as the same shapes its interface takes, so that both mean the same and are checked alike."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from api.desk.errors import BadForm
from api.library.shapes import TextIn, WriteIn
from api.shapes import In

Shape = TypeVar("Shape", bound=In)
WHOLE = frozenset({"revision", "version", "number", "days"})
TICKED = frozenset({"override", "anyway", "protected"})
LISTS = {"tags": ",", "wordings": "\n", "learned": "\n"}
MOST_DIGITS = 10
NAMES = {"review_due": "next review", "learned": "learned from visitors", "wordings": "other wordings", "text": "text"}


def shape(model: type[Shape], given: Mapping[str, str]) -> Shape:
    """One of the shapes from a form's fields; what is empty counts as left out. Raise BadForm."""
    values = {name: _value(name, given[name]) for name in model.model_fields if name in given}
    values = {name: value for name, value in values.items() if value != "" or name in {"title", "body"}}
    values |= {name: True for name in TICKED & model.model_fields.keys() if given.get(name)}
    if model is WriteIn:
        values["publish"] = given.get("do") == "publish"
    try:
        return model.model_validate(values, strict=False)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = NAMES.get(str(first["loc"][0]), str(first["loc"][0])) if first["loc"] else "form"
        raise BadForm(f"{where.capitalize()}: {first['msg'].removeprefix('Value error, ').lower()}.") from wrong


def typed(given: Mapping[str, str]) -> dict[str, Any]:
    """What stands in an editor, as it was typed, whatever it is."""
    names = [*TextIn.model_fields, "wordings", "learned", "review_due", "note"]
    return {name: given.get(name, "") for name in names}


def _value(name: str, text: str) -> Any:
    if name in WHOLE:
        plain = text.strip()
        return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= MOST_DIGITS else plain
    if name in LISTS:
        return list(dict.fromkeys(part.strip() for part in text.split(LISTS[name]) if part.strip()))
    if name in TICKED:
        return bool(text)
    return text.strip() if name in {"title", "section", "note", "review_due", "language"} else text
