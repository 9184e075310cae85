"""Guard policies: what may not simply be answered, written by people as YAML, checked before it is used."""

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from guardrails.findings import Action, Stage

SHIPPED = Path(__file__).parent / "policies"
ORDINARY = Path(__file__).parent / "data" / "ordinary.yaml"
CRISIS_LINES = Path(__file__).parent / "data" / "crisis_lines.yaml"
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times faster; the pack is a megabyte
MIN_EXAMPLES = 12  # below this a classifier learns words, not a meaning


class PolicyError(Exception):
    """A policy file cannot be used; the message names file and line."""


class Policy(BaseModel):
    """One kind of request, what is done about it, and the examples that tell it from its allowed neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    title: str = Field(min_length=1, max_length=80)
    refuses: str = Field(min_length=1)
    action: Action
    mode: Literal["enforce", "shadow", "off"] = "enforce"
    stages: tuple[Stage, ...] = Field(min_length=1)
    queue: str = Field(pattern=r"^[a-z][a-z0-9_-]{1,39}$")
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    official_page: str | None = None
    budget: float | None = Field(None, gt=0, le=0.3)
    """Share of its own neighbours that it may catch, where the operator's general budget does not suit it."""
    reply: dict[str, str] = Field(min_length=1)
    patterns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    examples: dict[str, tuple[str, ...]] = Field(min_length=1)
    neighbours: dict[str, tuple[str, ...]] = Field(min_length=1)

    @field_validator("patterns")
    @classmethod
    def _patterns_compile(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for pattern in (p for patterns in value.values() for p in patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return value

    @property
    def enforced(self) -> bool:
        """False when its findings are recorded only."""
        return self.mode == "enforce"

    @property
    def requests(self) -> list[tuple[str, str]]:
        """(language, text) of every example it catches."""
        return [(language, text) for language, texts in self.examples.items() for text in texts]

    @property
    def allowed(self) -> list[tuple[str, str]]:
        """(language, text) of every allowed look-alike."""
        return [(language, text) for language, texts in self.neighbours.items() for text in texts]

    @cached_property
    def compiled(self) -> tuple[re.Pattern[str], ...]:
        """Its patterns of all languages, ready to search with."""
        return tuple(re.compile(p, re.IGNORECASE) for patterns in self.patterns.values() for p in patterns)

    def say(self, language: str) -> str:
        """The sentence a visitor reads, in their language or else in English."""
        return self.reply.get(language) or self.reply.get("en") or next(iter(self.reply.values()))


class CrisisLine(BaseModel):
    """Whom to call in one country."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str = Field(pattern=r"^([A-Z]{2}|default)$")
    name: str
    emergency: str
    lines: tuple[str, ...]
    languages: tuple[str, ...]
    source: str
    checked: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


def load(folder: Path = SHIPPED) -> list[Policy]:
    """Every policy of a folder, by id; raise PolicyError for the first file that cannot be used."""
    policies = [read(file) for file in sorted(folder.glob("*.yaml"))]
    if not policies:
        raise PolicyError(f"no policy (*.yaml) in {folder}")
    return sorted(policies, key=lambda policy: policy.id)


def read(file: Path) -> Policy:
    """One policy file."""
    try:
        text = file.read_text(encoding="utf-8")
        policy = Policy.model_validate(yaml.load(text, Loader=_LOADER))  # noqa: S506 - both loaders are the safe ones
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PolicyError(f"{file.name}:{mark.line + 1 if mark else 1}: {getattr(error, 'problem', error)}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{file.name}:1: not UTF-8 ({error.reason})") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PolicyError(f"{file.name}:{_line(text, first['loc'])}: {place or 'file'}: {first['msg']}") from error
    _check(file, text, policy)
    return policy


def version(policies: Iterable[Policy]) -> str:
    """A hash of everything in the policies that can change a decision."""
    content: list[Any] = [policy.model_dump(mode="json") for policy in sorted(policies, key=lambda p: p.id)]
    content.append(ordinary())
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def ordinary(file: Path = ORDINARY) -> list[tuple[str, str]]:
    """(language, text) of what people write every day: allowed under every policy."""
    rows = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are the safe ones
    return [(str(language), str(text)) for language, texts in rows.items() for text in texts]


def crisis_lines(file: Path = CRISIS_LINES) -> dict[str, CrisisLine]:
    """Crisis lines by country code; `default` is for every other country."""
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    lines = [CrisisLine.model_validate(row) for row in rows]
    return {line.country: line for line in lines}


def _check(file: Path, source: str, policy: Policy) -> None:
    """What pydantic cannot see: the file's name, enough examples, and none on both sides."""
    if policy.id != file.stem:
        raise PolicyError(f"{file.name}:{_line(source, ('id',))}: id is {policy.id!r}, the file's name says {file.stem!r}")
    for name, rows in (("examples", policy.requests), ("neighbours", policy.allowed)):
        if len(rows) < MIN_EXAMPLES:
            raise PolicyError(f"{file.name}:{_line(source, (name,))}: {len(rows)} {name}; at least {MIN_EXAMPLES} are needed")
        seen: dict[str, tuple[str, str, int]] = {}
        for language in getattr(policy, name):
            for number, text in enumerate(getattr(policy, name)[language]):
                place = (name, language, number)
                if not text.strip():
                    raise PolicyError(f"{file.name}:{_line(source, place)}: an empty line among the {name}")
                if (before := seen.setdefault(_plain(text), place)) != place:
                    raise PolicyError(f"{file.name}:{_line(source, place)}: {text!r} stands at line {_line(source, before)} already")
    allowed = {_plain(text) for _, text in policy.allowed}
    for language, text in policy.requests:
        if _plain(text) in allowed:
            line = _line(source, ("examples", language, policy.examples[language].index(text)))
            raise PolicyError(f"{file.name}:{line}: {text!r} is both an example and a neighbour")


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _line(source: str, place: tuple[Any, ...]) -> int:
    """The line (from 1) of a place in the file; of the nearest thing around it when it is missing."""
    node = yaml.compose(source, Loader=_LOADER)
    for part in place:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next((value for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1 if node is not None else 1
