"""What changed from one text to another, word by word, in the order of reading."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MOST_LINES = 4_000  # comparing is quadratic at worst: beyond this the whole text counts as replaced
MOST_TOKENS = 3_000


class Kind(StrEnum):
    """Whether a piece stands in both texts, only in the old or only in the new one."""

    SAME = "same"
    OLD = "old"
    NEW = "new"


@dataclass(frozen=True)
class Piece:
    """A run of text."""

    kind: Kind
    text: str


def difference(old: str, new: str) -> list[Piece]:
    """The pieces of both texts: what is same or old makes the old text again, what is same or new the new one."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    if max(len(before), len(after)) > MOST_LINES:
        return _joined([Piece(Kind.OLD, old), Piece(Kind.NEW, new)])
    return _joined(_pieces(before, after, by_words=True))


def changed(pieces: Sequence[Piece]) -> bool:
    """Whether anything differs."""
    return any(piece.kind is not Kind.SAME for piece in pieces)


def _pieces(before: Sequence[str], after: Sequence[str], *, by_words: bool) -> Iterator[Piece]:
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[i:j]), "".join(after[k:m])
        if tag == "equal":
            yield Piece(Kind.SAME, old)
        elif tag == "replace" and by_words:
            yield from _by_words(old, new)
        else:
            yield from (Piece(Kind.OLD, old), Piece(Kind.NEW, new))


def _by_words(old: str, new: str) -> Iterator[Piece]:
    before, after = TOKEN.findall(old), TOKEN.findall(new)
    if max(len(before), len(after)) > MOST_TOKENS:
        return iter((Piece(Kind.OLD, old), Piece(Kind.NEW, new)))
    return _pieces(before, after, by_words=False)


def _joined(pieces: Iterator[Piece] | list[Piece]) -> list[Piece]:
    """Without empty pieces, neighbours of one kind as one."""
    found: list[Piece] = []
    for piece in pieces:
        if piece.text and found and found[-1].kind is piece.kind:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        elif piece.text:
            found.append(piece)
    return found
