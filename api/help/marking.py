"""Marks the part of an article that an answer quoted, so that a reader sees where the answer stands."""

import re
from collections.abc import Iterator
from itertools import pairwise

from api.help.nodes import Node, words_of

BLOCKS = {"p", "li", "td", "th", "h", "pre"}
NESTED = {"p", "ul", "ol", "li", "quote", "table", "tr", "td", "th", "h", "pre", "hr"}
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+")
SHORTEST = 12  # characters; a shorter scrap stands in too many places to be marked there


def marked(article: list[Node], quote: list[Node]) -> list[Node]:
    """The article's nodes in which everything that the quote's nodes say stands under `mark`."""
    said = [words.strip() for words in _lines(quote) if words.strip()]
    return [_marked(node, said) for node in article]


def _marked(node: Node, said: list[str]) -> Node:
    if isinstance(node, str) or node["tag"] in {"br", "hr", "img"}:
        return node
    of: list[Node] = node["of"]
    if node["tag"] not in BLOCKS or any(_nested(child) for child in of):
        return {**node, "of": [*_mixed(of, said)]}
    return {**node, "of": _cut(of, _spans(words_of(of), said))}


def _mixed(of: list[Node], said: list[str]) -> Iterator[Node]:
    """What stands in a block that holds other blocks too: runs of words, and the blocks between them."""
    run: list[Node] = []
    for child in of:
        if _nested(child):
            yield from _cut(run, _spans(words_of(run), said))
            run = []
            yield _marked(child, said)
        else:
            run.append(child)
    yield from _cut(run, _spans(words_of(run), said))


def _nested(node: Node) -> bool:
    return not isinstance(node, str) and node["tag"] in NESTED


def _lines(nodes: list[Node]) -> Iterator[str]:
    """The words of each innermost block."""
    run: list[Node] = []
    for node in nodes:
        if isinstance(node, str) or node["tag"] not in NESTED:
            run.append(node)
            continue
        yield words_of(run)
        run = []
        yield from _lines(node["of"])
    yield words_of(run)


def _spans(words: str, said: list[str]) -> list[tuple[int, int]]:
    """Where in the words of a block something quoted stands: the whole block, or the quoted sentences of it."""
    whole = words.strip()
    if not whole:
        return []
    if whole in said:
        return [(0, len(words))]
    found: list[tuple[int, int]] = []
    for quoted in said:
        pieces = [quoted] if quoted in words else SENTENCE_END.split(quoted)
        for piece in pieces:
            at = words.find(piece) if len(piece) >= SHORTEST else -1
            if at >= 0:
                found.append((at, at + len(piece)))
    return _joined(sorted(found))


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(nodes: list[Node], spans: list[tuple[int, int]]) -> list[Node]:
    """The nodes with the spans of their words under `mark`."""
    if not spans:
        return nodes
    result: list[Node] = []
    at = 0
    for node in nodes:
        length = len(words_of([node]))
        here = [(max(0, start - at), min(length, end - at)) for start, end in spans if start < at + length and end > at]
        result.extend(_cut_one(node, length, here))
        at += length
    return result


def _cut_one(node: Node, length: int, spans: list[tuple[int, int]]) -> Iterator[Node]:
    if not spans:
        yield node
    elif spans == [(0, length)]:
        yield {"tag": "mark", "of": [node]}
    elif isinstance(node, str):
        borders = sorted({0, length, *(border for span in spans for border in span)})
        for start, end in pairwise(borders):
            piece = node[start:end]
            yield {"tag": "mark", "of": [piece]} if (start, end) in spans else piece
    else:
        yield {**node, "of": _cut(node["of"], spans)}
