"""Every fixed sentence a visitor can read, one file a language in locales/."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "pt")
DEFAULT = "en"


def say(key: str, language: str, /, **values: str) -> str:
    """The sentence in that language, in English where the language is not shipped. Raise KeyError for an unknown key."""
    return str(_locale(shipped(language))[key]).format(**values)


def language_name(of: str, language: str) -> str:
    """What a language is called in another: ("en", "de") gives “Englisch”."""
    names: dict[str, str] = _locale(shipped(language))["languages"]
    return names.get(of, of)


def shipped(language: str) -> str:
    """The shipped language nearest to a tag such as pt-BR; English when there is none."""
    primary = language.replace("_", "-").split("-", maxsplit=1)[0].lower()
    return primary if primary in LANGUAGES else DEFAULT


def words(part: str, language: str) -> dict[str, str]:
    """All words of a part of the product (`widget`, `help`), by name, with their places for values left open."""
    return dict(_locale(shipped(language))[part])


def keys(language: str) -> set[str]:
    """The names of all sentences of a language, to compare languages with each other; those of a part as `part.name`."""
    found = _locale(language).items()
    return {name for name, value in found if isinstance(value, str)} | {
        f"{part}.{name}" for part, names in found if isinstance(names, dict) for name in names
    }


@cache
def _locale(language: str) -> dict[str, Any]:
    file = Path(__file__).parent / "locales" / f"{language}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))
