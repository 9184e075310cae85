"""Turns one untrusted HTML page into Markdown; html.py runs `main` in a process of its own, inside limits.

It imports lxml and nothing else that is big, so that it starts in 60 ms.
"""

import contextlib
import json
import re
import resource
import sys
from collections.abc import Set as AbstractSet

from lxml import etree

from knowledge.sources.inline import BLOCKS, Element, dropped, escaped, inline, one_line, paragraph, raw

CPU_SECONDS = 8
MEMORY = 512 * 1024 * 1024  # bytes of address space
DEEPEST = 100  # elements in each other; real pages stay below 40, and sanitisers are quadratic in depth

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_PLAIN_BLOCKS = _HEADINGS | {"hr", "pre", "dt", "summary"}
_IS_LIST = re.compile(r"- |\d{1,9}\. ")


class Refused(Exception):
    """Why this page is not read."""


def convert(html: bytes) -> dict[str, str]:
    """Title, body (Markdown), language, summary and url of a page in UTF-8. Raise Refused."""
    try:
        root = etree.fromstring(html, etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True))
    except (etree.LxmlError, ValueError) as error:
        raise Refused("holds no HTML") from error
    if root is None:
        raise Refused("holds no HTML")
    _check_depth(root)
    mixed = _with_blocks_inside(root)
    main = _main(root)
    heading = next((h for h in main.iter("h1")), None)
    if heading is None:
        heading = next((h for h in root.iter("h1")), None)
    title = one_line(inline(heading, plain=True)) if heading is not None else ""
    return {
        "title": title or _head_title(root),
        "body": "\n\n".join(_blocks(main, mixed, skip=heading)),
        "language": root.get("lang") or "",
        "summary": _meta(root, "meta", "name", "description", "content"),
        "url": _meta(root, "link", "rel", "canonical", "href"),
    }


def _check_depth(root: Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            raise Refused(f"has more than {DEEPEST} elements inside each other")


def _with_blocks_inside(root: Element) -> AbstractSet[Element]:
    """Every element that has a block somewhere inside: it is walked, whatever its own tag says."""
    mixed: set[Element] = set()
    for element in root.iter(*BLOCKS):
        above = element.getparent()
        while above is not None and above not in mixed:
            mixed.add(above)
            above = above.getparent()
    return mixed


def _main(root: Element) -> Element:
    """Where the article stands: <main>, else the only <article>, else the whole body."""
    for element in root.iter("main"):
        return element
    for element in root.iter("div", "section"):
        if element.get("role") == "main":
            return element
    articles = list(root.iter("article"))
    if len(articles) == 1:
        return articles[0]
    body = root.find("body")
    return root if body is None else body


def _head_title(root: Element) -> str:
    """The page's <title> without the name of the site behind the last bar or dash."""
    element = root.find("head/title")
    title = one_line("".join(element.itertext())) if element is not None else ""
    return re.split(r" [|·–—] (?=[^|·–—]*$)", title)[0]


def _meta(root: Element, tag: str, key: str, wanted: str, value: str) -> str:
    for element in root.iter(tag):
        if (element.get(key) or "").lower() == wanted:
            return one_line(element.get(value) or "")
    return ""


def _blocks(element: Element, mixed: AbstractSet[Element], skip: Element = None) -> list[str]:
    """The Markdown blocks inside an element, in reading order."""
    done: list[str] = []
    run = [escaped(element.text)]  # inline text since the last block
    for child in element:
        if child is not skip and not dropped(child):
            if child.tag in BLOCKS or child in mixed:
                done += [*paragraph(run), *_block(child, mixed, skip)]
                run = []
            else:
                run.append(inline(child))
        run.append(escaped(child.tail))
    return done + paragraph(run)


def _block(element: Element, mixed: AbstractSet[Element], skip: Element) -> list[str]:
    tag = element.tag
    if tag in {"ul", "ol"}:
        return _list(element, mixed, skip)
    if tag == "table":
        return _table(element, mixed, skip)
    if tag in _PLAIN_BLOCKS:
        return _plain_block(element)
    blocks = _blocks(element, mixed, skip)
    if tag == "blockquote" and blocks:
        lines = "\n\n".join(blocks).split("\n")
        return ["\n".join(f"> {line}".rstrip() for line in lines)]
    return blocks


def _plain_block(element: Element) -> list[str]:
    """A block that holds no other."""
    if element.tag == "hr":
        return ["---"]
    if element.tag == "pre":
        return _code_block(element)
    text = escaped(one_line(inline(element, plain=True)))
    is_heading = element.tag in _HEADINGS
    return [f"{'#' * int(element.tag[1])} {text}" if is_heading else f"**{text}**"] if text else []


def _list(element: Element, mixed: AbstractSet[Element], skip: Element) -> list[str]:
    start = element.get("start") or "1"
    number = int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1
    items: list[str] = []
    for child in element:
        parts = [] if dropped(child) else _list(child, mixed, skip) if child.tag in {"ul", "ol"} else _blocks(child, mixed, skip)
        if parts:
            items.append(_item(f"{number}. " if element.tag == "ol" else "- ", parts))
            number += 1
    return ["\n".join(items)] if items else []


def _item(marker: str, parts: list[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += ("\n" if _IS_LIST.match(part) else "\n\n") + part
    first, *rest = text.split("\n")
    return "\n".join([marker + first, *(" " * len(marker) + line if line else "" for line in rest)])


def _table(element: Element, mixed: AbstractSet[Element], skip: Element) -> list[str]:
    """A table of data; a table that only places things on the page is read as what stands in it."""
    rows = [[cell for cell in row if cell.tag in {"td", "th"}] for row in element.iter("tr")]
    rows = [row for row in rows if row]
    if not rows or max(map(len, rows)) == 1 or next(element.iterdescendants("table"), None) is not None:
        return _blocks(element, mixed, skip)
    texts = [[one_line(inline(cell)).replace("|", "\\|") for cell in row] for row in rows]
    width = max(map(len, texts))
    texts[0] += [""] * (width - len(texts[0]))
    lines = [f"| {' | '.join(row)} |" for row in texts]
    caption = next((paragraph([inline(child)]) for child in element if child.tag == "caption"), [])
    return [*caption, "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])]


def _code_block(element: Element) -> list[str]:
    code = raw(element).strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    return [f"{fence}\n{code}\n{fence}"] if code.strip() else []


def main() -> None:
    """Set the limits, read a page from stdin, write what was found to stdout as JSON."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    with contextlib.suppress(ValueError):  # macOS has no such limit; CPU limit and time-out hold there too
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        found = convert(sys.stdin.buffer.read())
    except Refused as refusal:
        found = {"error": str(refusal)}
    sys.stdout.write(json.dumps(found))
