"""How angry a message is: words of its language, and signs that need no language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

DATA = Path(__file__).parent / "data" / "anger.yaml"
WORTH = {"strong": 1.0, "weak": 0.5, "worn": 0.25}
LONG_RUN = 3  # "!!" is lively, "!!!" is loud
SHOUTING_FROM = 12  # letters; below it capitals are a code or an abbreviation
CODE = re.compile(r"\b[A-Z0-9]*\d[A-Z0-9]*\b|\b[A-Z]+(?:_[A-Z0-9]+)+\b|[\"“«„][^\"”»“]*[\"”»“]")  # codes and quotations do not shout


@dataclass(frozen=True)
class Anger:
    """The weight of all signs, and the signs in the visitor's own characters."""

    weight: float
    signs: tuple[str, ...]


def anger(text: str, language: str | None = None) -> Anger:
    """Weight 0 is calm; without a known language every language's words are looked for."""
    words = _words()
    spoken = [words[language]] if language and language in words else list(words.values())
    weight, signs = _of_signs(text)
    for patterns in spoken:
        for pattern, worth in patterns.items():
            for match in pattern.finditer(text):
                weight += worth
                signs.append(match.group())
    return Anger(round(weight, 2), tuple(signs))


def _of_signs(text: str) -> tuple[float, list[str]]:
    """Shouting, and runs of ! or ?."""
    weight, signs = 0.0, []
    for run in re.findall(r"[!?]{2,}", text):
        weight += WORTH["weak"] if len(run) >= LONG_RUN or "!?" in run or "?!" in run else WORTH["worn"]
        signs.append(run)
    letters = [c for c in CODE.sub(" ", text) if c.isalpha()]
    if len(letters) >= SHOUTING_FROM and sum(c.isupper() for c in letters) > 0.7 * len(letters):
        weight += WORTH["weak"]
        signs.append("capitals")
    return weight, signs


@cache
def _words() -> Mapping[str, Mapping[re.Pattern[str], float]]:
    stored = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return {
        language: {re.compile(p, re.IGNORECASE): worth for kind, worth in WORTH.items() for p in rows.get(kind, ())}
        for language, rows in stored.items()
    }
