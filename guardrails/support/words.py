"""A text as words, clauses and sentences: what a claim and its passages are compared by."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from guardrails.support.cues import cues, stem
from guardrails.support.facts import Fact, facts

_TOKEN = re.compile(
    r"https?://[^\s<>()\[\]\"']+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # addresses
    r"|\d{1,2}[:.]\d{2}(?!\d)(?=\s?(?:[ap]\.?m|uhr|h\b)|[^\d%€$£]|$)"  # times
    r"|\d+(?:[.,\u202f']\d+)*"
    r"|[^\W\d_]+(?:\d+[^\W_]*)?(?:['’](?=[^\W\d_])[^\W\d_]+)*|[%€$£¥>]"
)
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\.?(?=\W|$)", re.IGNORECASE)
_NOT = re.compile(r"n['’]t\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;:])[\"'”»)\]*_]{0,3}\s+|\n+")
_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|z\.b|approx|ca|no|nr|vs|etc|mr|mrs|dr|st)\.)$", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[,;:()–—]|\s-\s|\b(?:and|but|while|whereas|though|although|if|unless|until|when|as long as|provided|because|so that|otherwise|or|then"
    r"|which|who|und|aber|wenn|oder|et|mais|si|ou|y|pero|o|e|mas|se)\b",
    re.IGNORECASE,
)
_PART = r"[A-Z0-9][\w'&-]*(?: (?!(?:and|to|for|in|at|then|on|or|by|with|und|et|y|e)\b)[a-z][\w'&-]*){0,2}"
_MENU = re.compile(rf"\*\*([^*\n]{{2,80}})\*\*|({_PART}(?:\s*[>→›]\s*{_PART})+)")
_SINGLE = re.compile(r"\s*[>→›]\s*")


@dataclass(frozen=True)
class Word:
    """One word: as written, lower-case, its stem, whether it carries meaning, and whether it is written as a name inside a sentence."""

    text: str
    lower: str
    stem: str
    content: bool
    name: bool
    start: int
    end: int


@dataclass(frozen=True)
class Text:
    """A text in words; `sentences` and `clauses` are ranges of words."""

    text: str
    words: tuple[Word, ...]
    sentences: tuple[tuple[int, int], ...]
    clauses: tuple[tuple[int, int], ...]

    @cached_property
    def facts(self) -> list[Fact]:
        """Its numbers."""
        return facts([word.lower for word in self.words])

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all its words."""
        return frozenset(word.stem for word in self.words)

    @cached_property
    def content(self) -> list[int]:
        """Places of the words that carry meaning and are no numbers."""
        numbers = {place for fact in self.facts for place in range(fact.start, fact.end)}
        return [place for place, word in enumerate(self.words) if word.content and place not in numbers]

    @cached_property
    def menus(self) -> list[str]:
        """Names of buttons and menus, lower-case: what is bold, and the parts of paths."""
        found = [part if match[1] else _named(part) for match in _MENU.finditer(self.text) for part in _SINGLE.split(match[1] or match[2])]
        return [part.strip().lower() for part in found if part.strip()]

    def said(self, start: int, end: int) -> str:
        """The words of a range as they are written."""
        return self.text[self.words[start].start : self.words[end - 1].end]


def _named(part: str) -> str:
    """A part of a path without what the sentence goes on with: “Calendar no later” is a menu called Calendar."""
    first, *rest = part.split()
    ends = next((n for n, word in enumerate(rest) if word in cues().stop), len(rest))
    return " ".join((first, *rest[:ends]))


def read(text: str) -> Text:
    """Words, clauses and sentences of a text; markup is left out, contractions of “not” become a word of their own."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    plain = _NOT.sub(
        " not", plain.replace("can't", "can not").replace("Can't", "Can not").replace("won't", "will not").replace("cannot", "can not")
    )
    plain = _MERIDIEM.sub(r"\1m", plain)
    words = _words(plain)
    sentences = _ranges(words, _sentence_cuts(plain))
    return Text(plain, tuple(words), tuple(sentences), tuple(_clauses(plain, words, sentences)))


def _words(plain: str) -> list[Word]:
    starts = {0} | set(_sentence_cuts(plain))
    found: list[Word] = []
    for match in _TOKEN.finditer(plain):
        written = match.group().rstrip(".,")
        lower = written.lower()
        first = any(start <= match.start() and not plain[start : match.start()].strip(" \t*_#>-–•\"'“(0123456789.)") for start in starts)
        sign = len(written) == 1 and not written.isalnum()
        content = lower not in cues().stop and not sign and len(lower) > 1
        capital = written[:1].isupper() or (any(c.isdigit() for c in written) and any(c.isalpha() for c in written))
        found.append(
            Word(written, lower, stem(lower), content, capital and not first and lower not in cues().stop, match.start(), match.end())
        )
    return found


def _sentence_cuts(plain: str) -> list[int]:
    return [match.end() for match in _SENTENCE.finditer(plain) if not _ABBREVIATED.search(plain[: match.start()])]


def _ranges(words: Sequence[Word], cuts: Sequence[int]) -> list[tuple[int, int]]:
    ranges, start = [], 0
    for cut in [*cuts, None]:
        end = start
        while end < len(words) and (cut is None or words[end].start < cut):
            end += 1
        if end > start:
            ranges.append((start, end))
        start = end
    return ranges


MIN_CLAUSE = 2  # content words; a shorter piece belongs to the one before


def _clauses(plain: str, words: Sequence[Word], sentences: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sentences cut at commas and conjunctions; the conjunction begins the clause that it governs."""
    clauses: list[tuple[int, int]] = []
    for start, end in sentences:
        cuts = [m.start() if m.group().isalpha() else m.end() for m in _CLAUSE.finditer(plain, words[start].start, words[end - 1].end)]
        open_from = start
        for cut in cuts:
            at = next((n for n in range(open_from, end) if words[n].start >= cut), end)
            if _meaning(words, open_from, at) >= MIN_CLAUSE and _meaning(words, at, end) >= MIN_CLAUSE:
                clauses.append((open_from, at))
                open_from = at
        if open_from < end:
            clauses.append((open_from, end))
    return clauses


def _meaning(words: Sequence[Word], start: int, end: int) -> int:
    return sum(word.content or word.lower.isdigit() for word in words[start:end])


def concepts(words: Sequence[Word]) -> Mapping[str, int]:
    """How often each concept of the cues is named."""
    return {name: sum(word.lower in members for word in words) for name, members in cues().concepts.items()}
