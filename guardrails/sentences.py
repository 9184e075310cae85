"""Split a message into sentences, in linear time, good enough to tell one request from the next."""

import re

MAX_SENTENCES = 40  # of one message are looked at singly; a longer one is a pasted text and is judged by its parts of equal length
MIN_LETTERS = 6  # a shorter piece ("Hi!", "Thx.") belongs to its neighbour

_END = re.compile(r"(?:[.!?…]+[\"'”»)\]]{0,3}(?=\s)|[。！？]|\n\s*\n|\n(?=\s*(?:[-*•]|\d{1,2}[.)])\s)|\n(?=[A-Z¿¡]))")
_NO_END = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|nr|vs|etc|e\.g|i\.e|z\.b|bzw|ca|inkl|evtl|usw|sr|sra|srta|ud|uds|p\.ex|dra|art|abs|approx|inc|ltd|co)|\b[A-Za-z]|\d)\.$",
    re.IGNORECASE,
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences, in order, without surrounding blanks; at most MAX_SENTENCES (the last takes the rest)."""
    cuts = [match.end() for match in _END.finditer(text) if not _is_abbreviation(text, match)]
    spans: list[tuple[int, int]] = []
    start = 0
    for cut in (*cuts, len(text)):
        if cut < len(text) and (_letters(text, start, cut) < MIN_LETTERS or len(spans) == MAX_SENTENCES - 1):
            continue
        if span := _trimmed(text, start, cut):
            spans.append(span)
        start = cut
    if len(spans) > 1 and _letters(text, *spans[-1]) < MIN_LETTERS:
        spans[-2:] = [(spans[-2][0], spans[-1][1])]
    return spans


def _is_abbreviation(text: str, match: re.Match[str]) -> bool:
    return match.group() == "." and bool(_NO_END.search(text[max(0, match.end() - 8) : match.end()]))


def _letters(text: str, start: int, end: int) -> int:
    return sum(c.isalpha() for c in text[start : min(end, start + 40)])


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    right = len(piece.rstrip())
    return (start + left, start + right) if right > left else None
