"""Markdown as a list of typed nodes, for pages that build their content by DOM calls and never from HTML.

A node is a text, or a tag with what stands in it: `{"tag": "b", "of": ["bold"]}`. A link holds an
`href` (http and https only) or the `article` it leads to; every other link is only its words. A picture
appears only when it lies on this server; elsewhere its description stands in its place (S-38).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from markdown_it.token import Token

from api.help.rendering import tokens_of

Node = str | dict[str, Any]
Resolve = Callable[[str], str | None]

TAGS = {
    "paragraph": "p",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "quote",
    "table": "table",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "strong": "b",
    "em": "i",
    "s": "s",
}
OWN_ARTICLE = re.compile(r"/help/(?P<slug>[^/#?]+)(?:#(?P<anchor>.*))?")
CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def nodes_of(markdown: str, resolve: Resolve = lambda _: None, *, title: str = "") -> list[Node]:
    """The nodes of a text. `resolve` turns a relative link into an address of this server, or gives None.

    A first heading that only repeats the title is left out.
    """
    return _built(_flat(tokens_of(markdown, resolve, title=title)))


def words_of(nodes: Iterable[Node]) -> str:
    """The text that stands in nodes."""
    return "".join(node if isinstance(node, str) else words_of(node["of"]) for node in nodes)


def _flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from token.children or ()
        else:
            yield token


def _built(tokens: Iterable[Token]) -> list[Node]:
    """The tree: what opens holds everything until it closes; what is unknown or hidden holds nothing itself."""
    stack: list[list[Node]] = [[]]
    for token in tokens:
        if token.nesting == 1:
            node = _opened(token)
            if node is not None:
                stack[-1].append(node)
            stack.append(node["of"] if node is not None else stack[-1])
        elif token.nesting == -1:
            stack.pop()
        else:
            stack[-1].extend(_leaf(token))
    return stack[0]


def _opened(token: Token) -> dict[str, Any] | None:
    kind = token.type.removesuffix("_open")
    if token.hidden:
        return None
    if kind == "heading":
        return {"tag": "h", "of": [], "level": int(token.tag[1:]), "id": str(token.attrGet("id") or "")}
    if kind == "link":
        place = _place(str(token.attrGet("href") or ""))
        return {"tag": "a", "of": [], **place} if place else None
    if kind == "ordered_list" and token.attrGet("start") is not None:
        return {"tag": "ol", "of": [], "start": int(token.attrGet("start") or 1)}
    return {"tag": TAGS[kind], "of": []} if kind in TAGS else None


def _leaf(token: Token) -> Iterator[Node]:
    if token.type == "code_inline":
        yield {"tag": "code", "of": [token.content]}
    elif token.type in {"fence", "code_block"}:
        yield {"tag": "pre", "of": [token.content.rstrip("\n")]}
    elif token.type == "hr":
        yield {"tag": "hr", "of": []}
    elif token.type == "hardbreak":
        yield {"tag": "br", "of": []}
    elif token.type == "softbreak":
        yield " "
    elif token.type == "image":
        yield {"tag": "img", "of": [], "src": str(token.attrGet("src")), "alt": token.content}
    elif token.content:
        yield token.content


def _place(href: str) -> dict[str, str] | None:
    """Where a link leads; None where it must not lead."""
    if CONTROL.search(href) or "\\" in href:
        return None
    own = OWN_ARTICLE.fullmatch(href)
    if own:
        return {"article": own["slug"], "anchor": own["anchor"] or ""}
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    return {"href": href} if parts.scheme.lower() in {"http", "https"} and parts.hostname else None
