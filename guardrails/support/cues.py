"""The words that change what a sentence says (data/cues.yaml): numbers, negation, quantifiers, conditions, opposites."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import Stemmer
import yaml

FILE = Path(__file__).parent.parent / "data" / "cues.yaml"


@dataclass(frozen=True)
class Cues:
    """Everything of the file, by word."""

    numbers: dict[str, float]
    ordinals: dict[str, float]
    articles: frozenset[str]
    calendar: frozenset[str]
    durations: dict[str, str]
    units: dict[str, str]
    phrases: dict[str, float]
    moments: dict[str, float]
    months: dict[str, float]
    concepts: dict[str, frozenset[str]]
    opposites: dict[str, frozenset[str]]
    """Stem → stems of what says the opposite."""
    stop: frozenset[str]
    foreign: Mapping[str, frozenset[str]]


@cache
def cues() -> Cues:
    """The file, read once."""
    stored: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Cues(
        numbers={word: float(value) for words in stored["numbers"].values() for word, value in words.items()},
        ordinals={word: float(value) for word, value in stored["ordinals"].items()},
        articles=frozenset(stored["articles"]),
        calendar=frozenset(stored["calendar"]),
        durations={word: name for name, words in stored["durations"].items() for word in words},
        units={word: name for name, words in stored["units"].items() for word in words},
        phrases={phrase: float(minutes) for phrase, minutes in stored["phrases"].items()},
        moments={word: float(minutes) for word, minutes in stored["moments"].items()},
        months={word: float(n) for n, words in enumerate(stored["months"], 1) for word in words},
        concepts={name: frozenset(words) for name, words in stored["concepts"].items()},
        opposites=_opposites(stored["antonyms"]),
        stop=frozenset(stored["stop"].split()),
        foreign={language: frozenset(words.split()) for language, words in stored["foreign_stop"].items()},
    )


def _opposites(pairs: list[list[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in pairs:
        left, right = (stem(word) for word in pair)
        found.setdefault(left, set()).add(right)
        found.setdefault(right, set()).add(left)
    return {word: frozenset(others) for word, others in found.items()}


@cache
def _stemmer() -> Any:
    return Stemmer.Stemmer("english")


def stem(word: str) -> str:
    """The English stem of a lower-case word."""
    return str(_stemmer().stemWord(word))
