"""One line of what an article says about a question, shown under its title where a visitor chooses. It is no citation."""

import re
from collections.abc import Iterator, Sequence

from assistant.blocks import Block, Kind, blocks
from assistant.quoting import Source
from assistant.relevance import Question, Rarity, stems
from knowledge.passages import plain

LONGEST = 150  # characters: two lines in the panel
ELLIPSIS = "…"
HEADING = 0.5  # of what a word of the question is worth in the sentence, when it stands in the heading above

_MARK = re.compile(r"^\s*(?:\d{1,4}[.)]|[-*+•])\s+")  # of a list
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?。！？])\s+")  # not after the number of a step


def preview(question: str, passages: Sequence[Source], rarity: Rarity | None) -> str:
    """The passages from the sentence on that shares most with the question, in one line without marks; empty when they have no text.

    Where nothing is shared, or several share the same, the first one.
    """
    asked = Question.read(question, rarity or _equal)
    found = list(_sentences(passages))
    if not found:
        return ""
    worth = [asked.cover(asked.words.keys() & set(stems(text))) + HEADING * _above(asked, block) for block, text in found]
    first = max(range(len(found)), key=lambda at: (worth[at], -at))
    return one_line(" ".join(_MARK.sub("", plain(text)) for text in _following(found, first)))


def one_line(text: str) -> str:
    """The words in one line of at most `LONGEST` characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    kept, _, _ = text[: LONGEST - len(ELLIPSIS) + 1].rpartition(" ")
    return (kept or text[: LONGEST - len(ELLIPSIS)]).rstrip(" ,;:–-") + ELLIPSIS


def _sentences(passages: Sequence[Source]) -> Iterator[tuple[Block, str]]:
    for block in blocks((passage.heading_path, passage.text) for passage in passages):
        yield from ((block, sentence) for sentence in _SENTENCE_END.split(block.text) if sentence.strip())


def _following(found: Sequence[tuple[Block, str]], first: int) -> Iterator[str]:
    """The sentences from one on, under the same heading, and not from a text into a table."""
    begun = found[first][0]
    for block, sentence in found[first:]:
        if block.path != begun.path or (block.kind is Kind.ROW) != (begun.kind is Kind.ROW):
            return
        yield sentence


def _above(asked: Question, block: Block) -> float:
    return asked.cover(asked.words.keys() & set(stems(" ".join(block.path))))


def _equal(_: str) -> float:
    return 1.0
