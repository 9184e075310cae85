"""An article's Markdown as safe HTML: rendered first, sanitised after, never stored.

Only articles may hold tables, and small ones: a table of 850 rows and 150 columns costs 640 ms and 661 kB (trap M1),
and the sanitiser is quadratic in nesting, so the text is capped before it (M2).
"""

import itertools
import posixpath
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.passages import HEADING_SHOWN, plain, slug

MAX_CHARACTERS = 262_144
MAX_COLUMNS, MAX_ROWS = 20, 200
MAX_HTML = 524_288
MAX_NESTING = 60
MAX_BRACKETS = 3_000  # 100,000 characters of ![ cost the parser 7 s; without links they cost nothing
OWN_PICTURE = re.compile(r"/help/[^/#?]+/pictures/\d+")
TAGS = {
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "p",
    "br",
    "hr",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "s",
    "code",
    "pre",
    "blockquote",
    "a",
    "img",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
ATTRIBUTES = {
    **{f"h{n}": {"id"} for n in range(1, 7)},
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "code": {"class"},
}


def article_html(markdown: str, resolve: Callable[[str], str | None], *, title: str = "") -> str:
    """Safe HTML; headings carry the anchors that citations link to. `resolve` turns a relative link into an address, or None.

    A first heading that only repeats the title is left out: the page shows the title itself.
    """
    tokens = tokens_of(markdown, resolve, title=title)
    parser = _parser(tables=True, links=True)
    html = parser.renderer.render(tokens, parser.options, {})
    if len(html) > MAX_HTML:
        html = f"<pre>{nh3.clean_text(markdown[:MAX_CHARACTERS])}</pre>"
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener nofollow")


def tokens_of(markdown: str, resolve: Callable[[str], str | None], *, title: str = "") -> list[Token]:
    """What a text consists of: capped, with small tables only, headings with their anchors and links resolved."""
    text = markdown[:MAX_CHARACTERS]
    tokens = _parser(tables=_small_tables(text), links=text.count("[") <= MAX_BRACKETS).parse(text)
    _anchor_headings(tokens)
    for token in tokens:
        for child in token.children or ():
            _relink(child, resolve)
            _describe(child)
    return tokens[3:] if title and _repeats(tokens, title) else tokens


@dataclass(frozen=True)
class Heading:
    """A heading of the second level, for a table of contents."""

    id: str
    title: str


def headings_of(markdown: str) -> list[Heading]:
    """The headings of the second level, with the anchors that `article_html` gives them."""
    pairs = itertools.pairwise(tokens_of(markdown, lambda _: None))
    return [Heading(str(t.attrGet("id")), plain(inline.content)) for t, inline in pairs if t.type == "heading_open" and t.tag == "h2"]


def _repeats(tokens: list[Token], title: str) -> bool:
    return len(tokens) > 1 and tokens[0].tag == "h1" and plain(tokens[1].content).casefold() == title.strip().casefold()


def relative_target(base: str, link: str) -> str | None:
    """The name at its source of what a relative link in `base` points to; None for other links."""
    path = link.partition("#")[0]
    if not path or path.startswith(("/", "#")) or re.match(r"[a-z][a-z0-9+.-]*:", path, re.IGNORECASE):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))


@cache
def _parser(*, tables: bool, links: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": MAX_NESTING}).enable("strikethrough")
    if not links:
        parser.disable(["link", "image", "reference"])
    return parser.enable("table") if tables else parser


def _small_tables(text: str) -> bool:
    rows = [line for line in text.splitlines() if "|" in line]
    return len(rows) <= MAX_ROWS and all(line.count("|") <= MAX_COLUMNS + 1 for line in rows)


def _anchor_headings(tokens: list[Token]) -> None:
    """Ids as passages.cut gives them: the slug, or with the first number that is free; none in lists and quotations."""
    used: Counter[str] = Counter()
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.level == 0:
            name = anchor = slug(inline.content[:HEADING_SHOWN])
            while anchor in used:
                used[name] += 1
                anchor = f"{name}-{used[name]}"
            used[anchor] = 0
            token.attrSet("id", anchor)


def _describe(token: Token) -> None:
    """A picture that does not lie on this server becomes its description: loading it would tell a stranger who reads here (S-38)."""
    if token.type == "image" and not OWN_PICTURE.fullmatch(str(token.attrGet("src") or "")):
        token.type, token.tag, token.children = "text", "", None


def _relink(token: Token, resolve: Callable[[str], str | None]) -> None:
    for attribute in ("href", "src"):
        link = token.attrGet(attribute)
        if isinstance(link, str) and (target := resolve(link)) is not None:
            token.attrSet(attribute, target)
