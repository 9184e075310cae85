"""From a message and what was said before to a question that stands alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.tables import Role

TERSE = 3  # so few words rarely say what they are about
LONG_ENOUGH = 8  # a message with more words than this rarely needs what came before
OPENERS = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|what if|why|why not|same for|is that|does that|does it|can i|and if"
    r"|und|aber|oder|auch|was ist mit|wie ist es mit|wieso|warum"
    r"|et|mais|ou|aussi|qu['’]en est-il|pourquoi"
    r"|y|pero|o|también|qué pasa con|y si|por qué"
    r"|e|mas|ou|também|e se|e quanto a|por quê)\b",
    re.IGNORECASE,
)
POINTERS = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|there|one|ones|both|other|else|instead|same|former|latter"
    r"|das|dies|diese|dieser|dafür|damit|darüber|dort|es|sie|ihn|ça|cela|celui|celle|ceux|elle|lui|eso|esto|ese|esa|ello|lo|ahí|isso|isto|esse|essa|ele|ela|lá)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """One earlier message."""

    role: Role
    text: str


@dataclass(frozen=True)
class Question:
    """What is searched for; `leans_on` is the earlier message it was completed with, if any."""

    text: str
    leans_on: str | None = None


def restate(history: Sequence[Said], text: str) -> Question:
    """The message itself, or, when it cannot be understood alone, together with the question before it."""
    earlier = [said.text for said in history if said.role is Role.VISITOR]
    if not earlier or not _leans(text):
        return Question(text)
    return Question(f"{text}\n{earlier[-1]}", leans_on=earlier[-1])


def _leans(text: str) -> bool:
    """Whether a message points back: it is short and opens as a continuation, or speaks of “it” without naming it."""
    words = len(text.split())
    if words <= TERSE:
        return True
    return words <= LONG_ENOUGH and bool(OPENERS.search(text) or POINTERS.search(text))
