"""Reading articles from files: what is read, what is refused, and that one bad file never stops the rest."""

import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.articles import ArticleText
from knowledge.sources import html
from knowledge.sources.folder import read
from knowledge.sources.page import convert
from knowledge.sources.reading import Caution, Failure, Reading, Unreadable
from knowledge.tables import ArticleKind

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
MEGABYTE = 1024 * 1024


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def only_article(path: Path) -> ArticleText:
    readings = list(read(path))
    assert [type(r) for r in readings] == [ArticleText], readings
    assert isinstance(readings[0], ArticleText)
    return readings[0]


def only_failure(path: Path) -> Failure:
    readings = list(read(path))
    assert [type(r) for r in readings] == [Failure], readings
    assert isinstance(readings[0], Failure)
    return readings[0]


def articles(path: Path) -> list[ArticleText]:
    return [r for r in read(path) if isinstance(r, ArticleText)]


def failures(path: Path) -> list[Failure]:
    return [r for r in read(path) if isinstance(r, Failure)]


def cautions(path: Path) -> list[Caution]:
    return [r for r in read(path) if isinstance(r, Caution)]


@contextmanager
def powerless() -> Iterator[None]:
    """Root may read everything; lend its rights to nobody for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────


def test_front_matter_fills_every_field(tmp_path: Path) -> None:
    front = """---
title: Reset your password
section: Account and billing
summary: "Get in again: in two minutes."
language: de-AT
url: https://help.example/reset
tags: [password, sign-in, password]
slug: reset-password
kind: faq
wordings:
  - I forgot my password
  - How do I get in?
updated: 2026-02-31
---
You will get a new password.
"""
    article = only_article(put(tmp_path, "reset.md", front))
    assert article == ArticleText(
        external_id="reset.md",
        title="Reset your password",
        body="You will get a new password.",
        kind=ArticleKind.FAQ,
        section="Account and billing",
        summary="Get in again: in two minutes.",
        language="de",
        url="https://help.example/reset",
        tags=("password", "sign-in"),
        wordings=("I forgot my password", "How do I get in?"),
        slug="reset-password",
    )


@pytest.mark.parametrize("heading", ["# Reset *your* password", "Reset your password\n===", "# Reset your password #"])
def test_without_a_title_the_first_heading_gives_it_and_leaves_the_body(tmp_path: Path, heading: str) -> None:
    article = only_article(put(tmp_path, "a.md", f"```\n# a comment\n```\n\n{heading}\n\nText.\n\n# Second\n\nMore."))
    assert article.title == "Reset your password"
    assert "Reset" not in article.body
    assert "# a comment" in article.body
    assert "# Second" in article.body


def test_without_a_title_and_heading_the_files_name_gives_it(tmp_path: Path) -> None:
    assert only_article(put(tmp_path, "reset-your_password.md", "Text.")).title == "Reset your password"


def test_yaml_does_not_turn_texts_into_something_else(tmp_path: Path) -> None:
    article = only_article(put(tmp_path, "a.md", "---\ntitle: 1.10\nlanguage: no\ntags: 2024, yes\nsection: ~\n---\nText."))
    assert (article.title, article.language, article.tags, article.section) == ("1.10", "no", ("2024", "yes"), "")


def test_relative_links_stay_as_they_are(tmp_path: Path) -> None:
    body = "See [plans](../billing/plans.md#prices) and [the API](/api.md)."
    assert only_article(put(tmp_path, "a.md", body)).body == body


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_and_windows_line_ends_do_not_show(tmp_path: Path, encoding: str) -> None:
    article = only_article(put(tmp_path, "a.md", "---\r\ntitle: Größe\r\n---\r\nEins\r\nZwei\r\n".encode(encoding)))
    assert (article.title, article.body) == ("Größe", "Eins\nZwei")


@pytest.mark.parametrize(
    ("front", "line", "reason"),
    [
        ("title: [unclosed", 2, "not YAML"),
        ("title: ok\nsection: a: b", 3, "not YAML"),
        ("title: ok\nsection: [a, b]", 3, "section"),
        ("title: ok\nsection: {a: b}", 3, "section"),
        ("title: ok\ntags: {a: b}", 3, "tags"),
        ("title: ok\ntitle: twice", 3, "twice"),
        ("title: ok\n? [a]\n: b", 3, "must be a word"),
        ("title: ok\nkind: novel", 3, "article, faq"),
        ("title: ok\nlanguage: english please", 3, "code such as en"),
        ("title: ok\nurl: javascript:alert(1)", 3, "https://"),
        ("title: ok\nurl: 'http://[broken'", 3, "https://"),
        ("title: ok\nslug: ../../etc", 3, "slug"),
        ("title: ''", 2, "title is empty"),
        ("section: ok\ntitle:", 3, "title is empty"),
        ('title: ok\nsummary: "a\\0b"', 3, "NUL"),
        ('title: ok\nsummary: "a\\ud800b"', 3, "half of a character"),
        ("title: ok\nsection: a\x07b", 3, "does not allow"),
        (f"title: {'x' * 501}", 2, "500"),
        ("- just\n- a list", 2, "name: value"),
        ("a: &a [x, x]\nb: &b [*a, *a]\ntitle: *b", 2, "aliases"),
        ("a: " + "[" * 5000, 2, "nested"),
        ("title: ok\nsummary: " + "x" * 17_000, 1, "16 kB"),
    ],
)
def test_an_error_in_the_front_matter_names_file_and_line(tmp_path: Path, front: str, line: int, reason: str) -> None:
    failure = only_failure(put(tmp_path, "bad.md", f"---\n{front}\n---\nText."))
    assert (failure.file, failure.line) == ("bad.md", line)
    assert reason in failure.reason


def test_front_matter_that_is_never_closed_fails(tmp_path: Path) -> None:
    assert str(only_failure(put(tmp_path, "a.md", "---\ntitle: x\n\nText"))).startswith("a.md, line 1: the front matter")


# ── what no file may hold ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", None, "is empty"),
        (b" \n\t\n", None, "is empty"),
        (b"one\ntwo \0 three", 2, "NUL"),
        (b"one\ntwo \xff three", 2, "not UTF-8"),
        (b"one \xed\xa0\x80 two", 1, "not UTF-8"),
        (b"\xff\xfea", 1, "not UTF-8"),
    ],
)
@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.html"])
def test_a_file_that_is_empty_or_no_text_fails(tmp_path: Path, name: str, content: bytes, line: int | None, reason: str) -> None:
    failure = only_failure(put(tmp_path, name, content))
    assert (failure.file, failure.line) == (name, line)
    assert reason in failure.reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.md", "# Only a title\n"),
        ("a.md", "---\ntitle: Only a title\n---\n\n"),
        ("a.html", "<html><body><nav>Menu</nav><h1>Only a title</h1></body></html>"),
    ],
)
def test_an_article_without_text_fails(tmp_path: Path, name: str, content: str) -> None:
    assert "no text" in only_failure(put(tmp_path, name, content)).reason


def test_a_heading_without_words_is_an_empty_title(tmp_path: Path) -> None:
    assert only_failure(put(tmp_path, "a.md", "#\n\nText.")).reason == "the title is empty"


@pytest.mark.parametrize(
    ("name", "size", "cap"), [("a.md", 256 * 1024, "256 kB"), ("a.txt", 256 * 1024, "256 kB"), ("a.html", 2 * MEGABYTE, "2 MB")]
)
def test_nothing_is_read_beyond_the_cap_of_a_file(tmp_path: Path, name: str, size: int, cap: str) -> None:
    assert only_failure(put(tmp_path, name, b"x " * (size // 2 + 1))).reason == f"is larger than {cap}"


def test_a_table_beyond_50_megabytes_is_not_opened(tmp_path: Path) -> None:
    with put(tmp_path, "a.csv", "question,answer\n").open("r+b") as stream:
        stream.truncate(50 * MEGABYTE + 1)
    assert only_failure(tmp_path / "a.csv").reason == "is larger than 50 MB"


# ── plain text ──────────────────────────────────────────────────────────────────────────────────


def test_a_short_first_line_with_a_blank_one_below_is_the_title_of_a_text(tmp_path: Path) -> None:
    article = only_article(put(tmp_path, "a.txt", "Opening hours\n\nMonday to Friday.\nNine to six."))
    assert (article.title, article.body) == ("Opening hours", "Monday to Friday.\nNine to six.")


def test_a_text_that_begins_with_a_sentence_is_named_after_its_file(tmp_path: Path) -> None:
    article = only_article(put(tmp_path, "opening-hours.txt", "We are open\nfrom nine to six."))
    assert (article.title, article.body) == ("Opening hours", "We are open\nfrom nine to six.")


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────

PAGE = """<!doctype html><html lang="en-US"><head><title>Ignored | Help</title>
<meta name="description" content="In two minutes."><link rel="canonical" href="https://help.example/reset"></head>
<body><header>Logo</header><nav><a href="/">Home</a></nav><main><h1>Reset your password <a href="#r">¶</a></h1>
<p>You will get a <b>new </b>password &lt;today&gt;, see <a href="plans.md">plans</a> or <a href="java&#9;script:x">this</a>.</p>
<h2>Steps</h2><ol><li><p>Open <code>Settings</code>.</p><ul><li>Gear</ul><li>Save</ol>
<table><tr><th>Plan<th>Price</tr><tr><td>A|B<td>1</tr></table>
<pre>a = 1
b = 2</pre><blockquote><p>Note</blockquote><aside>Careful.</aside><script>alert(1)</script></main><footer>© us</footer></body></html>"""

PAGE_BODY = """You will get a **new** password \\<today>, see [plans](plans.md) or this.

## Steps

1. Open `Settings`.
   - Gear
2. Save

| Plan | Price |
| --- | --- |
| A\\|B | 1 |

```
a = 1
b = 2
```

> Note

Careful."""


def test_a_page_becomes_markdown_without_its_menus(tmp_path: Path) -> None:
    article = only_article(put(tmp_path, "reset.html", PAGE))
    assert article.body == PAGE_BODY
    assert article == ArticleText(
        external_id="reset.html",
        title="Reset your password",
        body=PAGE_BODY,
        summary="In two minutes.",
        url="https://help.example/reset",
    )


def test_a_page_without_a_heading_is_named_by_its_title_without_the_site(tmp_path: Path) -> None:
    page = "<html lang=klingon><title>Refunds - how? | Shop – Help</title><p>Ask us.</p></html>"
    article = only_article(put(tmp_path, "a.htm", page))
    assert (article.title, article.language) == ("Refunds - how? | Shop", "en")


def test_a_table_that_only_places_things_is_read_as_text() -> None:
    found = convert(b"<table><tr><td><p>One</p></td></tr><tr><td><p>Two</p></td></tr></table>")
    assert found["body"] == "One\n\nTwo"


def test_text_of_a_page_cannot_become_markdown_of_its_own() -> None:
    found = convert(b"<p># no heading</p><p>[x](javascript:y) *a* `b` &lt;img src=x&gt;</p><img src='data:x' alt='y'>")
    assert found["body"] == "\\# no heading\n\n\\[x\\](javascript:y) \\*a\\* \\`b\\` \\<img src=x>"


def test_a_page_in_an_older_encoding_is_read_when_it_says_so(tmp_path: Path) -> None:
    page = '<meta charset="windows-1252"><h1>Größe</h1><p>Passt schön.</p>'
    assert only_article(put(tmp_path, "a.html", page.encode("cp1252"))).title == "Größe"


@pytest.mark.parametrize("charset", ["utf-7", "idna", "unicode_escape", "utf-16", "zlib"])
def test_a_page_cannot_choose_a_strange_encoding(tmp_path: Path, charset: str) -> None:
    page = f'<meta charset="{charset}"><p>a'.encode() + b"\xff"
    assert "not UTF-8" in only_failure(put(tmp_path, "a.html", page)).reason


def test_a_page_nested_beyond_reason_is_refused_at_once(tmp_path: Path) -> None:
    assert "inside each other" in only_failure(put(tmp_path, "a.html", "<div>" * 300_000)).reason


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<p><b>", "<ul><li>", "<td>", "<br>", "_ "])
def test_two_megabytes_of_anything_end_as_an_article_or_a_failure(tmp_path: Path, piece: str) -> None:
    put(tmp_path, "a.html", "<p>x</p>" + piece * ((2 * MEGABYTE - 8) // len(piece)))
    assert len(list(read(tmp_path))) == 1


def test_a_page_that_exhausts_its_process_is_a_failure_of_that_page(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28)); x = bytearray(2**30)"
    monkeypatch.setattr(html, "_PROGRAM", limits)
    with pytest.raises(Unreadable, match="more time or memory"):
        html.read("a.html", "<p>x")


def test_a_page_that_takes_for_ever_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_PROGRAM", "import sys; sys.stdin.read(); sys.stdin.close(); __import__('signal').pause()")
    monkeypatch.setattr(html, "TIME_OUT", 0.2)
    with pytest.raises(Unreadable, match="took longer"):
        html.read("a.html", "<p>x")


def test_the_process_that_reads_pages_is_limited_and_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    look = """
import sys; sys.path.append(sys.argv[1])
from knowledge.sources import page
import os, resource
limits = lambda: [resource.getrlimit(which)[0] for which in (resource.RLIMIT_AS, resource.RLIMIT_CPU)]
page.convert = lambda html: {"secret": str("FIRSTLINE_SECRET" in os.environ), "limits": str(limits())}
page.main()
"""
    monkeypatch.setenv("FIRSTLINE_SECRET", "x")
    monkeypatch.setattr(html, "_PROGRAM", look)
    assert html._converted("<p>x") == {"secret": "False", "limits": str([512 * MEGABYTE, 8])}


# ── tables ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_of_faqs_is_read_whatever_its_delimiter_and_encoding(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [
        ["ID", "Question", "Answer", "section", "tags", "language", "url", "article", "wordings"],
        [
            "q1",
            "How big?",
            '"Größe, oder; so\tmehr\r\nals das"',
            "Sizes",
            '"size;big"',
            "de",
            "https://x.example/q",
            "sizes",
            "how large?|what size?",
        ],
        [],
        ["", "How small?", "Tiny.", "", "", "", "", "", ""],
    ]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    first, second = read(put(tmp_path, "faqs.csv", text.encode(encoding)))
    assert first == ArticleText(
        external_id="faqs.csv#q1",
        title="How big?",
        body="Größe, oder; so\tmehr\nals das",
        kind=ArticleKind.FAQ,
        section="Sizes",
        language="de",
        url="https://x.example/q",
        tags=("size", "big"),
        wordings=("how large?", "what size?"),
    )
    assert isinstance(second, ArticleText)
    assert (second.title, second.body, second.language) == ("How small?", "Tiny.", "en")


def test_json_and_jsonl_give_articles(tmp_path: Path) -> None:
    put(tmp_path, "a.json", json.dumps([{"id": 7, "question": "Why?", "answer": "So.", "tags": ["x"], "wordings": "How come?"}], indent=1))
    put(
        tmp_path,
        "b.jsonl",
        '{"id": "r", "title": "T", "text": "B", "lang": "fr", "url": "http://x.example", "section": "S", "kind": "faq"}\n\n',
    )
    faq, record = read(tmp_path)
    wordings = ("How come?",)
    assert faq == ArticleText(external_id="a.json#7", title="Why?", body="So.", kind=ArticleKind.FAQ, tags=("x",), wordings=wordings)
    fields = {"language": "fr", "url": "http://x.example", "section": "S", "kind": ArticleKind.FAQ}
    assert record == ArticleText(external_id="b.jsonl#r", title="T", body="B", **fields)  # type: ignore[arg-type]


def test_a_record_without_an_id_keeps_its_name_while_its_question_stays(tmp_path: Path) -> None:
    first = only_article(put(tmp_path, "a.csv", "question,answer\nHow  big?,Big.\n"))
    again = only_article(put(tmp_path, "a.csv", "answer;question\nHuge!;how big?\n"))
    other = only_article(put(tmp_path, "a.csv", "question,answer\nHow small?,Big.\n"))
    assert first.external_id == again.external_id != other.external_id


@pytest.mark.parametrize(
    ("name", "content", "lines", "reason"),
    [
        ("a.csv", "question,reply\nQ,A\n", [1], "missing: answer; found: question, reply"),
        ("a.csv", "question,answer,question\nQ,A,Q\n", [1], "twice"),
        ("a.csv", "\n\n", [1], "missing: question, answer"),
        ("a.csv", "question,answer\n", [None], "has no rows"),
        ("a.csv", 'question,answer\nQ,"A\nB"\n\nR,\n', [5], "row 4: “answer” is empty"),
        ("a.csv", "question,answer\nQ\n", [2], "row 2: “answer” is missing"),
        ("a.csv", "question,answer\nQ,A, B\n", [2], "row 2: has 3 cells, but there are 2 columns"),
        ("a.csv", 'question,answer\nQ,"A\n', [2], "row 2: unexpected end of data"),
        ("a.csv", f"question,answer\nQ,{'x' * 140_000}\n", [2], "row 2: field larger"),
        ("a.csv", f"question,answer\nQ,{'x' * 2_100_000}\n", [2], "is longer than 2 MB"),
        ("a.csv", b"question,answer\nQ,\xff\n", [2], "row 2: the text holds bytes that are not UTF-8"),
        ("a.csv", b"question,answer\nQ,A\0\n", [2], "row 2: the text holds a NUL"),
        ("a.csv", b"\xff\xfeq", [1], "not UTF-16"),
        ("a.csv", "id,question,answer\nx,Q,A\nx,R,B\n", [3], "row 3: the id x stands in row 2 already"),
        ("a.csv", "question,answer\nQ,A\nq ,B\n", [3], "row 3: the same question or title, without an id, stands in row 2 already"),
        ("a.csv", f"id,question,answer\n{'x' * 300},Q,A\n", [2], "longer than 300 characters"),
        ("a.json", '{"question": "Q"}', [1], "must be a JSON list"),
        ("a.json", "[]", [None], "has no rows"),
        ("a.json", "[\n{\n", [2], "row 1: is not JSON"),
        ("a.json", '[{"question": "Q", "answer": "A"}', [1], "the list is never closed"),
        ("a.json", "[\n1]", [2], "row 1: is not an object"),
        ("a.json", '[{"question": "Q", "answer": "A"}]\n\nx', [3], "behind the end"),
        ("a.json", '[{"question": "Q"}]', [1], "row 1: “answer” is missing"),
        ("a.json", '[{"question": ["Q"], "answer": "A"}]', [1], "“question” must be text"),
        ("a.json", '[{"question": "Q", "answer": "A", "tags": [1]}]', [1], "“tags” must be a list of texts"),
        ("a.json", '[{"question": "Q", "answer": "A", "id": true}]', [1], "“id” must be text"),
        ("a.json", '[{"a": ' + "[" * 100_000, [1], "row 1: is not JSON"),
        ("a.jsonl", '{"title": "T"}\n{"title": "", "text": "x"}\n', [1, 2], "row 1: “text” is missing"),
        ("a.jsonl", "{\n[]\n" + "[" * 100_000, [1, 2, 3], "row 1: is not JSON"),
        ("a.jsonl", '{"title": "T", "text": "\\ud800"}', [1], "half of a character"),
        ("a.jsonl", '{"title": "T", "text": "\\u0000"}', [1], "NUL"),
        ("a.jsonl", '{"title": "T", "text": "' + "x" * 300_000 + '"}', [1], "the text is longer than 256 kB"),
        ("a.jsonl", '{"title": "' + "x" * 2_200_000, [1], "row 1: is longer than 2 MB"),
        ("a.jsonl", '{"title": "T", "text": "x", "n": ' + "9" * 5000 + "}", [1], "row 1: is not JSON"),
    ],
)
def test_a_bad_row_or_table_names_what_is_wrong_and_where(
    tmp_path: Path, name: str, content: str | bytes, lines: list[int | None], reason: str
) -> None:
    found = failures(put(tmp_path, name, content))
    assert [(f.file, f.line) for f in found] == [(name, line) for line in lines]
    assert reason in found[0].reason


def test_a_bad_row_does_not_stop_the_next(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", b"question,answer\nQ,\nR,\xff\nS,x,y,z\nT,A\n")
    put(tmp_path, "b.jsonl", '{"title": "' + "x" * 2_200_000 + '\n{"title": "T", "text": "B"}\n')
    put(tmp_path, "c.json", '[{"question": "Q"}, {"question": "T", "answer": "A"}]')
    assert [a.title for a in articles(tmp_path)] == ["T", "T", "T"]
    assert len(failures(tmp_path)) == 5


def test_a_column_that_nobody_reads_is_mentioned_once(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", "question,answer,categorie\nQ,A,x\nR,B,y\n")
    (caution,) = cautions(tmp_path)
    assert "“categorie” is not used" in caution.reason
    assert len(articles(tmp_path)) == 2


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
def test_a_table_is_streamed_row_by_row(tmp_path: Path, name: str) -> None:
    answer = "x" * 1000
    rows = {
        "a.csv": "question,answer\n" + "".join(f"{n},{answer}\n" for n in range(3000)),
        "a.json": "[" + ",\n".join(f'{{"question": "{n}", "answer": "{answer}"}}' for n in range(3000)) + "]",
        "a.jsonl": "".join(f'{{"title": "{n}", "text": "{answer}"}}\n' for n in range(3000)),
    }
    found = articles(put(tmp_path, name, rows[name]))
    assert [a.title for a in found] == [str(n) for n in range(3000)]


# ── folders ─────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_is_read_in_a_stable_order_with_paths_as_names(tmp_path: Path) -> None:
    for name in ["b.md", "a/z.md", "a/a.txt", "c.MD"]:
        put(tmp_path, name, "Text.")
    put(tmp_path, "notes.xyz", "ignored")
    put(tmp_path, "images/a.png", PNG)
    assert [a.external_id for a in articles(tmp_path)] == ["a/a.txt", "a/z.md", "b.md", "c.MD"]
    assert not failures(tmp_path)


def test_hidden_files_and_links_that_lead_out_are_left_aside(tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/secret.md", "Secret.")
    root = tmp_path / "root"
    put(root, ".hidden.md", "Hidden.")
    put(root, ".git/config.md", "Hidden.")
    put(root, "real.md", "Real.")
    for name, target in {
        "inside.md": "real.md",
        "out.md": str(outside),
        "up": "../outside",
        "gone.md": "nowhere.md",
        "loop.md": "loop.md",
        "again": ".",
        "peek.md": ".git/config.md",
    }.items():
        (root / name).symlink_to(target)
    assert [(a.external_id, a.body) for a in articles(root)] == [("inside.md", "Real."), ("real.md", "Real.")]
    assert [c.file for c in cautions(root)] == ["again", "gone.md", "loop.md", "out.md", "peek.md", "up"]
    assert not failures(root)


def test_one_bad_file_never_stops_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "a.md", b"\xff")
    (tmp_path / "b.md").mkdir()
    put(tmp_path, "b.md/inside.md", "Not read.")
    os.mkfifo(tmp_path / "c.md")
    put(tmp_path, "d.json", '{"name": "a package"}')
    put(tmp_path, "e.md", "Good.")
    put(tmp_path, "f.pdf", b"%PDF")
    assert [a.external_id for a in articles(tmp_path)] == ["e.md"]
    assert [f.file for f in failures(tmp_path)] == ["a.md", "b.md", "c.md", "d.json"]
    assert "is a folder" in failures(tmp_path)[1].reason
    assert "not a regular file" in failures(tmp_path)[2].reason
    assert [str(c) for c in cautions(tmp_path)] == ["f.pdf: .pdf files cannot be read yet"]


def test_a_socket_with_an_articles_name_is_a_failure() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/a.md")
        assert only_failure(Path(folder)).reason == "is not a regular file"


def test_what_may_not_be_read_is_a_failure_with_the_systems_words() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        put(folder, "closed/a.md", "x").parent.chmod(0)
        put(folder, "listed/b.md", "x").parent.chmod(0o444)
        put(folder, "locked.md", "x").chmod(0)
        put(folder, "open.md", "Good.").chmod(0o644)
        with powerless():
            readings = list(read(folder))
        (folder / "closed").chmod(0o755)
        (folder / "listed").chmod(0o755)
    assert [str(r) for r in readings if isinstance(r, Failure)] == [
        "closed: the folder cannot be read: permission denied",
        "listed/b.md: cannot be looked at: permission denied",
        "locked.md: cannot be opened: permission denied",
    ]
    assert [r.external_id for r in readings if isinstance(r, ArticleText)] == ["open.md"]


def test_names_that_no_table_could_hold_are_failures(tmp_path: Path) -> None:
    put(tmp_path, f"{'d' * 150}/{'e' * 150}.md", "x")
    put(tmp_path, "new\nline.md", "x")
    (tmp_path / os.fsdecode(b"\xff.md")).write_text("x")
    found = failures(tmp_path)
    assert [f.file for f in found] == [f"{'d' * 150}/{'e' * 150}.md", "new\\nline.md", "\\xff.md"]
    assert "longer than 300 characters" in found[0].reason
    assert "not UTF-8" in found[2].reason
    assert not articles(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "x" * 300 + ".md", "a\0b.md"])
def test_a_path_that_leads_nowhere_is_a_failure(tmp_path: Path, name: str) -> None:
    assert "cannot be opened" in only_failure(tmp_path / name).reason


def test_a_single_file_of_an_unknown_kind_is_a_failure(tmp_path: Path) -> None:
    assert ".md" in only_failure(put(tmp_path, "a.xyz", "x")).reason


# ── pictures ────────────────────────────────────────────────────────────────────────────────────


def test_pictures_that_an_article_shows_come_with_it(tmp_path: Path) -> None:
    put(tmp_path, "images/a b.png", PNG)
    put(tmp_path, "guide/images/c(1).jpg", b"\xff\xd8\xff\xe0x")
    put(tmp_path, "guide/d.webp", b"RIFF0000WEBPx")
    put(tmp_path, "guide/e.gif", b"GIF89ax")
    put(tmp_path, "guide/unused.png", PNG)
    body = """![one](../images/a%20b.png "Title") and ![two](images/c(1).jpg)
![again](../images/a%20b.png#x) ![web](https://x.example/y.png) ![data](data:image/png;base64,x)
<img alt="x" src="d.webp">

![three][e]

```
![not shown](missing.png)
```

[e]: e.gif
"""
    article = only_article(put(tmp_path, "guide/x.md", body).parents[1])
    assert [(p.name, p.media_type) for p in article.images] == [
        ("../images/a b.png", "image/png"),
        ("images/c(1).jpg", "image/jpeg"),
        ("d.webp", "image/webp"),
        ("e.gif", "image/gif"),
    ]
    assert article.images[0].content == PNG


def test_pictures_of_a_page_come_with_it(tmp_path: Path) -> None:
    put(tmp_path, "a (1).png", PNG)
    article = only_article(put(tmp_path, "x.html", "<p>See <img src='a (1).png' alt='A'></p>").parent)
    assert article.body == "See ![A](a%20%281%29.png)"
    assert [p.name for p in article.images] == ["a (1).png"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("missing.png", "no such file"),
        ("../secret.png", "outside the folder"),
        ("/etc/hosts", "no such file"),
        (".hidden/x.png", "outside the folder"),
        ("link.png", "outside the folder"),
        ("fake.png", "no PNG"),
        ("big.png", "larger than 2 MB"),
        ("empty.png", "is empty"),
        ("folder.png", "not a regular file"),
        ("a%00b.png", "NUL"),
        ("x" * 299 + ".png", "too long"),
        ("y" * 290 + ".png", "name too long"),
    ],
)
def test_a_picture_that_cannot_be_taken_is_a_caution_and_the_article_stays(tmp_path: Path, source: str, reason: str) -> None:
    put(tmp_path, "secret.png", PNG)
    root = tmp_path / "root"
    put(root, ".hidden/x.png", PNG)
    put(root, "fake.png", "<html>")
    put(root, "big.png", PNG + bytes(2 * MEGABYTE))
    put(root, "empty.png", b"")
    (root / "folder.png").mkdir()
    (root / "link.png").symlink_to("../secret.png")
    put(root, "a.md", f"Text.\n\nSee ![x]({source}).")
    assert [a.images for a in articles(root)] == [()]
    (caution,) = cautions(root)
    assert (caution.file, caution.line) == ("a.md", 3)
    assert reason in caution.reason


def test_an_article_brings_at_most_fifty_pictures(tmp_path: Path) -> None:
    for n in range(60):
        put(tmp_path, f"{n}.png", PNG)
    put(tmp_path, "a.md", "\n\n".join(f"![x]({n}.png)" for n in range(60)))
    assert len(articles(tmp_path)[0].images) == 50
    assert len(cautions(tmp_path)) == 1


@pytest.mark.parametrize(
    "piece", ["![", "![](", "<img ", "<img src=", "[x]: a.png", "![x](" + "(" * 50, "```\n", "# ", "---\n", "<img src=\"a\nsrc='"]
)
def test_a_quarter_megabyte_of_anything_is_read_in_a_second(tmp_path: Path, piece: str) -> None:
    put(tmp_path, "a.md", "x\n\n" + piece * (250_000 // len(piece)))
    before = os.times()
    assert list(read(tmp_path))
    after = os.times()
    assert after.user - before.user < 1


# ── anything at all ─────────────────────────────────────────────────────────────────────────────

PIECES = [
    *(
        b"---\n",
        b"title: ",
        b"title:",
        b"tags: [a, ",
        b"&a ",
        b"*a",
        b"? ",
        b"- ",
        b"!!timestamp ",
        b"0x",
        b"1:1",
        b": |",
        b"{",
        b"}",
        b"]",
    ),
    *(b"# ", b"\n\n", b"\n", b"\r", b"\0", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"![x](", b"a.png", b")"),
    *(
        b"question",
        b"answer",
        b"id",
        b",",
        b";",
        b"\t",
        b'"',
        b'""',
        b"'",
        b"[{",
        b'"question": "',
        b'", "answer": "',
        b"}]",
        b'{"title": "',
        b'", "text": "',
    ),
    *(
        b"\\ud800",
        b"\\u0000",
        b"1e999",
        b"NaN",
        b"<h1>",
        b"<p>",
        b"<td>",
        b"<table>",
        b"<ol><li>",
        b"<a href=",
        b"<br>",
        b"<pre>",
        b"</",
        b"<main>",
        b"&#0;",
        b"&#xd800;",
    ),
]
ANYTHING = st.one_of(st.binary(max_size=300), st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))


def assert_readings(readings: list[Reading]) -> None:
    for reading in readings:
        assert isinstance(reading, ArticleText | Failure | Caution)
        if isinstance(reading, ArticleText):
            text = repr(reading) + reading.title + reading.body
            assert "\0" not in text
            assert text.encode()
            assert reading.title.strip()
            assert reading.body.strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anything")


@pytest.mark.parametrize("name", ["a.md", "a.txt", "a.csv", "a.json", "a.jsonl"])
@settings(max_examples=150, deadline=None)
@given(content=ANYTHING)
def test_any_bytes_give_an_article_or_a_failure(folder: Path, name: str, content: bytes) -> None:
    readings = list(read(put(folder, name, content)))
    assert readings
    assert_readings(readings)


@settings(max_examples=25, deadline=None)
@given(content=ANYTHING)
def test_any_bytes_in_a_page_give_an_article_or_a_failure(folder: Path, content: bytes) -> None:
    readings = list(read(put(folder, "a.html", content)))
    assert [r for r in readings if not isinstance(r, Caution)]
    assert_readings(readings)


@settings(max_examples=300, deadline=None)
@given(front=st.one_of(st.text(max_size=60), st.lists(st.sampled_from([p.decode("latin-1") for p in PIECES]), max_size=15).map("".join)))
def test_any_front_matter_gives_an_article_or_a_failure(folder: Path, front: str) -> None:
    readings = list(read(put(folder, "b.md", f"---\n{front}\n---\nText.".encode("utf-8", "replace"))))
    assert [r for r in readings if not isinstance(r, Caution)]
    assert_readings(readings)
