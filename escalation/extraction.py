"""Finds what a visitor said, by the patterns of data/fields.yaml: the value as it stands in their own words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent / "data" / "fields.yaml"

LATER = "<later>"  # marks a pattern that is meant for every message but the first


@cache
def patterns(field: str) -> tuple[re.Pattern[str], ...]:
    """The field's patterns, ready to search with."""
    return tuple(_compiled(pattern) for pattern in _data()[field] if LATER not in pattern)


@cache
def later(field: str) -> tuple[re.Pattern[str], ...]:
    """The field's patterns that are searched in every message but the first."""
    return tuple(_compiled(pattern.replace(LATER, "")) for pattern in _data()[field] if LATER in pattern)


@cache
def asked_about() -> Mapping[str, re.Pattern[str]]:
    """Field → what an assistant's question for it looks like."""
    return {field: re.compile(p, re.IGNORECASE) for field, p in _data()["asked_about"].items()}


@cache
def phrase(name: str) -> re.Pattern[str]:
    """A single pattern of the file."""
    return re.compile(_data()[name], re.IGNORECASE)


def found(field: str, texts: Sequence[str]) -> Iterator[str]:
    """Values of a field: by the order of its patterns, then of the texts, then of the places in a text."""
    searches = [(pattern, texts) for pattern in patterns(field)] + [(pattern, texts[1:]) for pattern in later(field)]
    for pattern, where in searches:
        for match in (match for text in where for match in pattern.finditer(text)):
            if value := tidy(next((v for v in match.groupdict().values() if v), "")):
                yield value


def first(field: str, texts: Sequence[str]) -> str | None:
    """The first value of a field; None when it was not said."""
    return next(found(field, texts), None)


def tidy(value: str) -> str:
    """Without spaces and punctuation around it."""
    return value.strip().strip(" \t\n.,;:!?…-–—'\"“”„«»‘’()").strip()


def plain(text: str) -> str:
    """The same characters with straight apostrophes, so that patterns need one form only; lengths stay."""
    return text.replace("’", "'").replace("´", "'").replace("\u00a0", " ")


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("<end>", _data()["end"]).replace("<and>", _data()["and"]), re.IGNORECASE)


@cache
def _data() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return loaded
