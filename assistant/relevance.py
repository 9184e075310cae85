"""How much each unit of an article says about a question, judged by words, headings and kind of text alone.

What answers rarely repeats the question; what repeats the question is often only the complaint.
So the heading above a unit and the kind of its section count as much as shared words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assistant.units import Unit
from knowledge.keywords import terms

Rarity = Callable[[str], float]
Key = TypeVar("Key")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Stems (as `knowledge.keywords.terms` makes them) that tell from its heading what a section of a support article does.
ANSWERS = _words(
    """action answer conclus correct fix how instruct mitig procedur recommend remedi repair resolut resolv respons solut solv step
    workaround"""
)
EXPLAINS = _words("background becaus caus explan reason whi")
COMPLAINS = _words("abstract environ error introduct issu messag overview problem question summari symptom")
ADMINISTERS = _words(
    """acknowledg alia bookmark chang copyright disclaim feedback histori keyword legal metadata next notifi refer relat revis
    subscrib synonym tag trademark"""
)
PREPARES = _words("befor prepar prerequisit")
STOP = _words(
    """a abl about after again all also am an and ani anyth are around as at be been befor between both but by can cannot could
    did do doe done each even ever everyth few for from get had has have he help her here hi how i if in into is it its just
    know like mani me more most much my need never not now of on one onli or our out pleas realli s same see seem sinc so
    some someth still such t tell than thank that the their them then there these they thing this those to too tri up us use
    veri want was we were what when where whi which while who will with would yet you your"""
)

_FACT = re.compile(  # asks for a fact; every other message wants something done, question mark or not
    r"(?:^|[.?!]\s+|\b(?:and|so|but|know|see|understand|wonder)\s+|,\s+)(?:is|are|does|do|did|will|has|was|who|when|why|what|which)\b"
    r"|\bhow (?:much|many|long|often|big|large|far|soon|old)\b|\b(?:limits?|costs?|maximum)\W*$|\b(?:why|error)\b",
    re.IGNORECASE | re.MULTILINE,
)
_WHY = re.compile(r"\bwhy\b|\bcauses?\b|\breasons?\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\bhow (?:much|many|long|often|big|large|far|soon)\b|\bwhen\b|\blimits?\b|\bmaximum\b|\bcosts?\b|\bprices?\b", re.IGNORECASE
)
_ANNOUNCES = re.compile(
    r"\b(?:this|the following) (?:article|page|guide|document|technote|topic|section|tutorial)\b|\byou(?:['’]ll| will) learn\b"
    r"|\A\W*(?:by the end\b|after (?:reading )?this\b|you(?:['’]ll| will)\b|(?:learn|read|find out|see|here is) (?:about|how|what)\b)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
REACH = 100  # words under a heading after which what it promises counts half
FEW_WORDS = 12  # say nothing about whether they are everyday words
KEYWORD_LIST = 0.06  # a paragraph with a smaller share of everyday words is a list of keywords or links


@dataclass(frozen=True)
class Weights:
    """What speaks for a unit, per word of it; chosen by hand on techqa and on our own help centre; none is decisive alone."""

    base: float = 0.2
    overlap: float = 0.5  # question words in the unit
    section: float = 0.3  # question words anywhere under the same heading
    heading: float = 0.4  # question words in the heading
    score: float = 0.3  # the search's opinion of the passage
    early: float = 0.3
    opening: float = 0.2
    answers: float = 0.6
    explains: float = 0.2
    complains: float = -0.4
    prepares: float = -0.1
    administers: float = -1.0
    steps: float = 0.3  # where something is to be done
    first_steps: float = 0.3  # and once more for the first list of steps: the task the article is about
    numbers: float = 0.1
    announces: float = -1.0
    keywords: float = -1.0


WEIGHTS = Weights()


@dataclass(frozen=True)
class Question:
    """What is asked: its words with their weight, and what kind of answer it calls for."""

    words: Mapping[str, float]
    task: bool
    why: bool
    amount: bool

    @classmethod
    def read(cls, text: str, rarity: Rarity) -> "Question":
        """From the visitor's words."""
        words = {stem: rarity(stem) for stem in stems(text)}
        return cls(words, not _FACT.search(text), bool(_WHY.search(text)), bool(_AMOUNT.search(text)))

    def cover(self, found: set[str]) -> float:
        """The weight of the question's words that are among the found ones."""
        return sum(self.words[stem] for stem in found & self.words.keys())

    def touched(self, text: str) -> float:
        """About the share of the question's weight that occurs in a text; quick, for many texts."""
        lower = text.casefold()
        return sum(weight for stem, weight in self.words.items() if stem in lower) / (sum(self.words.values()) or 1.0)


def stems(text: str) -> set[str]:
    """The distinct words of a text that carry meaning."""
    return {word for word in terms(text.encode("utf-8", "replace").decode()) if word not in STOP}


def values(question: Question, parts: Sequence[Unit], scores: Sequence[float]) -> list[float]:
    """One number per unit: worth of a word of it; `scores` are the search's, of the passage each unit begins in."""
    found = [stems(unit.text) for unit in parts]
    sections: dict[tuple[str, ...], set[str]] = {}
    for unit, words in zip(parts, found, strict=True):
        sections.setdefault(unit.path, set()).update(words & question.words.keys())
    section = _relative({path: question.cover(words) for path, words in sections.items()})
    heading = _relative({path: question.cover(stems(" ".join(path))) for path in sections})
    kinds = {path: _kind_of(path, question) for path in sections}
    overlap = _relative({n: question.cover(words) for n, words in enumerate(found)})
    score = _relative(dict(enumerate(scores)))
    near = _nearness(parts)
    main = next((n for n, unit in enumerate(parts) if unit.has_steps), None) if question.task else None
    w = WEIGHTS
    return [
        w.base
        + w.overlap * overlap[n]
        + w.section * section[unit.path]
        + w.heading * heading[unit.path]
        + w.score * score[n]
        + w.early * (1 - n / len(parts))
        + kinds[unit.path] * (near[n] if kinds[unit.path] > 0 else 1)
        + w.opening * near[n]
        + w.first_steps * (n == main)
        + _by_text(unit, question)
        for n, unit in enumerate(parts)
    ]


def _relative(numbers: Mapping[Key, float]) -> dict[Key, float]:
    """The same numbers with the highest at 1; all 0 when none is above."""
    top = max(numbers.values(), default=0.0)
    return {key: max(0.0, value) / top if top > 0 else 0.0 for key, value in numbers.items()}


def _nearness(parts: Sequence[Unit]) -> list[float]:
    """Per unit: 1 right under its heading, less with every word between."""
    out: list[float] = []
    between = 0
    for n, unit in enumerate(parts):
        if n == 0 or unit.path != parts[n - 1].path:
            between = 0
        out.append(REACH / (REACH + between))
        between += unit.words
    return out


def _kind_of(path: tuple[str, ...], question: Question) -> float:
    """What the innermost telling heading adds."""
    w = WEIGHTS
    worth = (
        (ADMINISTERS, w.administers),
        (PREPARES, w.prepares),
        (ANSWERS, w.explains if question.why else w.answers),
        (EXPLAINS, w.answers if question.why else w.explains),
        (COMPLAINS, w.complains),
    )
    for heading in reversed(path):
        words = set(terms(heading.encode("utf-8", "replace").decode()))
        for group, value in worth:
            if words & group:
                return value
    return 0.0


def _by_text(unit: Unit, question: Question) -> float:
    """What the text itself adds: steps for a how, numbers for an amount; announcements and keyword lists lose."""
    w = WEIGHTS
    value = 0.0
    if question.task and unit.has_steps:
        value += w.steps
    if question.amount and _DIGIT.search(unit.text):
        value += w.numbers
    if len(unit.blocks) == 1:
        value += w.announces * bool(_ANNOUNCES.search(unit.text)) + w.keywords * _is_keywords(unit)
    return value


def _is_keywords(unit: Unit) -> bool:
    words = unit.text.casefold().split()
    return len(words) >= FEW_WORDS and sum(word in STOP for word in words) < KEYWORD_LIST * len(words)
