"""A language that neither encoder knows goes to a person: nobody should be guessed at."""

import unicodedata

from guardrails.findings import Action, Finding, Stage
from guardrails.settings import GuardSettings

POLICY = "unknown_language"

# What the multilingual encoder was trained on (Yang et al. 2019, table 1).
KNOWN = frozenset("ar de en es fr it ja ko nl pl pt ru th tr zh".split())
KNOWN_SCRIPTS = frozenset("LATIN ARABIC CJK HIRAGANA KATAKANA HANGUL CYRILLIC THAI FULLWIDTH HALFWIDTH".split())
SCRIPT_SHARE = 0.6  # of the letters, before the script alone decides


def unknown_language(text: str, language: str | None, confidence: float, settings: GuardSettings) -> Finding | None:
    """A finding when the text is surely in a language we cannot judge; `language` is a two-letter code or None."""
    if len(text.split()) < settings.unknown_language_words:
        return None
    foreign = _unknown_script(text)
    detected = language is not None and language not in KNOWN and confidence >= settings.unknown_language_confidence
    if not foreign and not detected:
        return None
    reason = f"written in {language or 'a script'} that no encoder here knows"
    return Finding(POLICY, Stage.INCOMING, Action.HANDOVER, confidence if detected else 1.0, (0, len(text)), enforced=True, reason=reason)


def _unknown_script(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    if not letters or text.isascii():
        return False
    unknown = sum(unicodedata.name(c, "LATIN").split()[0].split("-")[0] not in KNOWN_SCRIPTS for c in letters)
    return unknown > SCRIPT_SHARE * len(letters)
