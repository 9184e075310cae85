"""Cuts an article into passages along its headings, so that an answer can quote the part that matters.

A line scanner rather than a Markdown parser: it needs only the outline and the borders of blocks,
and it stays linear in the size of the text whatever the text is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

LIMIT = 900  # characters: what fits the embedder's 256 tokens with title and headings in front
FLOOR = 450  # a section shorter than this shares its passage with the next one
TAIL = 250  # a rest shorter than this stays with the piece before it
HEADING_SHOWN = 160  # characters of a heading that are kept; nobody writes longer ones in earnest

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")


@dataclass(frozen=True)
class Cut:
    """A piece of an article: the raw Markdown of whole blocks and where it stands."""

    position: int
    heading_path: tuple[str, ...]
    anchor: str
    text: str


@dataclass(frozen=True)
class _Block:
    """The smallest thing not to be cut: a paragraph, a list item, a table row, a code fence, or a heading line."""

    text: str
    glue: str  # what stood between it and the block before
    level: int = 0  # 1 to 6 for a heading


@dataclass
class _Section:
    """What stands under one heading."""

    path: tuple[str, ...] = ()
    anchor: str = ""
    heading: _Block | None = None
    blocks: list[_Block] = field(default_factory=list)

    def size(self) -> int:
        return sum(len(block.text) + len(block.glue) for block in self.blocks)


def cut(title: str, markdown: str) -> list[Cut]:
    """The passages of an article in reading order; none when it has no text.

    A passage holds whole blocks; only a block longer than the limit is divided, at lines, sentences,
    words or, at last, characters. `anchor` is the slug of the heading it begins under ("" above the first).
    """
    pieces: list[Cut] = []
    for section, blocks in _merged(_sections(title, _blocks(markdown))):
        pieces.extend(Cut(0, section.path, section.anchor, text) for text in _packed(blocks))
    return [Cut(n, piece.heading_path, piece.anchor, piece.text) for n, piece in enumerate(pieces)]


def embedded_text(title: str, piece: Cut) -> str:
    """What is embedded and indexed for a passage: title, headings, and its words without Markdown."""
    above = " > ".join([title[:HEADING_SHOWN], *piece.heading_path])
    return f"{above}\n{plain(piece.text)}"


def slug(heading: str) -> str:
    """The anchor GitHub gives a heading: lower case, punctuation dropped, blanks as hyphens."""
    kept = (c for c in plain(heading).lower() if c.isalnum() or c in " -_")
    return "".join(kept).strip().replace(" ", "-")


@cache
def _markup() -> list[tuple[re.Pattern[str], str]]:
    """Patterns and replacements that take Markdown off a text; each is linear: no run is scanned twice."""
    return [
        (re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE), ""),
        (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:[ \t]+\"[^\"\n]*\")?\)"), r"\1"),
        (re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>|<!--[^>]{0,300}-->"), " "),
        (re.compile(r"^[ \t]*(?:#{1,6}[ \t]|>[ \t]?|\|?[ \t]*:?-{3,}[-:| \t]*$)", re.MULTILINE), ""),
        (re.compile(r"\*{1,3}|`+|~~|(?<!\w)_{1,3}(?=\S)|(?<=[^\s_])_{1,3}(?!\w)"), ""),
        (re.compile(r"[ \t]*\|[ \t]*"), " "),
        (re.compile(r"\n{3,}"), "\n\n"),
    ]


def plain(markdown: str) -> str:
    """The words of a piece of Markdown, without its marks."""
    for pattern, replacement in _markup():
        markdown = pattern.sub(replacement, markdown)
    return markdown.strip()


def _blocks(markdown: str) -> Iterator[_Block]:
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    at, glue = 0, ""
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            glue, at = "\n\n", at + 1
            continue
        if heading := _HEADING.match(line):
            yield _Block(line[heading.end() :].strip().rstrip("#").strip(), glue, len(heading[1]))
            at, glue = at + 1, "\n"
            continue
        end = _end_of_block(lines, at)
        if end == at + 1 and end < len(lines) and (under := _UNDERLINE.match(lines[end])) and _is_paragraph(line):
            yield _Block(line.strip(), glue, 1 if under[1][0] == "=" else 2)
            end += 1
        else:
            yield _Block("\n".join(lines[at:end]).rstrip(), glue)
        at, glue = end, "\n"


def _end_of_block(lines: list[str], at: int) -> int:
    """The first line after the block that begins at `at`."""
    if fence := _FENCE.match(lines[at]):
        return _end_of_fence(lines, at, fence[1])
    if _ITEM.match(lines[at]):
        return _end_of_item(lines, at)
    if lines[at].lstrip().startswith("|"):
        return at + 1
    end = at + 1
    while end < len(lines) and lines[end].strip() and _is_paragraph(lines[end]) and not _UNDERLINE.match(lines[end]):
        end += 1
    return end


def _is_paragraph(line: str) -> bool:
    """Whether a line may continue a paragraph: it begins no other kind of block."""
    begins_other = _HEADING.match(line) or _FENCE.match(line) or _ITEM.match(line)
    return not begins_other and not line.lstrip().startswith("|")


def _end_of_fence(lines: list[str], at: int, mark: str) -> int:
    for end in range(at + 1, len(lines)):
        stripped = lines[end].strip()
        if stripped.startswith(mark) and not stripped.strip(mark[0]):
            return end + 1
    return len(lines)


def _end_of_item(lines: list[str], at: int) -> int:
    """A list item reaches over its indented lines, nested lists and fences, and lines that lazily continue it."""
    end = at + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip():
            if end + 1 < len(lines) and lines[end + 1].startswith(("  ", "\t")):
                end += 1
                continue
            return end
        if line.startswith(("  ", "\t")):
            fence = _FENCE.match(line)
            end = _end_of_fence(lines, end, fence[1]) if fence else end + 1
            continue
        if not _is_paragraph(line):
            return end
        end += 1
    return end


def _sections(title: str, blocks: Iterator[_Block]) -> Iterator[_Section]:
    """The outline; a heading that only repeats the title opens nothing."""
    section = _Section()
    open_headings: list[tuple[int, str]] = []
    anchors: dict[str, int] = {}
    for block in blocks:
        if not block.level:
            section.blocks.append(block)
            continue
        heading = plain(block.text)[:HEADING_SHOWN]
        anchor = _unique(slug(block.text[:HEADING_SHOWN]), anchors)
        if not heading or (block.level == 1 and heading.casefold() == title.strip().casefold()):
            continue
        yield section
        open_headings = [h for h in open_headings if h[0] < block.level] + [(block.level, heading)]
        section = _Section(tuple(text for _, text in open_headings), anchor, block)
    yield section


def _unique(anchor: str, taken: dict[str, int]) -> str:
    """The anchor itself, or with the first number that is free."""
    if anchor not in taken:
        taken[anchor] = 0
        return anchor
    while (numbered := f"{anchor}-{taken[anchor] + 1}") in taken:
        taken[anchor] += 1
    taken[anchor] += 1
    taken[numbered] = 0
    return numbered


def _merged(sections: Iterator[_Section]) -> Iterator[tuple[_Section, list[_Block]]]:
    """Sections with their blocks; short neighbours stand together under the heading of the first."""
    first: _Section | None = None
    blocks: list[_Block] = []
    size = 0
    for section in sections:
        if not section.blocks:
            continue
        if first is not None and (size >= FLOOR or size + section.size() > LIMIT):
            yield first, blocks
            first = None
        if first is None:
            first, blocks, size = section, [], 0
        elif section.heading is not None:
            mark = "#" * section.heading.level
            blocks.append(_Block(f"{mark} {section.heading.text[:HEADING_SHOWN]}", "\n\n"))
        blocks.extend(section.blocks)
        size += section.size()
    if first is not None:
        yield first, blocks


def _packed(blocks: list[_Block]) -> list[str]:
    """Blocks joined into pieces of at most the limit, the last one not left tiny."""
    pieces: list[str] = []
    for block in blocks:
        for n, part in enumerate(_divided(block.text)):
            glue = (block.glue or "\n") if n == 0 else "\n"
            if pieces and len(pieces[-1]) + len(part) <= LIMIT:
                pieces[-1] += glue + part
            else:
                pieces.append(part)
    if len(pieces) > 1 and len(pieces[-1]) < TAIL:
        tail = pieces.pop()
        pieces[-1] += "\n" + tail
    return pieces


def _divided(text: str) -> list[str]:
    """A block as it is, or in parts when it exceeds the limit: at lines, else sentences, else words, else anywhere."""
    if len(text) <= LIMIT:
        return [text]
    for parts in (text.split("\n"), _SENTENCE_END.split(text), text.split(" ")):
        if len(parts) > 1:
            whole = "\n" if parts[0] + "\n" == text[: len(parts[0]) + 1] else " "
            return [piece for part in _joined(parts, whole) for piece in _divided(part)]
    return [text[start : start + LIMIT] for start in range(0, len(text), LIMIT)]


def _joined(parts: list[str], glue: str) -> list[str]:
    """Parts put together up to the limit."""
    grown: list[list[str]] = [[]]
    size = 0
    for part in parts:
        if grown[-1] and size + len(part) > LIMIT:
            grown.append([])
            size = 0
        grown[-1].append(part)
        size += len(part) + len(glue)
    return [glue.join(group) for group in grown]
