"""Slips of the pen in a question, put right with the words of the articles.

A word is a slip when neither the articles nor the main encoder's own vocabulary know it (a list of 30,000
English words that stands in its package); it becomes a word of the articles that is one letter away, or a
frequent English one. An encoder cuts a misspelt word into meaningless pieces, so one slip costs a whole question.
"""

import re
import string
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from knowledge.embedding import MINILM_PACKAGE, ModelFileError, package_folder
from knowledge.language import function_words, stem

SHORTEST, SHORTEST_GENERAL = 4, 6  # letters of a word that may be a slip, and of one that becomes a word outside the articles
FREQUENT = 22_000  # place in the vocabulary, most frequent first, up to which such a word may stand
LONGEST = 20  # letters; the words one letter away from a longer one are too many, and it is hardly a word
MOST_SLIPS = 0.5  # of the words: a text with more is in another language
MOST_WORDS = 60  # different ones of a text: a longer one is a log or a letter, and has enough good words

# Words the vocabulary lacks although everybody writes them.
EVERYDAY = frozenset(
    "cant dont wont didnt doesnt isnt wasnt couldnt shouldnt wouldnt havent hasnt arent werent youre theyre thats whats wheres"
    " login logins logout signup signin wifi docs faqs apps urls csvs pdfs sms emails app admin config cron json yaml oauth saml"
    " iban sepa paypal dropdown checkbox popup screenshot screenshots tooltip username usernames laptop laptops smartphone".split()
)

_WORD = re.compile(r"[^\W\d_]+")

Count = Callable[[str], int]
"""A stemmed word → how many live passages hold it."""


def corrected(text: str, count: Count) -> str:
    """The text with its slips put right; the same text when there are none, or too many to be slips."""
    if not _places():
        return text
    words = list(dict.fromkeys(_WORD.findall(text)))
    if len(words) > MOST_WORDS:
        return text
    slips = [word for word in words if _is_slip(word, count, first=text.lstrip().startswith(word))]
    if not slips or len(slips) > max(1.0, MOST_SLIPS * len(words)):
        return text
    meant = {slip: _meant(slip.lower(), count) for slip in slips}
    return _WORD.sub(lambda match: meant.get(match[0], match[0]), text)


@cache
def _places() -> dict[str, int]:
    """The place of each English word in the vocabulary; none when the package is not installed."""
    try:
        file: Path = package_folder(MINILM_PACKAGE) / "model" / "vocab.txt"
        lines = file.read_text(encoding="utf-8").split("\n")
    except (ModelFileError, OSError):
        return {}
    return {word: place for place, word in enumerate(lines) if len(word) > 1 and word.isascii() and word.isalpha()}


@cache
def _stems() -> frozenset[str]:
    return frozenset(stem(word) for word in _places())


def _is_slip(word: str, count: Count, *, first: bool) -> bool:
    """Names and abbreviations are left alone: capitals count only at the beginning of the text."""
    written_small = word.islower() or (first and word[1:].islower())
    if not SHORTEST <= len(word) <= LONGEST or not written_small or not word.isascii():
        return False
    small = word.lower()
    known = small in EVERYDAY or small in _places() or stem(small) in _stems()
    return not known and not count(stem(small))


def _meant(slip: str, count: Count) -> str:
    """The likeliest word one letter away: of the articles, two letters swapped first, else in general use."""
    near = set(_one_letter_away(slip))
    swapped = set(_swapped(slip))
    own = [word for word in near if _is_of_articles(word, count) and (word in _places() or word in swapped or _is_other(word, slip))]
    if own:
        return max(own, key=lambda word: (word in swapped, word in _places(), count(stem(word)), word))
    general = [word for word in near if _places().get(word, FREQUENT) < FREQUENT] if len(slip) >= SHORTEST_GENERAL else []
    return min(general, key=lambda word: (word not in swapped, _places()[word]), default=slip)


def _is_of_articles(word: str, count: Count) -> bool:
    return len(word) >= SHORTEST and word not in function_words("en") and count(stem(word)) > 0


def _is_other(word: str, slip: str) -> bool:
    """Whether a word that English lacks is another one than the slip, not one more ending of it, and itself a plain form."""
    return len(word) - len(stem(word)) <= 1 and word[:-2] != slip[: len(word) - 2]


def _swapped(word: str) -> Iterator[str]:
    for n in range(len(word) - 1):
        yield word[:n] + word[n + 1] + word[n] + word[n + 2 :]


def _one_letter_away(word: str) -> Iterator[str]:
    """Every string made by swapping, dropping, replacing or adding one letter; the first is only swapped or added to.

    Whoever slips hits the first letter, and another one often makes the opposite: deactivate, reactivate.
    """
    yield from _swapped(word)
    for n in range(len(word) + 1):
        before, after = word[:n], word[n:]
        yield from (before + letter + after for letter in string.ascii_lowercase)
        if n and after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in string.ascii_lowercase)
