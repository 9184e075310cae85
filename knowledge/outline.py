"""What a Markdown article is built of, with exact line numbers: headings, paragraphs, links, pictures and numbered lists."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PICTURE_TAG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """A heading outside lists and quotations; `place` is its position among the blocks."""

    line: int
    level: int
    text: str
    place: int


@dataclass(frozen=True)
class Paragraph:
    """A paragraph anywhere, as its reader sees it; `place` is its position among the blocks."""

    line: int
    text: str
    place: int


@dataclass(frozen=True)
class Link:
    """A link or a picture: where it leads, and whether it says what it is."""

    line: int
    target: str
    is_picture: bool
    is_described: bool
    place: int


@dataclass(frozen=True)
class Outline:
    """The parts of an article in reading order."""

    headings: tuple[Heading, ...]
    paragraphs: tuple[Paragraph, ...]
    links: tuple[Link, ...]
    has_numbered_list: bool
    begins_with_paragraph: bool


def outline(markdown: str, first_line: int = 1) -> Outline:
    """The parts of a text whose first line has this number in its file."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    headings: list[Heading] = []
    paragraphs: list[Paragraph] = []
    links: list[Link] = []
    for place, line, before, token in _inlines(tokens, first_line):
        if before.type == "heading_open" and before.level == 0:
            headings.append(Heading(line, int(before.tag[1]), _seen(token), place))
        if before.type == "paragraph_open":
            paragraphs.append(Paragraph(line, _seen(token), place))
        links.extend(_links(token, line, place))
    for place, token in enumerate(tokens):
        if token.type == "html_block":
            line = first_line + (token.map or [0])[0]
            links.extend(_tags(token.content, line, place))
    return Outline(
        headings=tuple(headings),
        paragraphs=tuple(paragraphs),
        links=tuple(sorted(links, key=lambda link: (link.place, link.line))),
        has_numbered_list=any(token.type == "ordered_list_open" for token in tokens),
        begins_with_paragraph=bool(tokens) and tokens[0].type == "paragraph_open",
    )


def _inlines(tokens: Sequence[Token], first_line: int) -> Iterator[tuple[int, int, Token, Token]]:
    """Each line of text: its position, its line in the file, the token that opens its block, and itself."""
    line = first_line
    for place, token in enumerate(tokens):
        if token.map:
            line = first_line + token.map[0]
        if token.type == "inline":
            yield place, line, tokens[place - 1], token


def _seen(token: Token) -> str:
    """The words of a line of text, without marks, addresses and pictures."""
    parts = []
    for child in token.children or []:
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
    return "".join(parts)


def _links(token: Token, line: int, place: int) -> Iterator[Link]:
    at = 0
    for child in token.children or []:
        if child.type == "html_inline":
            at = max(at, token.content.find(child.content, at))
            yield from _tags(child.content, line + token.content.count("\n", 0, at), place)
        if child.type not in {"link_open", "image"}:
            continue
        is_picture = child.type == "image"
        target = str(child.attrs["src" if is_picture else "href"])
        at = max(at, token.content.find(target, at), token.content.find(unquote(target), at))
        described = not is_picture or bool(child.content.strip())
        yield Link(line + token.content.count("\n", 0, at), target, is_picture, described, place)


def _tags(html: str, line: int, place: int) -> Iterator[Link]:
    """Pictures written as HTML; their addresses are left to the browser."""
    for tag in _PICTURE_TAG.finditer(html):
        alt = _ALT.search(tag[0])
        described = alt is not None and any((text or "").strip() for text in alt.groups())
        yield Link(line + html.count("\n", 0, tag.start()), "", is_picture=True, is_described=described, place=place)
