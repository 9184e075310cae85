"""What in a sentence is specific: a number, a name, a date, a link, a code; what could tell whose case it was.

A word counts as specific unless it is known to be plain: in small letters in the lists of words that this project's own texts use
(data/plain_words.txt, five languages), or its English stem is. A capital inside a sentence makes any word specific, for a name may be
a word too. So a fact that we know nothing of errs on the side of privacy; it enters an answer when others say it as well.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from knowledge.language import function_words, stem

PLAIN = Path(__file__).parent / "data" / "plain_words.txt"

_TOKEN = re.compile(
    r"(?P<placeholder>\[[A-Z_]{2,20}\])"
    r"|(?P<link>(?:https?://|www\.)[^\s<>()\[\]\"']+|(?<![\w.@-])[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|eu|de|fr|es|pt|uk|gov|edu|app|dev|example|info)\b(?:/[^\s<>()\"']*)?)"
    r"|(?P<mail>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<code>(?=[\w#/-]*\d)(?=[\w#/-]*[^\W\d])[#\w][\w#/-]*\w|#\w+|\w+_\w+)"
    r"|(?P<number>\d+(?:[.,:/]\d+)*(?:-\d+(?:-\d+)+)?)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)"
)
_NUMBERS = {
    2: "two zwei deux dos dois duas",
    3: "three drei trois tres três",
    4: "four vier quatre cuatro quatro",
    5: "five fünf cinq cinco",
    6: "six sechs seis",
    7: "seven sieben sept siete sete",
    8: "eight acht huit ocho oito",
    9: "nine neun neuf nueve nove",
    10: "ten zehn dix diez dez",
    11: "eleven elf onze once",
    12: "twelve zwölf douze doce doze",
    13: "thirteen dreizehn treize trece treze",
    14: "fourteen vierzehn quatorze catorce catorze",
    15: "fifteen fünfzehn quinze quince",
    16: "sixteen sechzehn seize",
    17: "seventeen siebzehn",
    18: "eighteen achtzehn",
    19: "nineteen neunzehn",
    20: "twenty zwanzig vingt veinte vinte",
    30: "thirty dreißig trente treinta trinta",
    40: "forty vierzig quarante",
    50: "fifty fünfzig cinquante",
    60: "sixty sechzig soixante",
    70: "seventy siebzig",
    80: "eighty achtzig",
    90: "ninety neunzig",
    100: "hundred hundert cent cien cem",
    1000: "thousand tausend mille mil",
    1_000_000: "million",
}
_NUMBER_WORDS = {word: str(number) for number, words in _NUMBERS.items() for word in words.split()}
_DAYS = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday thursday friday"
    " saturday sunday".split()
)
_SENTENCE_START = re.compile(r"(?:^|[.!?…:;]\s+|\n\s*|[\"“„«(*\[>]\s*|[-*•]\s+|\d[.)]\s+)$")
_NOUNS_ARE_CAPITALS = frozenset({"de"})


def words_of(text: str) -> frozenset[str]:
    """The stems of all words and numbers of a text."""
    return frozenset(stem(word) for word in re.findall(r"[^\W_]+", _folded(text)))


def facts_in(text: str, language: str = "en") -> frozenset[str]:
    """What is specific in a text, each in one form however it is written."""
    return frozenset(place.fact for place in places_in(text, language))


@dataclass(frozen=True)
class Place:
    """Where something specific stands in a text, and its form."""

    start: int
    end: int
    fact: str


def places_in(text: str, language: str = "en") -> list[Place]:
    """What is specific in a text, in order, with where it stands."""
    found: list[Place] = []
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind != "word":
            found.append(Place(*match.span(), _plain_form(kind, match.group())))
        elif _is_specific(match.group(), first=bool(_SENTENCE_START.search(text[: match.start()])), language=language):
            small = _folded(match.group())
            found.append(Place(*match.span(), _NUMBER_WORDS.get(small, small.removesuffix("'s"))))
    return found


def is_plain(word: str) -> bool:
    """Whether a word names nobody and nothing in particular."""
    small = _folded(word)
    bare = small.partition("'")[0] if small.endswith(("'s", "'re", "'ll", "'ve", "'d", "'m")) else small
    return len(bare) < 2 or bare in _words() or stem(bare) in _stems()  # noqa: PLR2004 - a letter alone names nothing


def _is_specific(word: str, *, first: bool, language: str) -> bool:
    small = _folded(word)
    if small in _NUMBER_WORDS or (small in _DAYS and word[0].isupper()):
        return True
    capital = word[0].isupper() and len(word) > 1 and small not in _always_capital()
    if capital and not first and language not in _NOUNS_ARE_CAPITALS:
        return True
    return not is_plain(word)


def _plain_form(kind: str, text: str) -> str:
    """The same fact in one form: 1,000 and 1.000 and 1000, http and https, with and without www."""
    small = _folded(text).strip(".,:;/- ")
    if kind == "link":
        return re.sub(r"^(?:https?://)?(?:www\.)?", "", small).rstrip("/")
    if kind == "number":
        return re.sub(r"[.,](?=\d{3}(?:\D|$))", "", small).replace(" ", "")
    return small


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("’", "'")


@cache
def _always_capital() -> frozenset[str]:
    return frozenset({"i", "i'm", "i'll", "i've", "i'd", "ok", "faq", "faqs", "url", "pdf"})


@cache
def _words() -> frozenset[str]:
    lines = PLAIN.read_text(encoding="utf-8").split("\n")
    grammar: Iterable[str] = (word for language in ("en", "de", "fr", "es", "pt") for word in function_words(language))
    return frozenset(line for line in lines if line and not line.startswith("#")) | frozenset(grammar)


@cache
def _stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _words())
