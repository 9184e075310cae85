"""Numbers as facts: what a number counts and how much it is, however it is written. “Two weeks” is 14 days, “3 p.m.” is 15:00."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from guardrails.support.cues import cues


class Unit(StrEnum):
    """What a number counts. Durations are in minutes, a time of day in minutes after midnight, BARE counts anything."""

    BARE = "bare"
    DURATION = "duration"
    CLOCK = "clock"
    PERCENT = "percent"
    MONEY = "money"
    SIZE = "size"
    ORDINAL = "ordinal"
    MONTH = "month"


@dataclass(frozen=True)
class Fact:
    """A number at words `start` to `end` (exclusive) of the text; `weak` when a reader may well have inferred or added it."""

    value: float
    unit: Unit
    start: int
    end: int
    weak: bool = False

    def same(self, other: "Fact") -> bool:
        """Whether both may mean the same: equal, or one of them bare and the number equal."""
        if self.unit is other.unit:
            near = 0.03 if self.unit is Unit.DURATION else 1e-6  # a month of 30 or 31 days
            return math.isclose(self.value, other.value, rel_tol=near)
        if Unit.CLOCK in (self.unit, other.unit):
            clock, bare = (self, other) if self.unit is Unit.CLOCK else (other, self)
            return bare.unit is Unit.BARE and clock.value % 60 == 0 and clock.value / 60 % 12 == bare.value % 12
        if Unit.BARE in (self.unit, other.unit):
            measured = self if other.unit is Unit.BARE else other
            return measured.unit not in (Unit.DURATION, Unit.MONTH) and math.isclose(self.value, other.value)
        return False


MINUTES = {"second": 1 / 60, "minute": 1.0, "hour": 60.0, "day": 1440.0, "week": 10080.0, "month": 43200.0, "year": 525600.0}
_NUMERIC = re.compile(r"^\d[\d.,]*(?:st|nd|rd|th|er|e|ª|º)?$")
_CLOCK = re.compile(r"^(\d{1,2})[:.h](\d{2})$")
_GROUPED = re.compile(r"[.,\u202f'](?=\d{3}(?:\D|$))")
_AFTERNOON = frozenset({"pm", "afternoon", "evening", "nachmittags", "abends", "soir", "tarde", "noite", "noche", "après-midi"})
_MORNING = frozenset({"am", "morning", "vormittags", "morgens", "matin", "mañana", "manhã"})
_LOOK = 4  # words after an hour in which “in the afternoon” may stand
_HALF_DAY = 12
HUNDRED = 100


@cache
def _words() -> tuple[dict[str, float], dict[str, float], dict[str, str], dict[str, Unit], dict[str, float]]:
    found = cues()
    return found.numbers, found.ordinals, found.durations, {k: Unit(v) for k, v in found.units.items()}, found.months


def facts(words: Sequence[str]) -> list[Fact]:
    """Every number among lower-case words, in order."""
    return list(_facts(list(words)))


def _facts(words: list[str]) -> Iterator[Fact]:
    at = 0
    while at < len(words):
        fact = _phrase(words, at) or _clock(words, at) or _counted(words, at) or _named(words, at)
        if fact is None:
            at += 1
            continue
        yield fact
        at = fact.end


def _phrase(words: list[str], at: int) -> Fact | None:
    """Half an hour, three quarters of an hour, a quarter of an hour, noon, midnight, half-hour, quarter-hour."""
    text = " ".join(words[at : at + 5])
    for phrase, minutes in cues().phrases.items():
        if text == phrase or text.startswith(phrase + " "):
            return Fact(minutes, Unit.DURATION, at, at + len(phrase.split()))
    if words[at] in cues().moments:
        return Fact(cues().moments[words[at]], Unit.CLOCK, at, at + 1)
    return None


def _clock(words: list[str], at: int) -> Fact | None:
    after = words[at + 1 : at + 1 + _LOOK]
    if match := _CLOCK.match(words[at]):
        minutes = int(match[1]) * 60 + int(match[2])
        if int(match[1]) < 24 and int(match[2]) < 60:  # noqa: PLR2004 - hours and minutes
            late = bool(after) and after[0] in _AFTERNOON and int(match[1]) < _HALF_DAY
            return Fact(minutes + (720 if late else 0), Unit.CLOCK, at, at + 1)
    value = _value(words[at])
    if value is None or value != int(value) or not 0 < value <= _HALF_DAY * 2:
        return None
    if after and after[0] in ("am", "pm", "o'clock", "uhr"):
        end = at + 2
    elif after and after[0] in ("in", "at", "du", "de", "da") and (_AFTERNOON | _MORNING) & set(after[1:3]):
        end = at + 1
    else:
        return None
    late = bool(_AFTERNOON & set(after[:3])) and value < _HALF_DAY
    midnight = value == _HALF_DAY and bool(_MORNING & set(after[:3]))
    return Fact(value * 60 + (720 if late else 0) - (720 if midnight else 0), Unit.CLOCK, at, end)


def _counted(words: list[str], at: int) -> Fact | None:
    """A number and what it counts: 20 gb, 9 %, € 8, five business days, 2.4 ghz, a day."""
    numbers, ordinals, durations, units, _ = _words()
    money = words[at] in units and units[words[at]] is Unit.MONEY
    start, at = at, at + money
    if at >= len(words):
        return None
    article = words[at] in cues().articles and at + 1 < len(words) and words[at + 1] in durations
    value = 1.0 if article else _value(words[at])
    if value is None:
        return Fact(ordinals[words[at]], Unit.ORDINAL, at, at + 1, weak=True) if words[at] in ordinals and not money else None
    end = at + 1
    if not article and words[at] in numbers:
        value, end = _spelled(words, value, end)
    if end < len(words) and words[end] in cues().calendar and end + 1 < len(words):
        end += 1
    unit, scale = Unit.BARE, 1.0
    if end < len(words) and words[end] in durations:
        unit, scale, end = Unit.DURATION, MINUTES[durations[words[end]]], end + 1
    elif end < len(words) and words[end] in units:
        unit, end = units[words[end]], end + 1
    if money:
        unit = Unit.MONEY
    one = value == 1 and (article or not words[at].isdigit())
    if one and unit is Unit.BARE:
        return None  # “one” is mostly no number: no one, this one
    return Fact(value * scale, unit, start, end, weak=one)


def _spelled(words: list[str], value: float, end: int) -> tuple[float, int]:
    """A number in several words, which begins with `value` before word `end`: one hundred and fifty, two and a half."""
    numbers = cues().numbers
    while end < len(words):
        if words[end : end + 3] == ["and", "a", "half"]:
            return value + 0.5, end + 3
        skip = words[end] == "and" and value >= HUNDRED
        following = numbers.get(words[end + skip]) if end + skip < len(words) else None
        if following is None or (following >= value and following < HUNDRED):
            break
        value = value * following if following >= HUNDRED else value + following
        end += 1 + skip
    return value, end


def _named(words: list[str], at: int) -> Fact | None:
    """A month, only beside a number: “May” and “march” are also other words."""
    months = _words()[4]
    beside = [words[n] for n in (at - 1, at + 1) if 0 <= n < len(words)]
    if words[at] in months and any(word[:1].isdigit() for word in beside):
        return Fact(months[words[at]], Unit.MONTH, at, at + 1)
    return None


def _value(word: str) -> float | None:
    numbers = _words()[0]
    if word in numbers:
        return numbers[word]
    if not _NUMERIC.match(word):
        return None
    digits = _GROUPED.sub("", re.sub(r"[^\d.,]+$", "", word)).strip(".,").replace(",", ".")
    try:
        return float(digits)
    except ValueError:
        return None


def missing(claimed: Sequence[Fact], known: Sequence[Fact]) -> list[Fact]:
    """The claimed facts that none of the known ones can be."""
    return [fact for fact in claimed if not any(fact.same(other) for other in known)]
