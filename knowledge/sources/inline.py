"""The parts of an HTML page that stand inside a line, as Markdown: marks, links, pictures, code, and text made harmless."""

import re
from typing import Any

Element = Any  # lxml has no types of its own

_AREAS = {"html", "body", "main", "article", "section", "aside", "nav", "header", "footer", "hgroup", "div", "center", "form", "fieldset"}
_LISTS = {"ul", "ol", "li", "dl", "dt", "dd"}
_TABLES = {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"}
_TEXTS = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "pre",
    "blockquote",
    "address",
    "figure",
    "figcaption",
    "details",
    "summary",
    "dialog",
    "hr",
}
BLOCKS = frozenset(_AREAS | _LISTS | _TABLES | _TEXTS)

_MACHINERY = {"head", "title", "script", "style", "noscript", "template", "svg", "math", "canvas", "map", "progress", "datalist"}
_EMBEDDED = {"applet", "audio", "embed", "iframe", "object", "video"}
_CONTROLS_OF_FORMS = {"button", "input", "option", "select", "textarea"}
DROPPED = frozenset(_MACHINERY | _EMBEDDED | _CONTROLS_OF_FORMS | {"dialog", "footer", "nav"})
DROPPED_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "alertdialog"})

_BREAK = "\0"  # stands for <br> until paragraphs are put together; a page's own control characters are removed
_EDGES = " \t\n\r\f" + _BREAK
_MARKS = re.compile(r"([\\`*\[\]<]|(?<!\w)_|_(?!\w))")
_LINE_START = re.compile(r"^(?=#{1,6}(?:\s|$)|[>|]|~~~|=+\s*$|-{2,}\s*$)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")


def dropped(element: Element) -> bool:
    """Menus, parts of forms, scripts, what the page itself hides, and the margins of a page (not those of its article)."""
    if not isinstance(element.tag, str) or element.tag in DROPPED:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true" or element.get("role") in DROPPED_ROLES:
        return True
    return element.tag in {"aside", "header"} and not any(True for _ in element.iterancestors("main", "article"))


def inline(element: Element, *, plain: bool = False) -> str:
    """An element as part of a line; `plain` leaves out all marks."""
    if element.tag == "br":
        return _BREAK
    if element.tag == "a" and (element.text or "").strip() in {"¶", "#", "§"}:  # the mark beside a heading that links to itself
        return ""
    if element.tag == "img":
        return "" if plain else _picture(element)
    if element.tag in {"code", "kbd", "samp", "tt"} and not plain:
        return _code(element)
    inside = element.text or "" if plain else escaped(element.text)
    for child in element:
        if not dropped(child):
            text = inline(child, plain=plain)
            inside += f" {text} " if child.tag in BLOCKS else text
        inside += (child.tail or "") if plain else escaped(child.tail)
    return inside if plain else _marked(element, inside)


def paragraph(run: list[str]) -> list[str]:
    """Pieces of a line as one paragraph; none when they hold nothing."""
    lines = [" ".join(line.split()) for line in "".join(run).split(_BREAK)]
    text = "  \n".join(_LINE_START.sub(r"\\", line) for line in lines).strip()
    return [re.sub(r"\n(?:[ ]*\n)+", "\n\n", text)] if text else []


def one_line(text: str) -> str:
    """The text without control characters, each run of blanks as one."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def escaped(text: str | None) -> str:
    """Text as Markdown that shows the same characters."""
    return _MARKS.sub(r"\\\1", _CONTROLS.sub("", text)) if text else ""


def raw(element: Element) -> str:
    """Text as it stands, for code."""
    text = "\n" if element.tag == "br" else _CONTROLS.sub("", element.text or "")
    return text + "".join(("" if dropped(child) else raw(child)) + _CONTROLS.sub("", child.tail or "") for child in element)


def _marked(element: Element, inside: str) -> str:
    text = inside.strip(_EDGES)
    if not text or _BREAK in text:
        return inside
    before, _, after = inside.partition(text)
    if element.tag in {"b", "strong"}:
        return f"{before}**{text}**{after}"
    if element.tag in {"em", "i"}:
        return f"{before}*{text}*{after}"
    if element.tag == "a":
        href = _address(element.get("href") or "")
        return f"{before}[{one_line(text)}]({href}){after}" if href else inside
    return inside


def _picture(element: Element) -> str:
    source = _address(element.get("src") or "")
    alt = re.sub(r"[\[\]\\]", "", one_line(element.get("alt") or ""))
    return f"![{alt}]({source})" if source else ""


def _code(element: Element) -> str:
    code = one_line(raw(element))
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", code)), default=0))
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}" if code else ""


def _address(href: str) -> str:
    """A link target that Markdown takes and that runs nothing; empty when it is neither."""
    href = re.sub(r"[\x00-\x20\x7f]", lambda m: "%20" if m[0] == " " else "", href.strip())
    scheme = _SCHEME.match(href)
    if scheme and scheme[1].lower() not in {"http", "https", "mailto", "tel"}:
        return ""
    return re.sub(r"[()<>\\]", lambda m: f"%{ord(m[0]):02X}", href)
