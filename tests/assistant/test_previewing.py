"""A preview is one short line of the article's own words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.previewing import ELLIPSIS, LONGEST, one_line, preview
from assistant.quoting import Source


def source(text: str) -> Source:
    return Source("a", "p", "Refunds", (), "", text, 1.0)


def test_the_line_that_answers_is_shown_without_marks() -> None:
    text = "You will know how refunds work.\n\n1. Open **Billing**.\n2. Press `Refund` beside the payment.\n\nCards only."
    shown = preview("where do I press for a refund", [source(text)], None)
    assert shown.startswith("Press Refund beside the payment.")
    assert not set("*`\n") & set(shown)


def test_a_line_does_not_run_from_a_text_into_a_table() -> None:
    text = "1. Open **Billing**.\n2. Press **Refund**.\n\n| Plan | Refund |\n| --- | --- |\n| Yearly | 30 days |"
    assert preview("press refund", [source(text)], None) == "Press Refund."
    assert preview("yearly plan", [source(text)], None) == "Plan Refund Yearly 30 days"


def test_nothing_is_shown_where_there_is_nothing_to_quote() -> None:
    assert preview("refund", [], None) == ""
    assert preview("refund", [source("<!-- hidden -->")], None) == ""


@pytest.mark.parametrize("length", [LONGEST - 1, LONGEST, LONGEST + 1])
def test_a_line_is_cut_between_words_only_where_it_is_too_long(length: int) -> None:
    text = ("abcd " * length)[: length - 1] + "e"
    line = one_line(text)
    assert line == text if length <= LONGEST else line.endswith(ELLIPSIS)
    assert text.startswith(line.removesuffix(ELLIPSIS))


@given(st.text(max_size=400))
def test_any_text_becomes_one_short_line(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LONGEST
    assert "\n" not in line
