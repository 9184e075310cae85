"""A language that neither encoder knows goes to a person: nobody should be guessed at."""

import re
import unicodedata

from guardrails.findings import Action, Finding, Stage
from guardrails.settings import GuardSettings

POLICY = "unknown_language"

# What the multilingual encoder was trained on (Yang et al. 2019, table 1).
KNOWN = frozenset(["ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh"])
KNOWN_SCRIPTS = frozenset(["LATIN", "ARABIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "CYRILLIC", "THAI", "FULLWIDTH", "HALFWIDTH"])
# Function words of the languages neither knows that are written in Latin letters, without those an English text might hold.
FOREIGN = {
    language: frozenset(words.split())
    for language, words in {
        "sv": "och att det som på är för inte jag har till om kan från när hur mitt mina varför vad också eller ni ska skulle",
        "da": "og det er jeg ikke på hvordan kan til hvor når hvorfor også eller skal mit mine jer hvad har fra",
        "no": "og det er jeg ikke på hvordan kan til hvor når hvorfor også eller skal mitt mine dere hva har fra",
        "fi": "ja ei olen miten mutta että minun voinko kun jos mikä missä olla tämä voi minulle teidän sen ovat kuinka",
        "hu": "az és nem hogy egy meg de ha mint ez nekem miért hol mikor szeretnék van kell vagy csak már még",
        "cs": "je se že jak jsem ale kde proč můj nebo jako pro když mám není chci kdy na si bych",
        "sk": "je sa že ako som ale kde prečo môj alebo pre keď mám nie chcem kedy na si by",
        "ro": "și nu este cum să pe cu mea meu unde când pentru care vreau din sunt mi dar acest",
        "hr": "je se da kako sam ali gdje zašto moj ili za kada imam nije želim na što mi nisam",
        "vi": "tôi không của là và cho có được này như thế nào với bạn muốn khi ở đã",
        "id": "saya tidak yang dan bagaimana apa ini untuk dengan bisa kapan mengapa akun ke dari sudah belum",
    }.items()
}
MIN_FOREIGN = 3  # different function words of one language …
FOREIGN_SHARE = 0.3  # … making up this share of the words, before the language counts as recognised
SCRIPT_SHARE = 0.6  # of the letters, before the script alone decides


def unknown_language(text: str, language: str | None, settings: GuardSettings) -> Finding | None:
    """A finding when the text is in a language we cannot judge; `language` is its code when it was surely recognised, else None."""
    if len(text.split()) < settings.unknown_language_words:
        return None
    if language == "en":
        return None
    found = "another script" if _unknown_script(text) else _foreign(text)
    if found is None and language is not None and language not in KNOWN:
        found = language
    if found is None:
        return None
    reason = f"written in a language that no encoder here knows ({found})"
    return Finding(POLICY, Stage.INCOMING, Action.HANDOVER, 1.0, (0, len(text)), enforced=True, reason=reason)


def _unknown_script(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    if not letters or text.isascii():
        return False
    unknown = sum(unicodedata.name(c, "LATIN").split()[0].split("-")[0] not in KNOWN_SCRIPTS for c in letters)
    return unknown > SCRIPT_SHARE * len(letters)


def _foreign(text: str) -> str | None:
    """The language outside KNOWN whose function words fill the text; None when no one's do."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    hits = {language: [word for word in words if word in known] for language, known in FOREIGN.items()}
    best = max(hits, key=lambda language: len(set(hits[language])))
    return best if len(set(hits[best])) >= MIN_FOREIGN and len(hits[best]) >= FOREIGN_SHARE * len(words) else None
