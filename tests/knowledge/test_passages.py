import time

import pytest

from knowledge.passages import LIMIT, TAIL, cut, embedded_text, plain

LONG = "word " * 60


def test_sections_become_passages_with_their_headings_and_anchors():
    pieces = cut("Plans", f"Intro. {LONG * 2}\n\n## Team plan\n\n{LONG * 2}\n\n### Seats\n\n{LONG * 2}")
    assert [piece.heading_path for piece in pieces] == [(), ("Team plan",), ("Team plan", "Seats")]
    assert [piece.anchor for piece in pieces] == ["", "team-plan", "seats"]
    assert [piece.position for piece in pieces] == [0, 1, 2]


def test_short_sections_stand_together():
    (piece,) = cut("Keys", "## One\n\nfirst\n\n## Two\n\nsecond")
    assert piece.anchor == "one"
    assert piece.text == "first\n\n## Two\n\nsecond"


def test_headings_of_the_same_name_get_different_anchors():
    pieces = cut("T", "\n".join(f"## Same\n\n{LONG * 2}\n" for _ in range(3)))
    assert [piece.anchor for piece in pieces] == ["same", "same-1", "same-2"]


def test_a_heading_that_repeats_the_title_is_none():
    (piece,) = cut("Reset a password", "# Reset a password\n\nOpen settings.")
    assert piece.heading_path == ()


def test_an_underlined_heading_counts():
    pieces = cut("T", f"{LONG * 2}\n\nThe next part\n-------------\n\n{LONG * 2}")
    assert pieces[1].heading_path == ("The next part",)


def test_a_hash_in_a_code_fence_is_no_heading():
    (piece,) = cut("T", "```sh\n# not a heading\nls\n```\nafter")
    assert piece.heading_path == ()
    assert "# not a heading" in piece.text


def test_list_items_table_rows_and_fences_stay_whole():
    item = "- item " + "x" * 200 + "\n  continued"
    row = "| " + "y" * 150 + " | z |"
    fence = "```\n" + "code\n" * 80 + "```"
    pieces = cut("T", "\n".join([item] * 6) + "\n\n" + "\n".join([row] * 8) + "\n\n" + fence)
    whole = "\n".join(piece.text for piece in pieces)
    assert whole.count(item) == 6
    assert whole.count(row) == 8
    assert sum(fence in piece.text for piece in pieces) == 1


def test_nothing_is_lost():
    text = "\n\n".join(f"para{n} " + "w " * (n % 300) for n in range(200))
    whole = " ".join(piece.text for piece in cut("T", text))
    assert whole.split() == text.split()


def test_text_without_words_has_no_passages():
    assert cut("T", "") == []
    assert cut("T", " \n\t\n") == []
    assert cut("T", "# Only\n\n## Headings\n") == []


HOSTILE = {
    "one long line": "a" * 256_000,
    "headings": "# a\n" * 10_000 + "# b\ntext\n" * 10_000,
    "the same heading": "## a\nb\n" * 30_000,
    "underscores": "_" * 256_000,
    "brackets": "[" * 256_000,
    "links": "[a](" * 64_000,
    "tags": "<a" * 128_000,
    "pipes": "|" * 256_000,
    "fences": "```\n" * 64_000,
    "open fences in items": "- ```\n" * 40_000,
    "blank lines": "\n" * 256_000,
    "hashes": "#" * 256_000,
    "underlines": "a\n---\n" * 40_000,
    "Chinese": "字" * 85_000,
    "items with blanks": "-  \n\n  a\n" * 25_000,
    "NUL and surrogates": "\x00\ud800 " * 50_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_cut_into_bounded_passages_in_linear_time(text):
    """The time is a hundred times what a linear scan takes; a quadratic one takes hours."""
    began = time.perf_counter()
    pieces = cut("T", text)
    for piece in pieces:
        embedded_text("T", piece)
    assert time.perf_counter() - began < 20
    assert max((len(piece.text) for piece in pieces), default=0) <= LIMIT + TAIL + 10


def test_embedded_text_has_title_headings_and_words_without_markup():
    (piece,) = cut("Billing", "## Pay by *card*\n\n1. Open [**Settings**](https://x.example/a) and `Billing`.\n\n![Plan](p.png) <b>now</b>")
    assert embedded_text("Billing", piece) == "Billing > Pay by card\n1. Open Settings and Billing.\n\nPlan  now"


def test_names_with_underscores_survive():
    assert plain("set _really_ `max_pool_size` to **5**") == "set really max_pool_size to 5"
