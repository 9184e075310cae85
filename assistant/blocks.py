"""Reads passages as the blocks a person sees: headings, paragraphs, steps, table rows, code.

Help articles come as Markdown, but just as often as plain text in which a line in capitals is a
heading, so the scanner knows both. It looks at every line once, whatever the text is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

SHORT_LINE = 60  # characters; a longer line is no heading of a plain text
CAPITALS = 4  # letters; fewer are an abbreviation
HEADING_WORDS = 8  # most words of a line that stands alone and is read as a heading
LONGEST_PARAGRAPH = 60  # words; a longer paragraph is read sentence by sentence
LONGEST_LINE = 800  # characters; a longer one is no sentence

_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+|$)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_ITEM = re.compile(r"[ \t]{0,4}(?:[-*+•]|(\d{1,4})[.)])(?:[ \t]+|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_BOLD_LINE = re.compile(r"[ \t]*(\*\*|__)([^*_\n]{1,80})\1[ \t]*:?[ \t]*$")
# HTML comments, and link definitions that Markdown writers use as comments: nobody reads them on the page.
_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|^\[//\]: #[^\n]*$|\[//\]: # \([^)\n]*\)", re.MULTILINE | re.DOTALL)
_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()\n]*\)")
_LINK = re.compile(r"(?<!!)\[([^\[\]\n]*)\]\((?!https?:|mailto:|tel:)[^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+(?=[^\sa-z])")
_DELIMITER = re.compile(r"[ \t]*\|[ \t]*:?-")  # the line under the head of a table
_WORDLIKE = re.compile(r"\w")


class Kind(StrEnum):
    """What a block is to a reader."""

    HEADING = "heading"  # only while scanning: it lives on in the path of the blocks below it
    PARAGRAPH = "paragraph"
    STEP = "step"  # an item of a numbered list
    ITEM = "item"  # an item of a bulleted list
    ROW = "row"  # a line of a table
    CODE = "code"


@dataclass(frozen=True)
class Block:
    """The smallest thing that is never cut, and where it stands."""

    kind: Kind
    text: str  # as it may be quoted
    source: int  # which passage
    path: tuple[str, ...]  # the headings above it
    glue: str  # what stood between it and the block before; "" at the start of a passage
    number: int = 0  # of a step
    indent: int = 0

    @cached_property
    def words(self) -> int:
        """Words as a reader counts them."""
        return count_words(self.text)


def count_words(text: str) -> int:
    """Words as a reader counts them: bullets, bars and other marks are none."""
    return sum(1 for token in text.split() if _WORDLIKE.search(token))


def blocks(passages: Iterable[tuple[tuple[str, ...], str]]) -> Iterator[Block]:
    """The blocks of passages given as heading path and raw Markdown, in order; what shows no word is left out.

    A heading inside a passage also stands above the next passage when that one brings no other path,
    unless an empty one stands between them: that is a passage nobody wants read.
    """
    own: tuple[str, ...] = ()
    before: tuple[str, ...] | None = None
    for source, (path, markdown) in enumerate(passages):
        if path != before or not markdown:
            own, before = (), path
        for kind, text, glue in _scan(markdown.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")):
            shown = _quotable(text)
            if not _WORDLIKE.search(shown) and not (kind is Kind.ROW and _DELIMITER.match(shown)):
                continue
            if kind is Kind.HEADING:
                own = (_heading_text(shown),)
            else:
                yield from _finished(kind, shown, source, (*path, *own), glue)


def _finished(kind: Kind, text: str, source: int, path: tuple[str, ...], glue: str) -> Iterator[Block]:
    if kind is Kind.PARAGRAPH:
        text = text.strip()
    item = _ITEM.match(text) if kind is Kind.ITEM else None
    if item and item[1]:
        yield Block(Kind.STEP, text, source, path, glue, int(item[1]), len(text) - len(text.lstrip()))
    elif kind is Kind.PARAGRAPH and len(text.split()) > LONGEST_PARAGRAPH:
        for n, sentence in enumerate(_sentences(text)):
            yield Block(kind, sentence, source, path, glue if n == 0 else " ")
    else:
        yield Block(kind, text, source, path, glue)


def _sentences(text: str) -> Iterator[str]:
    """What ends in no stop for a long time is cut at lines, or anywhere between words."""
    for sentence in _SENTENCE_END.split(text):
        lines = sentence.split("\n") if len(sentence.split()) > 2 * LONGEST_PARAGRAPH else [sentence]
        for line in lines:
            words = line.split(" ") if len(line) > LONGEST_LINE else [line]
            for start in range(0, len(words), LONGEST_PARAGRAPH):
                yield " ".join(words[start : start + LONGEST_PARAGRAPH])


def _quotable(text: str) -> str:
    """What a reader sees: no comments, no images; links that lead nowhere outside their article are reduced to their text."""
    return _LINK.sub(r"\1", _IMAGE.sub("", _UNSEEN.sub("", text))).rstrip()


def _heading_text(line: str) -> str:
    return line.strip().strip("#*_").strip().rstrip(":").strip()


def _scan(lines: Sequence[str]) -> Iterator[tuple[Kind, str, str]]:
    """Kind, raw text and glue of each block."""
    at, glue = 0, ""
    while at < len(lines):
        if not lines[at].strip():
            at, glue = at + 1, "\n\n"
            continue
        kind, end = _one(lines, at)
        yield kind, "\n".join(lines[at:end]).rstrip(), glue
        at, glue = end, "\n"


def _one(lines: Sequence[str], at: int) -> tuple[Kind, int]:
    """The kind of the block that begins at `at` and the first line after it."""
    line = lines[at]
    if fence := _FENCE.match(line):
        return Kind.CODE, _end_of_fence(lines, at, fence[1])
    if _HEADING.match(line) or _BOLD_LINE.match(line) or _is_plain_heading(lines, at):
        return Kind.HEADING, at + 1
    if _ITEM.match(line):
        return Kind.ITEM, _end_of_item(lines, at)
    if line.lstrip().startswith("|"):
        return Kind.ROW, at + 1
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _begins_other(lines, end):
        if _UNDERLINE.match(lines[end]):
            return (Kind.HEADING, end + 1) if end == at + 1 else (Kind.PARAGRAPH, end)
        end += 1
    return Kind.PARAGRAPH, end


def _begins_other(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    other = _HEADING.match(line) or _FENCE.match(line) or _ITEM.match(line) or line.lstrip().startswith("|")
    return bool(other) or is_capitals(line)


def is_capitals(line: str) -> bool:
    """Whether a line is a heading as plain text writes them: short and all in capitals, a word at least."""
    text = line.strip()
    if not CAPITALS <= len(text) <= SHORT_LINE or text != text.upper() or text.endswith((".", ";", ",")):
        return False
    letters = sum(c.isalpha() for c in text)
    return letters >= CAPITALS and letters >= 0.7 * len(text.replace(" ", "")) and text.upper() != text.lower()


def _is_plain_heading(lines: Sequence[str], at: int) -> bool:
    """In capitals, or a short line that stands alone, begins with a capital and ends without a stop."""
    text = lines[at].strip()
    if is_capitals(text):
        return True
    if not (at + 1 < len(lines) and not lines[at + 1].strip() and (at == 0 or not lines[at - 1].strip())):
        return False
    titled = text[:1].isupper() and len(text) <= SHORT_LINE and len(text.split()) <= HEADING_WORDS
    return titled and text[-1].isalnum() and not _ITEM.match(text) and "  " not in text


def _end_of_fence(lines: Sequence[str], at: int, mark: str) -> int:
    for end in range(at + 1, len(lines)):
        stripped = lines[end].strip()
        if stripped.startswith(mark) and not stripped.strip(mark[0]):
            return end + 1
    return len(lines)


def _end_of_item(lines: Sequence[str], at: int) -> int:
    """An item reaches over the lines that continue it and over its indented parts after a blank line."""
    end = at + 1
    inside = len(lines[at]) - len(lines[at].lstrip()) + 2
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            if end + 1 < len(lines) and _indent(lines[end + 1]) >= inside and lines[end + 1].strip():
                end += 1
                continue
            return end
        if _indent(line) >= inside:
            fence = _FENCE.match(line)
            end = _end_of_fence(lines, end, fence[1]) if fence else end + 1
            continue
        if _begins_other(lines, end):
            return end
        end += 1
    return end


def _indent(line: str) -> int:
    return len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
