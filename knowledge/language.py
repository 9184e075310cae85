"""What language a text is in, and the stem of an English word.

A list of function words, endings and letters per language (data/languages.json, written by us) rather than
a library: py3langid takes 93 MB of memory and lingua 61 MB; this takes one, and it knows when it does
not know, which matters most for questions of two or three words.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import Stemmer

DATA = Path(__file__).parent / "data" / "languages.json"
READ = 2000  # characters of a text that are looked at: enough to be certain
WORD, ENDING, LETTER = 1.0, 0.35, 1.2  # what a word, an ending, a letter of its own says for a language
CERTAIN = 1.0  # the winner must have gathered this much: one word that is its own …
AHEAD = 1.3  # … and this many times what the second has

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")

# Scripts that (nearly) one language uses, by the first word of a character's Unicode name.
SCRIPTS = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "GREEK": "el",
    "HEBREW": "he",
    "THAI": "th",
    "DEVANAGARI": "hi",
}


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def stem(word: str) -> str:
    """The English stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


@dataclass(frozen=True)
class _Signs:
    """What speaks for each language: a word or ending that several share says less for each."""

    grammar: Mapping[str, frozenset[str]]
    words: Mapping[str, Mapping[str, float]]
    endings: Mapping[str, Mapping[str, float]]
    letters: Mapping[str, Mapping[str, float]]


@cache
def _signs() -> _Signs:
    stored = json.loads(DATA.read_text(encoding="utf-8"))
    stored.pop("about")
    letters = {language: " ".join(signs["letters"]) for language, signs in stored.items()}
    return _Signs(
        {language: frozenset(signs["words"].split()) for language, signs in stored.items()},
        _shared({language: f"{signs['words']} {signs['topics']}" for language, signs in stored.items()}, WORD),
        _shared({language: signs["endings"] for language, signs in stored.items()}, ENDING),
        _shared(letters, LETTER),
    )


def _shared(lists: Mapping[str, str], worth: float) -> dict[str, dict[str, float]]:
    """From sign to language to worth, divided among the languages that have the sign."""
    speakers: dict[str, set[str]] = {}
    for language, signs in lists.items():
        for sign in signs.split():
            speakers.setdefault(sign, set()).add(language)
    return {sign: dict.fromkeys(who, worth / len(who)) for sign, who in speakers.items()}


def function_words(language: str) -> frozenset[str]:
    """Words that carry grammar rather than meaning; none for a language we have no list of."""
    return _signs().grammar.get(language, frozenset())


def detect(text: str) -> str | None:
    """The two-letter code of the text's language; None when the text does not show it."""
    text = unicodedata.normalize("NFC", text[:READ])
    if script := _script(text):
        return script
    scores = _scores(text.lower())
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    if not ranked or scores[ranked[0]] < CERTAIN:
        return None
    second = scores[ranked[1]] if len(ranked) > 1 else 0.0
    return ranked[0] if scores[ranked[0]] >= AHEAD * second else None


def _scores(text: str) -> dict[str, float]:
    signs = _signs()
    scores: dict[str, float] = {}
    for word in _WORD.findall(text.replace("’", "'")):
        if word in signs.words:
            _add(scores, signs.words[word])
            continue
        for length in (7, 6, 5, 4, 3, 2):
            if len(word) > length + 2 and word[-length:] in signs.endings:
                _add(scores, signs.endings[word[-length:]])
                break
    for letter, speakers in signs.letters.items():
        if letter in text:
            _add(scores, speakers)
    return scores


def _add(scores: dict[str, float], worth: Mapping[str, float]) -> None:
    for language, value in worth.items():
        scores[language] = scores.get(language, 0.0) + value


def _script(text: str) -> str | None:
    """The language of a script other than Latin, when a third of the letters are in it: they say more per letter."""
    counts: dict[str, int] = {}
    letters = [c for c in text if c.isalpha()]
    for character in letters:
        if character > "\u036f":
            name = unicodedata.name(character, "").split(" ")[0]
            counts[SCRIPTS.get(name, "")] = counts.get(SCRIPTS.get(name, ""), 0) + 1
    counts.pop("", None)
    if counts.get("ja") and "zh" in counts:
        counts["ja"] += counts.pop("zh")
    best = max(counts, key=counts.__getitem__, default=None)
    return best if best and counts[best] * 3 >= len(letters) else None
