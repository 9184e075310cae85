"""The house style of an article: each rule, the line it names, and what it tolerates."""

from pathlib import Path

import pytest

import knowledge
from knowledge.articles import ArticleText
from knowledge.lint import Complaint, lint
from knowledge.sources.folder import read
from knowledge.tables import ArticleKind

SAMPLE = Path(knowledge.__file__).parent / "sample"

FRONT = "---\ntitle: Add a seat\nsection: Billing\nsummary: One more person.\n---\n"
BODY = """
You will add one person to your plan.

## Steps

1. Open **Settings**.
2. Select **Add**.

## What's next

- [Plans](plans.md)
"""


def put(folder: Path, text: str, name: str = "a.md") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    (folder / "plans.md").write_text(FRONT.replace("Add a seat", "Plans") + BODY, encoding="utf-8")
    return folder


def complaints(folder: Path, name: str = "a.md") -> list[tuple[str, int]]:
    return [(c.rule, c.line) for c in lint(folder) if c.file == name]


def test_an_article_in_house_style_has_no_complaints(tmp_path: Path) -> None:
    assert lint(put(tmp_path, FRONT + BODY)) == []


def test_a_single_file_is_linted_in_its_folder(tmp_path: Path) -> None:
    put(tmp_path, FRONT + BODY.replace("plans.md", "nowhere.md"))
    (complaint,) = lint(tmp_path / "a.md")
    assert complaint == Complaint("a.md", 16, "broken-link", "the link nowhere.md leads to no file")
    assert str(complaint) == "a.md:16: the link nowhere.md leads to no file [broken-link]"


@pytest.mark.parametrize(
    "opening",
    [
        "In this article you invite a whole department at once.",
        "You\u2019ll see your numbers on the wall.",
        "By the end, your team signs in with one click.",
        "This article shows you how to connect a database.",
        "Follow these steps to change the card you pay with.",
        "Here you will set the time zone of your workspace.",
        "Prices change. With this guide you compare\nwhat the plans include.",
    ],
)
def test_an_opening_that_promises_something_is_welcome(tmp_path: Path, opening: str) -> None:
    assert complaints(put(tmp_path, FRONT + BODY.replace("You will add one person to your plan.", opening))) == []


@pytest.mark.parametrize(
    ("opening", "line"),
    [
        ("Seats are a part of every plan.", 7),
        ("## Overview\n\nYou will add a seat.", 7),
        ("\n\n- You will add a seat.", 9),
        ("![You will see](plans.md)", 7),
    ],
)
def test_an_opening_that_promises_nothing_is_named_with_its_line(tmp_path: Path, opening: str, line: int) -> None:
    assert complaints(put(tmp_path, FRONT + BODY.replace("You will add one person to your plan.", opening))) == [("opening", line)]


def test_an_article_without_numbered_steps_is_named(tmp_path: Path) -> None:
    text = BODY.replace("1. ", "- ").replace("2. ", "- ")
    assert complaints(put(tmp_path, FRONT + text)) == [("steps", 7)]


@pytest.mark.parametrize("excuse", ["kind: faq", "style: reference"])
def test_a_faq_and_a_reference_need_no_steps(tmp_path: Path, excuse: str) -> None:
    text = BODY.replace("1. ", "- ").replace("2. ", "- ")
    assert complaints(put(tmp_path, FRONT.replace("title", f"{excuse}\ntitle") + text)) == []


def test_a_faq_begins_with_its_answer(tmp_path: Path) -> None:
    text = BODY.replace("You will add one person to your plan.", "Up to 50 seats.")
    assert complaints(put(tmp_path, FRONT.replace("title", "kind: faq\ntitle") + text)) == []


@pytest.mark.parametrize(
    ("ending", "line"),
    [
        ("", 9),
        ("## What's next\n\nNothing.\n", 14),
        ("## What's next\n\n![Plans](plans.md)\n", 14),
        ("## What's next\n\n- [Plans](plans.md)\n\n## Notes\n\nNone.\n", 18),
        ("## See also\n\n- [Plans](plans.md)\n", 14),
    ],
)
def test_an_article_ends_with_whats_next_and_a_link(tmp_path: Path, ending: str, line: int) -> None:
    text = BODY[: BODY.index("## What's next")] + ending
    assert complaints(put(tmp_path, FRONT + text)) == [("whats-next", line)]


def test_an_article_without_any_heading_is_asked_for_whats_next_at_its_end(tmp_path: Path) -> None:
    assert complaints(put(tmp_path, f"{FRONT}You will add a seat.\n\n1. Add it.\n2. Save.\n\n")) == [("whats-next", 9)]


@pytest.mark.parametrize("heading", ["What\u2019s next", "What's next?", "WHAT'S NEXT", "Next steps"])
def test_whats_next_may_be_written_in_more_than_one_way(tmp_path: Path, heading: str) -> None:
    assert complaints(put(tmp_path, FRONT + BODY.replace("What's next", heading))) == []


def test_articles_in_other_languages_are_not_asked_for_english_phrases(tmp_path: Path) -> None:
    body = BODY.replace("You will add one person to your plan.", "So kommt jemand dazu.").replace("What's next", "Wie es weitergeht")
    assert complaints(put(tmp_path, FRONT.replace("title", "language: de\ntitle") + body)) == []
    assert complaints(put(tmp_path, FRONT.replace("title", "language: en-GB\ntitle") + body)) == [("opening", 8), ("whats-next", 15)]


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("---\ntitle: Seats\nsection: Billing\n---\n", 1),
        ("---\ntitle: Seats\nsection:\nsummary: x\n---\n", 3),
        ("---\nsection: Billing\nsummary: x\n---\n", 1),
    ],
)
def test_title_section_and_summary_are_asked_for(tmp_path: Path, front: str, line: int) -> None:
    assert complaints(put(tmp_path, front + BODY)) == [("front-matter", line)]


def test_a_title_has_80_characters_at_most(tmp_path: Path) -> None:
    assert complaints(put(tmp_path, FRONT.replace("Add a seat", "x" * 80) + BODY)) == []
    assert complaints(put(tmp_path, FRONT.replace("Add a seat", "x" * 81) + BODY)) == [("title-length", 2)]


def test_a_title_is_used_once_in_a_folder(tmp_path: Path) -> None:
    put(tmp_path, FRONT + BODY)
    put(tmp_path, FRONT.replace("Add a seat", "add  a Seat") + BODY.replace("plans.md", "../plans.md"), "more/b.md")
    (complaint,) = lint(tmp_path)
    assert (complaint.file, complaint.line, complaint.rule) == ("more/b.md", 2, "title-unique")
    assert "a.md" in complaint.message


def test_links_that_lead_nowhere_are_named_with_their_line(tmp_path: Path) -> None:
    middle = """See [one](plans.md),
[two](nowhere.md) and
`code [x](also-nowhere.md)` ![shown](missing%20picture.png)
and [three](plans.md#prices), [web](https://x.example/y), [mail](mailto:a@x.example), [here](#steps).

| A | B |
| --- | --- |
| [root](/plans.md) | x |
| x | [table](gone.md) |

[out](../../etc/hosts) [folder](deep/) [ref][r]

```
[not](a-link.md)
```

[r]: lost.md
"""
    (tmp_path / "deep").mkdir()
    found = complaints(put(tmp_path, FRONT + BODY.replace("## Steps", f"## Steps\n\n{middle}")))
    assert found == [("broken-link", 12), ("broken-link", 13), ("broken-link", 19), *[("broken-link", 21)] * 3]


@pytest.mark.parametrize(
    "picture",
    ["![](plans.md)", "![ ](plans.md)", '<img src="plans.md">', '<img src="plans.md" alt=" ">', '<img alt="" src="plans.md">'],
)
@pytest.mark.parametrize("before", ["A line\nwith ", ""])
def test_a_picture_says_what_it_shows(tmp_path: Path, picture: str, before: str) -> None:
    body = BODY.replace("## Steps", f"{before}{picture}\n\n## Steps")
    assert complaints(put(tmp_path, FRONT + body)) == [("alt-text", 10 if before else 9)]


@pytest.mark.parametrize("picture", ["![The plans](plans.md)", '<img src="plans.md" alt="The plans">', "`![](x.png)`"])
def test_a_picture_that_says_what_it_shows_is_welcome(tmp_path: Path, picture: str) -> None:
    assert complaints(put(tmp_path, FRONT + BODY.replace("## Steps", f"{picture}\n\n## Steps"))) == []


def test_the_body_has_no_heading_of_level_one(tmp_path: Path) -> None:
    assert complaints(put(tmp_path, FRONT + BODY.replace("## Steps", "# Steps\n\n```\n# no heading\n```"))) == [("no-h1", 9)]
    assert complaints(put(tmp_path, FRONT + BODY.replace("## Steps", "Steps\n==="))) == [("no-h1", 9)]


def test_no_level_of_headings_is_skipped(tmp_path: Path) -> None:
    body = BODY.replace("## Steps", "### Early\n\n## Steps\n\n### Fine\n\n##### Deep")
    assert complaints(put(tmp_path, FRONT + body)) == [("heading-levels", 9), ("heading-levels", 15)]


def test_a_paragraph_has_120_words_at_most(tmp_path: Path) -> None:
    fine, long = ["word " * 120, "word\n" * 120 + "word"]
    body = BODY.replace("## Steps", f"{fine}\n\n{long}\n\n- {fine} `more` [than](plans.md) enough\n\n## Steps")
    assert complaints(put(tmp_path, FRONT + body)) == [("paragraph-length", 11), ("paragraph-length", 133)]


def test_what_cannot_be_read_is_a_complaint_with_its_line(tmp_path: Path) -> None:
    put(tmp_path, "---\ntitle: [\n---\nText.", "a.md")
    (tmp_path / "b.md").write_bytes(b"one\n\xff")
    (tmp_path / "c.md").mkdir()
    assert [(c.file, c.line, c.rule) for c in lint(tmp_path)] == [
        ("a.md", 2, "unreadable"),
        ("b.md", 2, "unreadable"),
        ("c.md", 1, "unreadable"),
    ]
    assert [c.rule for c in lint(tmp_path / "nowhere")] == ["unreadable"]


def test_complaints_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    put(tmp_path, BODY.replace("plans.md", "x.md") + "\n# One\n", "b.md")
    put(tmp_path, "Seats.", "a.md")
    found = [(c.file, c.line) for c in lint(tmp_path)]
    assert found == sorted(found)
    assert len(found) > 6


def test_other_files_are_not_linted(tmp_path: Path) -> None:
    put(tmp_path, FRONT + BODY)
    (tmp_path / "faqs.csv").write_text("question,answer\n")
    (tmp_path / "notes.txt").write_text("Notes.")
    assert lint(tmp_path) == []


def test_the_sample_centre_keeps_the_house_style() -> None:
    assert [str(complaint) for complaint in lint(SAMPLE)] == []


def test_the_sample_centre_reads_without_a_failure_or_caution() -> None:
    readings = list(read(SAMPLE))
    assert [str(r) for r in readings if not isinstance(r, ArticleText)] == []
    kinds = [r.kind for r in readings if isinstance(r, ArticleText)]
    assert kinds.count(ArticleKind.ARTICLE) == 64
    assert kinds.count(ArticleKind.FAQ) > 50
