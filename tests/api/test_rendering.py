"""An article's Markdown is safe HTML, soon made, with the anchors that citations link to."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from api.help.rendering import article_html, relative_target
from knowledge.passages import cut


def render(markdown: str) -> str:
    return article_html(markdown, lambda _link: None)


def ids(page: str) -> list[str]:
    return re.findall(r'id="([^"]*)"', page)


HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java&#10;script:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:msgbox)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '<iframe src="https://evil.example"></iframe>',
    '<a href="https://x" onclick="alert(1)">x</a>',
    "<style>body{display:none}</style>",
    '<svg onload="alert(1)"></svg>',
    '<form action="https://evil.example"><input name=q></form>',
    '[x](https://x "\\" onmouseover=alert(1) ")',
    "# <script>alert(1)</script>",
    "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    "<!-- --><script>alert(1)</script>",
    "<details open ontoggle=alert(1)>",
    "<math><mtext><style><img src=x onerror=alert(1)>",
]
HEADINGS = {f"h{n}" for n in range(1, 7)}
BLOCKS = {"p", "br", "hr", "ul", "ol", "li", "pre", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "div"}
ALLOWED = HEADINGS | BLOCKS | {"strong", "em", "s", "code", "a", "img"}


def is_safe(page: str) -> bool:
    for element in html.fromstring(f"<div>{page}</div>").iter():
        assert element.tag in ALLOWED, element.tag
        assert not any(name.startswith("on") or name == "style" for name in element.attrib)
        for name in ("href", "src"):
            address = element.get(name, "")
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", address, re.IGNORECASE)
            assert scheme is None or scheme[1].lower() in {"http", "https", "mailto"}, address
    return True


@pytest.mark.parametrize("markdown", HOSTILE)
def test_what_could_run_does_not_reach_the_reader(markdown: str) -> None:
    assert is_safe(render(markdown))
    assert is_safe(render(f"> - {markdown}\n\n| a |\n|---|\n| {markdown} |"))


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "a", " ", "\n", "*", "_", "[", "](", ")", "`", "<", ">", "\\", "&", "|", "-", "#", "\x00", "\ud800"]),
        max_size=30,
    )
)
def test_no_mixture_of_hostile_parts_is_unsafe(parts: list[str]) -> None:
    text = "".join(parts).encode("utf-8", "replace").decode()
    page = render(text)
    assert not page.strip() or is_safe(page)


BOMBS = {
    "one huge table (M1)": "|a" * 150 + "|\n" + "|-" * 150 + "|\n" + "|\n" * 850,
    "a table of many rows": "|a|b|\n|-|-|\n" + "|1|2|\n" * 10_000,
    "deep quotations (M2)": ">" * 20_000 + " x",
    "deeper and deeper lists": "\n".join("  " * n + "- x" for n in range(300)),
    "html a browser would nest": "<div>" * 10_000,
    "emphasis in emphasis": "*a **b " * 3_000 + "c** d* " * 3_000,
    "pictures that never end": "![" * 50_000,
    "links that never end": "[" * 25_000 + "a" + "](b)" * 25_000,
    "thousands of links": "[a](b) " * 10_000,
    "references": "\n".join(f"[{n}]: /u" for n in range(3_000)) + "\n" + "[1]" * 3_000,
    "backticks of every length": "".join("`" * n + "a" for n in range(300)),
    "addresses that never end": "<http://a" * 10_000,
    "entities": "&#" * 30_000,
    "blanks": "\t" * 60_000 + "x",
}


@pytest.mark.parametrize("markdown", BOMBS.values(), ids=BOMBS.keys())
def test_a_text_made_to_be_slow_is_rendered_in_linear_time(markdown: str) -> None:
    """Twenty times what it takes on an idle machine; what is worse than linear takes minutes."""
    began = time.thread_time()
    page = render(markdown)
    assert time.thread_time() - began < 5
    assert len(page) < 1_100_000


def test_a_small_table_is_a_table() -> None:
    assert "<td>2</td>" in render("| a | b |\n|---|---|\n| 1 | 2 |")


def test_steps_keep_their_numbers_and_code_its_signs() -> None:
    page = render("3. Three\n4. Four\n\n```\nif a < b:\n```")
    assert '<ol start="3">' in page
    assert "if a &lt; b:" in page


@pytest.mark.parametrize(
    "markdown",
    [
        "# One\n\ntext\n\n## Two\n\ntext\n\n### Two\n\ntext",
        "## Step\n\na\n\n## Step\n\nb\n\n## Step 1\n\nc\n\n## Step\n\nd",
        "## Ünïcode & Zeichen: 100 %!\n\ntext",
        "Setext\n======\n\ntext\n\nAgain\n-----\n\ntext",
        "## With **bold** and `code` and a [link](https://x)\n\ntext",
        "> # Quoted\n\n# Quoted\n\ntext",
        "- # Listed\n\n# Listed\n\ntext",
        "## " + "very long " * 40 + "\n\ntext",
        "```\n# no heading\n```\n\n# no heading\n\ntext",
        "## Closed ##\n\ntext",
        "## 日本語\n\ntext",
    ],
)
def test_every_anchor_of_a_passage_stands_in_the_page(markdown: str) -> None:
    filler = "\n\n" + "words " * 120
    pieces = cut("A title", markdown.replace("text", "text" + filler))
    anchors = {piece.anchor for piece in pieces if piece.anchor}
    page = ids(render(markdown.replace("text", "text" + filler)))
    assert anchors <= set(page)
    assert len(page) == len(set(page))


@pytest.mark.parametrize(
    ("base", "link", "target"),
    [
        ("a/b.md", "c.md", "a/c.md"),
        ("a/b.md", "../c.md#part", "c.md"),
        ("a/b.md", "./images/x.png", "a/images/x.png"),
        ("b.md", "../../etc/passwd", "../../etc/passwd"),
        ("b.md", "https://example.org", None),
        ("b.md", "mailto:a@b.c", None),
        ("b.md", "//evil.example", None),
        ("b.md", "#part", None),
        ("b.md", "/abs", None),
    ],
)
def test_a_relative_link_is_read_from_the_place_of_its_article(base: str, link: str, target: str | None) -> None:
    assert relative_target(base, link) == target


def test_links_are_resolved_and_the_rest_stays() -> None:
    page = article_html("[a](b.md) ![c](d.png) [e](https://x)", {"b.md": "/help/b", "d.png": "/p/1"}.get)
    assert 'href="/help/b"' in page
    assert ">c<" in page or " c " in page  # a picture that is not ours shows only its description
    assert 'href="https://x"' in page
