"""What a writer sees of two texts: every word of both, and never a page that hangs."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.library import differences
from api.library.differences import Kind, Piece, changed, difference

WORDS = st.lists(st.sampled_from(["a", "b", "c", " ", "\n", "\n\n", ".", "é", "\u2028", "\x00"]), max_size=40).map("".join)


def sides(pieces: list[Piece]) -> tuple[str, str]:
    old = "".join(piece.text for piece in pieces if piece.kind is not Kind.NEW)
    new = "".join(piece.text for piece in pieces if piece.kind is not Kind.OLD)
    return old, new


@given(WORDS, WORDS)
def test_the_pieces_make_both_texts_again_and_only_what_differs_is_called_so(old: str, new: str) -> None:
    pieces = difference(old, new)
    assert sides(pieces) == (old, new)
    assert changed(pieces) == (old != new)
    assert all(one.kind is not other.kind for one, other in itertools.pairwise(pieces))


def test_a_word_that_changed_is_the_only_one_that_is_marked() -> None:
    pieces = difference("One line.\nIt takes five days.\n", "One line.\nIt takes six days.\n")
    assert pieces == [
        Piece(Kind.SAME, "One line.\nIt takes "),
        Piece(Kind.OLD, "five"),
        Piece(Kind.NEW, "six"),
        Piece(Kind.SAME, " days.\n"),
    ]


@pytest.mark.parametrize("between", [" ", "\n", "\n\n", " x\n"])
def test_two_long_texts_with_nothing_in_common_are_compared_in_few_steps(between: str, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets: list[differences._Budget] = []

    class Counted(differences._Budget):
        def __init__(self, left: int) -> None:
            super().__init__(left)
            budgets.append(self)

    monkeypatch.setattr(differences, "_Budget", Counted)
    old, new = (between.join(f"{name}{number}" for number in range(20_000)) for name in ("old", "new"))
    pieces = difference(old, new)
    assert sides(pieces) == (old, new)
    assert budgets[0].left > -100_000  # one round more at most
