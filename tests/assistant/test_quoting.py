"""What a quotation promises: only the article's words, whole steps, the part that answers, quickly."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.blocks import count_words
from assistant.quoting import GAP, Part, Quotation, Source, quote
from knowledge.passages import cut

TASK = """In this article you set up an alert, so that you need not look all day.

## Before you start

You need the Editor role.

## Create the alert

Alerts are made in three steps:

1. Open **Alerts** and select **New alert**.

   ![The panel](images/panel.png)

2. Choose the metric. See [metrics](metrics.md) and [the standard](https://example.org/x).
3. Select **Save alert**.

## Limits

| Plan | Alerts |
| --- | --- |
| Starter | none |
| Team | 20 |

## What's next

- [Send alerts to Slack](slack.md)
"""

TECHNOTE = """TECHNOTE (TROUBLESHOOTING)

PROBLEM(ABSTRACT)
 The server does not start after the upgrade and shows error E4711.

SYMPTOM
The log says that the server does not start: E4711.

CAUSE
The old lock file was left behind.

RESOLVING THE PROBLEM
Delete the file server.lock in the data folder and restart the service.

PRODUCT ALIAS/SYNONYM
 srv; server; upgrade; E4711
"""


def article(text: str, name: str = "a", title: str = "Title") -> list[Source]:
    """The passages of one article, as search would hand them over."""
    return [Source(name, f"{name}{piece.position}", title, piece.heading_path, piece.anchor, piece.text, 0.0) for piece in cut(title, text)]


def long_list(count: int) -> str:
    """A numbered list whose steps have ten words each."""
    return "\n".join(f"{n}. Press the button number {n} and wait until it glows" for n in range(1, count + 1))


def words_of(text: str) -> set[str]:
    """The words of a text without marks."""
    return set(re.findall(r"[^\W_]+", text))


def test_a_task_is_answered_with_its_steps_and_the_line_that_introduces_them() -> None:
    said = quote("I want to create an alert", [article(TASK)])
    assert "Alerts are made in three steps:\n\n1. Open" in said.text
    assert "3. Select **Save alert**." in said.text


def test_a_question_for_a_number_is_answered_with_the_table_and_its_head() -> None:
    said = quote("What is the limit of alerts on the Team plan?", [article(TASK)], words=45)
    assert "| Plan | Alerts |\n| --- | --- |\n| Starter | none |\n| Team | 20 |" in said.text


def test_an_announcement_and_a_list_of_further_articles_are_not_quoted_when_there_is_an_answer() -> None:
    said = quote("How can I create an alert?", [article(TASK)], words=60)
    assert "In this article" not in said.text
    assert "Slack" not in said.text


def test_images_go_and_links_inside_the_centre_become_their_text() -> None:
    said = quote("I want to create an alert", [article(TASK)]).text
    assert "images/" not in said
    assert "metrics.md" not in said
    assert "[the standard](https://example.org/x)" in said


def test_plain_text_with_headings_in_capitals_is_answered_from_its_resolution() -> None:
    said = quote("Server does not start after the upgrade, error E4711", [article(TECHNOTE)], words=25)
    assert "Delete the file server.lock" in said.text
    assert "srv; server" not in said.text


def test_headings_are_shown_where_a_quotation_has_more_than_one_section() -> None:
    said = quote("Server does not start, error E4711", [article(TECHNOTE)], words=40).text
    assert "**CAUSE**" in said
    assert "**RESOLVING THE PROBLEM**" in said
    assert "**" not in quote("Why does it not start?", [article("## Only one\n\nIt does not start without a key.")]).text


def test_why_is_answered_from_the_cause() -> None:
    assert "lock file was left behind" in quote("Why does the server not start?", [article(TECHNOTE)], words=20).text


def test_a_numbered_list_a_little_over_the_limit_stays_whole() -> None:
    said = quote("press the button", [article("## Do it\n\n" + long_list(12))], words=100)
    assert "12. Press" in said.text
    assert not said.continues


def test_a_much_longer_list_is_quoted_in_whole_steps_and_says_that_it_goes_on() -> None:
    steps = long_list(60)
    said = quote("press the button", [article("## Do it\n\nDo this:\n\n" + steps)], words=60)
    assert said.continues
    assert count_words(said.text) <= 60
    assert said.text.startswith("Do this:")
    assert set(said.text.splitlines()[2:]) <= {*steps.splitlines(), ""}


def test_a_step_keeps_what_is_explained_below_it() -> None:
    text = "1. Open the door.\n\nIt is the blue one.\n\n2. Walk through the door.\n"
    said = quote("open the door", [article(text)], words=16).text
    assert said == text.strip()


def test_the_limit_holds_for_paragraphs() -> None:
    text = "\n\n".join(f"Sentence number {n} tells about alerts and what they do." for n in range(80))
    assert count_words(quote("alerts", [article(text)], words=50).text) <= 50


def test_parts_name_the_passages_and_cover_their_words() -> None:
    sources = article(TASK + "\n\n" + "\n\n".join(f"## Part {n}\n\nWords on alerts and metric {n}." * 9 for n in range(5)))
    said = quote("create an alert on metric 3", [sources])
    by_id = {source.passage_id: source for source in sources}
    for part in said.parts:
        source = by_id[part.passage_id]
        assert words_of(said.text[part.start : part.end]) <= words_of(" ".join((source.text, *source.heading_path)))
    assert said.parts[0].start == 0
    assert said.parts[-1].end == len(said.text)


def test_a_second_article_is_quoted_only_for_what_the_first_one_lacks() -> None:
    first, second = article(TASK), article("Slack channels get alerts through the Slack connector, which admins install.", "b")
    apart = quote("create an alert and install the connector for Slack channels", [first[:2], second])
    assert {part.article_id for part in apart.parts} == {"a", "b"}
    alone = quote("create an alert", [first, second])
    assert {part.article_id for part in alone.parts} == {"a"}


def test_an_article_of_headings_and_images_answers_nothing_and_the_next_one_is_quoted() -> None:
    empty = [Source("a", "a0", "Empty", (), "", "## Heading\n\n![picture](x.png)\n", 1.0)]
    assert quote("anything", [empty]) == Quotation("", ())
    assert quote("anything", [empty, article("Anything goes here.", "b")]).parts == (Part("b", "b0", 0, 19),)


@pytest.mark.parametrize("articles", [[], [[]], [[], []]])
def test_nothing_to_quote_is_an_empty_quotation(articles: list[list[Source]]) -> None:
    assert quote("why?", articles) == Quotation("", ())


def test_a_short_answer_without_a_stop_is_quoted() -> None:
    assert quote("number?", [article("Dial 112")]).text == "Dial 112"


def test_other_scripts_are_quoted() -> None:
    said = quote("パスワードを忘れた", [article("パスワードを忘れた場合は、リンクを押してください。\n\n## Ünïcödé\n\nÄpfel 🍏 und Öl.")])
    assert "パスワードを忘れた場合は" in said.text


MARKDOWN = st.lists(
    st.one_of(
        st.sampled_from(
            ["# H", "## What's next", "SYMPTOM", "1. one", "2. two", "- item", "  more", "| a | b |", "| - | - |", "```", "", "Do this:"]
        ),
        st.sampled_from(["![i](a.png)", "[text](page.md)", "[out](https://x.y)", "**Bold line**", "===", "---", "> cited", "\t", "\ud800"]),
        st.text(max_size=60),
    ),
    max_size=40,
).map("\n".join)


@settings(max_examples=300, deadline=None)
@given(text=MARKDOWN, question=st.text(max_size=80), words=st.integers(0, 150))
def test_every_word_of_a_quotation_stands_in_its_source(text: str, question: str, words: int) -> None:
    sources = article(text)
    said = quote(question, [sources], words=words)
    held = set().union(*(words_of(" ".join((source.text, *source.heading_path))) for source in sources))
    assert words_of(said.text.replace(GAP, " ")) <= held
    assert all(0 <= part.start < part.end <= len(said.text) for part in said.parts)
    assert bool(said.text) == bool(said.parts)


@settings(max_examples=100, deadline=None)
@given(lengths=st.lists(st.integers(1, 12), min_size=2, max_size=30), words=st.integers(5, 120))
def test_a_quotation_never_ends_inside_a_step(lengths: list[int], words: int) -> None:
    steps = [f"{n}. " + " ".join(["press", f"key{n}", *["again"] * length]) + "." for n, length in enumerate(lengths, 1)]
    said = quote("press again", [article("## Task\n\n" + "\n".join(steps))], words=words)
    assert said.text
    assert set(said.text.splitlines()) <= {*steps, "", GAP}


HOSTILE = {
    "one long word": "a" * 100_000,
    "one endless sentence": "a " * 50_000,
    "tiny sentences": "A. " * 33_000,
    "steps without end": "1. x\n" * 20_000,
    "only colons": "x:\n\n" * 25_000,
    "only headings": "ABCD\nx\n\n" * 10_000,
    "open brackets": "[" * 100_000,
    "open links": "[a](b" * 15_000,
    "fences": "```\n" * 25_000,
    "blank": " \t" * 50_000 + "x",
    "indented items": "- a\n\n  b\n" * 10_000,
    "lone surrogates": "\ud800 word " * 10_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_survived_in_linear_time(text: str) -> None:
    sources = article(text)
    began = time.thread_time()
    said = quote("why " * 1000 + "\ud800", [sources])
    assert time.thread_time() - began < 10  # a quadratic scan takes minutes
    assert len(said.text.split()) < 400
