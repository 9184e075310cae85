"""Reply templates with placeholders: shipped ones and agents' own, previewed before they are sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from escalation.tables import ReplyTemplate

SHIPPED = Path(__file__).parent / "data" / "replies.yaml"
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
KNOWN = frozenset({"name", "number", "issue", "timeframe", "outcome", "explanation", "tip", "team", "workaround", "agent"})


class ReplyKind(StrEnum):
    """The steps of handling a ticket that have a template."""

    ACKNOWLEDGEMENT = "acknowledgement"
    RESOLUTION = "resolution"
    ESCALATION = "escalation"
    OWN = "own"


class MissingPlaceholder(ValueError):
    """A reply was about to go out with a gap; `names` are the placeholders without a value."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """`names`: in the order of the text."""
        super().__init__(f"no value for {', '.join(names)}")
        self.names = names


class UnknownPlaceholder(ValueError):
    """A template asks for something that no ticket has."""


class NoSuchTemplate(LookupError):
    """No template has that name."""


@dataclass(frozen=True)
class Template:
    """A text with `{placeholders}`; an optional one brings its own sentence, which appears only with a value."""

    name: str
    kind: ReplyKind
    language: str
    text: str
    optional: Mapping[str, str] = field(default_factory=dict)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Every placeholder, each once, in the order of the text."""
        return tuple(dict.fromkeys(PLACEHOLDER.findall(self.text)))

    @property
    def required(self) -> tuple[str, ...]:
        """Those that must have a value."""
        return tuple(name for name in self.placeholders if name not in self.optional)


@dataclass(frozen=True)
class Preview:
    """The reply as it would be sent; gaps show as [name] and are listed in `missing`."""

    text: str
    missing: tuple[str, ...]


def preview(template: Template, values: Mapping[str, str]) -> Preview:
    """Fill in what is there. Values are put in as they are: a `{…}` inside one stays text."""
    missing = tuple(name for name in template.required if not values.get(name, "").strip())

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        value = values.get(name, "").strip()
        if name in template.optional:
            return template.optional[name].replace("{" + name + "}", value) if value else ""
        return value or f"[{name}]"

    return Preview(PLACEHOLDER.sub(put, template.text), missing)


def render(template: Template, values: Mapping[str, str]) -> str:
    """The reply. Raise MissingPlaceholder rather than send a gap."""
    shown = preview(template, values)
    if shown.missing:
        raise MissingPlaceholder(shown.missing)
    return shown.text


@cache
def shipped(file: Path = SHIPPED) -> Mapping[tuple[str, str], Template]:
    """The shipped templates by (name, language)."""
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {
        (name, language): Template(name, ReplyKind(name), language, row["text"], row["optional"])
        for name, languages in rows.items()
        for language, row in languages.items()
    }


def get(session: Session, name: str, language: str) -> Template:
    """The agents' own template of that name, else the shipped one; in English when the language has none. Raise NoSuchTemplate."""
    for spoken in dict.fromkeys((language, "en")):
        row = session.scalar(select(ReplyTemplate).where(ReplyTemplate.name == name, ReplyTemplate.language == spoken))
        if row is not None:
            return Template(row.name, ReplyKind(row.kind), row.language, row.text)
        if found := shipped().get((name, spoken)):
            return found
    raise NoSuchTemplate(f"there is no reply template {name!r}")


def names(session: Session) -> list[str]:
    """Every template's name, sorted."""
    own = session.scalars(select(ReplyTemplate.name).distinct())
    return sorted({*own, *(name for name, _ in shipped())})


def keep(session: Session, template: Template, template_id: str, *, by: str, now: datetime) -> None:
    """Store an own template, in place of an earlier one of that name and language. Raise UnknownPlaceholder."""
    if unknown := set(template.placeholders) - KNOWN:
        raise UnknownPlaceholder(f"no ticket has {', '.join(sorted(unknown))}; there are {', '.join(sorted(KNOWN))}")
    query = select(ReplyTemplate).where(ReplyTemplate.name == template.name, ReplyTemplate.language == template.language)
    row = session.scalar(query) or ReplyTemplate(id=template_id, name=template.name, language=template.language)
    row.kind, row.text, row.by, row.updated_at = template.kind, template.text, by, now
    session.add(row)
    session.flush()


def drop(session: Session, name: str, language: str) -> None:
    """Remove an own template; the shipped one of that name shows again. Raise NoSuchTemplate."""
    row = session.scalar(select(ReplyTemplate).where(ReplyTemplate.name == name, ReplyTemplate.language == language))
    if row is None:
        raise NoSuchTemplate(f"there is no own reply template {name!r} in {language}")
    session.delete(row)
    session.flush()
