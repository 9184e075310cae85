"""What language a text is in, and the stem of an English word."""

from functools import cache

import Stemmer


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


def stem(word: str) -> str:
    """The English stem of a lower-case word."""
    return str(_stemmer().stemWord(word))


def detect(text: str) -> str | None:
    """The language of a text, or None when it is too short to tell."""
    return None
