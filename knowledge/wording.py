"""The most telling wording of a group of questions, and the same as a FAQ would ask it."""

import re
from collections.abc import Sequence

import numpy as np

from knowledge.vectors import Vectors

SHORTEST, LONGEST = 4, 16  # words of a wording that makes a good title
HARDLY = 0.08  # taken off the likeness of one that is shorter, longer, or no question

_ASKS = re.compile(
    r"^(?:how|what|why|where|when|which|who|can|could|do|does|did|is|are|will|would|should|may|has|have|am|wie|was|warum|wieso|wo|wann"
    r"|welche[rsn]?|wer|kann|können|ist|sind|darf|muss|comment|pourquoi|où|quand|quel(?:le)?s?|qui|est-ce|puis-je|peut-on|cómo|como|qué"
    r"|por qué|porque|dónde|cuándo|cuál|quién|puedo|se puede|onde|quando|qual|quem|posso)\b",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"^(?:(?:please )?(?:help me|tell me|explain|show me)(?: (?:to|how to|how i can|how do i))?"
    r"|(?:i|we)(?:'d| would)? (?:want|need|like|wish|am trying|'m trying|try|have) (?:to|help(?: to)?|to know how to)"
    r"|i(?:'m| am) (?:looking|trying) to|need to|want to|trying to)\s+(?=\w)",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|so|ok|okay|well|um|also|and)\b[,!. ]*)+|[,. ]*\b(?:please|thanks|thank you|thx)\b[.! ]*$", re.IGNORECASE
)


def central(questions: Sequence[str], rows: Vectors) -> str:
    """The question that is likest to all others, of a length that can be read at a glance where there is one."""
    if not len(questions):
        return ""
    alike = rows @ rows.mean(axis=0) if len(rows) else np.zeros(len(questions), dtype=np.float32)
    scores = [float(alike[at]) - HARDLY * _flaws(question) for at, question in enumerate(questions)]
    return as_question(questions[int(np.argmax(scores))])


def as_question(text: str) -> str:
    """A wording as the title of a FAQ: without politeness, with a capital, and a question where it can be made one."""
    bare = " ".join(_POLITE.sub("", _POLITE.sub("", text.strip())).split()).strip(" ,;:-–")
    asked, count = _WANTS.subn("how do I ", bare, count=1)
    bare = asked if count else bare
    first = re.split(r"(?<=[?])\s", bare)[0] if "?" in bare else bare
    titled = first[:1].upper() + first[1:]
    titled = re.sub(r"\bi\b(?=['’ ]|$)", "I", titled)
    return f"{titled.rstrip('.!? ')}?" if _ASKS.match(titled) or titled.endswith("?") else titled.rstrip(" .,;")


def _flaws(question: str) -> int:
    words = len(question.split())
    return int(not SHORTEST <= words <= LONGEST) + int(not _ASKS.match(question.strip()) and "?" not in question)
