"""What changed from one text to another, word by word, in the order of reading; in bounded time, whatever the texts are.

Comparing costs the square of what differs (E. W. Myers, An O(ND) Difference Algorithm, Algorithmica 1, 1986), so where
more differs than anybody would read word by word, the old and the new part stand whole beside each other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MOST_LINES, MOST_WORDS = 1_000, 400  # that may differ in a text, and in a run of changed lines
MOST_STEPS = 3_000_000  # of one comparison in all, about two seconds


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
    budget = _Budget(MOST_STEPS)
    lines = _pieces(old.splitlines(keepends=True), new.splitlines(keepends=True), MOST_LINES, budget)
    return _ordered(piece for run in _runs(lines) for piece in _by_words(run, budget))


def changed(pieces: Sequence[Piece]) -> bool:
    """Whether anything differs."""
    return any(piece.kind is not Kind.SAME for piece in pieces)


@dataclass
class _Budget:
    left: int


@dataclass
class _Run:
    """A part of both texts: the same in both, or what one has in place of what the other has."""

    same: str = ""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def _runs(pieces: Sequence[Piece]) -> Iterator[_Run]:
    """What differs in a row as one run, whichever side comes first."""
    run = _Run()
    for piece in pieces:
        if piece.kind is Kind.SAME:
            yield run
            yield _Run(same=piece.text)
            run = _Run()
        else:
            (run.old if piece.kind is Kind.OLD else run.new).append(piece.text)
    yield run


def _by_words(run: _Run, budget: _Budget) -> list[Piece]:
    if run.same:
        return [Piece(Kind.SAME, run.same)]
    old, new = "".join(run.old), "".join(run.new)
    if not old or not new:
        return [Piece(Kind.OLD, old), Piece(Kind.NEW, new)]
    return _pieces(TOKEN.findall(old), TOKEN.findall(new), MOST_WORDS, budget)


def _pieces(before: Sequence[str], after: Sequence[str], most: int, budget: _Budget) -> list[Piece]:
    """One piece for each token of either side; where more than `most` differ, or the budget is spent, what differs stands whole."""
    shorter = min(len(before), len(after))
    head = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    tail = next((at for at in range(shorter - head) if before[-1 - at] != after[-1 - at]), shorter - head)
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    middle = _shortest(old, new, most, budget)
    if middle is None:
        middle = [Piece(Kind.OLD, "".join(old)), Piece(Kind.NEW, "".join(new))]
    same = [[Piece(Kind.SAME, token) for token in tokens] for tokens in (before[:head], before[len(before) - tail :])]
    return [*same[0], *middle, *same[1]]


def _shortest(old: Sequence[str], new: Sequence[str], most: int, budget: _Budget) -> list[Piece] | None:
    """The fewest pieces to take out and put in; None when they are more than `most`, or the budget is spent."""
    if not old or not new:
        return [*(Piece(Kind.OLD, token) for token in old), *(Piece(Kind.NEW, token) for token in new)]
    if abs(len(old) - len(new)) > most:
        return None
    reached = {1: 0}  # diagonal (place in the old minus place in the new) → how far in the old
    trace: list[dict[int, int]] = []
    for edits in range(most + 1):
        trace.append({k: reached[k] for k in range(-edits - 1, edits + 2) if k in reached})
        for k in range(-edits, edits + 1, 2):
            at = reached[k + 1] if k == -edits or (k != edits and reached[k - 1] < reached[k + 1]) else reached[k - 1] + 1
            begun = at
            while at < len(old) and at - k < len(new) and old[at] == new[at - k]:
                at += 1
            reached[k] = at
            budget.left -= 1 + at - begun
            if at >= len(old) and at - k >= len(new):
                return _told(old, new, trace)
        if budget.left < 0:
            return None
    return None


def _told(old: Sequence[str], new: Sequence[str], trace: Sequence[dict[int, int]]) -> list[Piece]:
    """The way back through what each number of edits reached, as pieces in the order of reading."""
    at, by = len(old), len(new)
    pieces: list[Piece] = []
    for edits in range(len(trace) - 1, -1, -1):
        reached, k = trace[edits], at - by
        down = k == -edits or (k != edits and reached[k - 1] < reached[k + 1])
        came_from = k + 1 if down else k - 1
        start = reached[came_from] + (0 if down else 1) if edits else 0
        while at > start:
            at, by = at - 1, by - 1
            pieces.append(Piece(Kind.SAME, old[at]))
        if edits and down:
            by -= 1
            pieces.append(Piece(Kind.NEW, new[by]))
        elif edits:
            at -= 1
            pieces.append(Piece(Kind.OLD, old[at]))
    return pieces[::-1]


def _ordered(pieces: Iterator[Piece]) -> list[Piece]:
    """Without empty pieces, neighbours of one kind as one, and of what differs in a row the old before the new."""
    found: list[Piece] = []
    for run in _runs(list(pieces)):
        kinds = ((Kind.SAME, run.same), (Kind.OLD, "".join(run.old)), (Kind.NEW, "".join(run.new)))
        for kind, text in kinds:
            if text and found and found[-1].kind is kind:
                found[-1] = Piece(kind, found[-1].text + text)
            elif text:
                found.append(Piece(kind, text))
    return found
