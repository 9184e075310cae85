"""Question words of another language in English, for libraries that are written in English.

A glossary of help-centre words (data/glossary.txt, written by us) rather than a translator: the keywords and the main
encoder then understand a good part of a German, French, Spanish or Portuguese question, which the multilingual
encoder alone places badly. Words that nobody listed stay as they are: names and product words are often the same.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import Stemmer

from knowledge.language import function_words

DATA = Path(__file__).parent / "data" / "glossary.txt"
LANGUAGES = {"de": "german", "fr": "french", "es": "spanish", "pt": "portuguese"}  # in the order of the columns
FIRST = 2  # English words taken of an entry: more blur what the question means
COMPOUND, PART = 9, 4  # letters of a German word that may be made of two, and of each part
ENOUGH = 0.3  # of the words must be known, or the English text says too little

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


@dataclass(frozen=True)
class Gloss:
    """A question in English words; `known`, 0 to 1, is the share of its words that the glossary has."""

    text: str
    known: float


def gloss(text: str, language: str) -> Gloss:
    """The telling words of a text in one of LANGUAGES, in English, in order."""
    grammar = function_words(language)
    words = [word for word in _WORD.findall(text) if word.lower() not in grammar]
    english = [_english(word, language) for word in words]
    known = sum(bool(found) for found in english) / max(len(words), 1)
    return Gloss(" ".join(found or word for found, word in zip(english, words, strict=True)), known)


def _english(word: str, language: str) -> str:
    """The first English words of the entry, by the word itself or its root; of a German compound, of its parts; empty when unknown."""
    entries, plain = _entries()[language], _folded(word.lower())
    found = entries.get(plain) or entries.get(_root(word, language))
    if found or language != "de" or len(plain) < COMPOUND:
        return found or ""
    starts = [plain[:n] for n in range(len(plain) - 1, PART - 1, -1) if plain[:n] in entries][:1]
    ends = [plain[n:] for n in range(1, len(plain) - PART + 1) if plain[n:] in entries][:1]
    return " ".join(entries[part] for part in starts + ends)


@cache
def _entries() -> Mapping[str, Mapping[str, str]]:
    """By language, each word and then its root, and what it is in English; of several entries the first counts."""
    written: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for line in DATA.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        english, *others = (part.split() for part in line.split("|"))
        for language, words in zip(LANGUAGES, others, strict=True):
            for word in words:
                if word not in function_words(language):
                    written[language].setdefault(word, " ".join(english[:FIRST]))
    return {language: _with_roots(words, language) for language, words in written.items()}


def _with_roots(words: Mapping[str, str], language: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for form in (_folded, lambda word: _root(word, language)):
        for word, english in words.items():
            entries.setdefault(form(word), english)
    return entries


@cache
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(LANGUAGES[language])


def _root(word: str, language: str) -> str:
    return _folded(str(_stemmer(language).stemWord(word.lower())))


def _folded(word: str) -> str:
    """Without accents."""
    return "".join(character for character in unicodedata.normalize("NFD", word) if not unicodedata.combining(character))
