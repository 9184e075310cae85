"""Does the visitor ask for a person? Patterns of five languages, and a voice learned from examples for what they miss."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

DATA = Path(__file__).parent / "data" / "asked.yaml"
SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True)
class Wordings:
    """How one language asks for a person, and what only looks like it."""

    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]
    examples: tuple[str, ...]
    look_alikes: tuple[str, ...]


def asks_for_person(text: str, *, heard: float = 0.0, heard_from: float = 1.0) -> bool:
    """True when a pattern finds the wish, or the learned voice hears it (`heard`, a probability); never when it is denied.

    Every language's patterns are tried: short requests often do not show their language.
    """
    sentences = SENTENCE.split(text.replace("’", "'").replace("`", "'").strip())
    meant = [one for one in sentences if not _found(one, "unless")]
    return any(_found(one, "patterns") for one in meant) or (heard >= heard_from and len(meant) == len(sentences))


def _found(sentence: str, kind: Literal["patterns", "unless"]) -> bool:
    return any(pattern.search(sentence) for one in load().values() for pattern in getattr(one, kind))


@cache
def load(file: Path = DATA) -> Mapping[str, Wordings]:
    """Wordings by language."""
    stored = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {
        language: Wordings(_compiled(rows["patterns"]), _compiled(rows["unless"]), tuple(rows["examples"]), tuple(rows["look_alikes"]))
        for language, rows in stored.items()
    }


def examples(file: Path = DATA) -> list[tuple[str, bool]]:
    """(text, asks) of all languages, to learn from and to test with."""
    every = load(file).values()
    return [(text, True) for one in every for text in one.examples] + [(text, False) for one in every for text in one.look_alikes]


def _compiled(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
