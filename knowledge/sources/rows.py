"""Rows of a JSONL, CSV or JSON file, one at a time: a table of 50 MB is never in memory at once."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.sources.files import shown
from knowledge.sources.reading import Caution, Failure, Unreadable

LONGEST = 2 * 1024 * 1024  # characters of one line or record: a body of 256 kB with every character escaped
_CHUNK = 256 * 1024
_NOT_BLANK = re.compile(r"[^ \t\r\n]")


@dataclass(frozen=True)
class Row:
    """One row as the file has it; `number` counts as a spreadsheet does (a header is row 1), `line` as an editor does."""

    line: int
    number: int
    values: Mapping[str, Any]


def jsonl_rows(file: str, text: io.TextIOWrapper) -> Iterator[Row | Failure | Caution]:
    """One JSON object a line; a line that is none fails alone."""
    line = 0
    while written := _next_line(text, line + 1):
        line += 1
        if len(written) > LONGEST:
            yield Failure(file, line, f"row {line}: is longer than {shown(LONGEST)}")
            _skip_line(text, line)
        elif written.strip():
            yield _json_row(file, line, written)


def csv_rows(file: str, text: io.TextIOWrapper, needed: Sequence[str], known: Sequence[str]) -> Iterator[Row | Failure | Caution]:
    """Rows under a header that has the needed columns; the delimiter is the one under which it has them. Raise Unreadable."""
    lines = enumerate(_lines(text), 1)
    top, first = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    delimiter, header = _header(first, needed)
    for name in header:
        if name and name not in known:
            yield Caution(file, top, f"the column “{name}” is not used; known are {', '.join(known)}")
    reader = csv.reader((line for _, line in lines), delimiter=delimiter, strict=True)
    number = top
    while True:
        number, line = number + 1, top + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Unreadable(f"row {number}: {error}; the rest of the file was not read", line) from error
        if cells is None:
            return
        if len(cells) > len(header):
            reason = f"has {len(cells)} cells, but there are {len(header)} columns; put texts with “{delimiter}” in quotes"
            yield Failure(file, line, f"row {number}: {reason}")
        elif any(cell.strip() for cell in cells):
            yield Row(line, number, dict(zip(header, cells, strict=False)))


def json_rows(text: io.TextIOWrapper) -> Iterator[Row]:
    """The objects of a JSON list, decoded one after another. Raise Unreadable where the list ends to be one."""
    window = _Window(text)
    if window.next_character() != "[":
        raise Unreadable("must be a JSON list of objects: [{…}, {…}]", window.line)
    window.skip("[")
    number = 0
    while (character := window.next_character()) != "]":
        number += 1
        if character != "{":
            reason = "the list is never closed" if not character else "is not an object {…}; the rest of the file was not read"
            raise Unreadable(f"row {number}: {reason}", window.line)
        line = window.line
        yield Row(line, number, window.next_object(number))
        if window.next_character() == ",":
            window.skip(",")
    window.skip("]")
    if window.next_character():
        raise Unreadable("text stands behind the end of the list", window.line)


def _next_line(text: io.TextIOWrapper, line: int) -> str:
    """A line with its end, cut where it exceeds the limit; "" at the end of the file. Raise Unreadable."""
    try:
        return text.readline(LONGEST + 1)
    except UnicodeDecodeError as error:
        raise Unreadable("holds bytes that are not UTF-16, as its first bytes promise; save the file as UTF-8", line) from error


def _skip_line(text: io.TextIOWrapper, line: int) -> None:
    while (part := _next_line(text, line)) and not part.endswith(("\n", "\r")):
        pass


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    line = 0
    while written := _next_line(text, line + 1):
        line += 1
        if len(written) > LONGEST:
            raise Unreadable(f"is longer than {shown(LONGEST)}; the rest of the file was not read", line)
        yield written


def _json_row(file: str, line: int, written: str) -> Row | Failure:
    try:
        values = json.loads(written)
    except (ValueError, RecursionError) as error:
        return Failure(file, line, f"row {line}: is not JSON: {_told(error)}")
    if not isinstance(values, dict):
        return Failure(file, line, f"row {line}: is not a JSON object {{…}}")
    return Row(line, line, values)


def _told(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _header(first: str, needed: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter and the column names in lower case. Raise Unreadable naming the missing columns."""
    headers: dict[str, list[str]] = {}
    for delimiter in ",;\t":
        try:
            names = next(csv.reader([first], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise Unreadable(f"row 1: {error}", 1) from error
        headers[delimiter] = [name.strip().lower() for name in names]
    best = max(headers, key=lambda d: (sum(name in headers[d] for name in needed), len(headers[d])))
    header = headers[best]
    if missing := [name for name in needed if name not in header]:
        raise Unreadable(f"row 1 must name the columns; missing: {', '.join(missing)}; found: {', '.join(header) or 'nothing'}", 1)
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise Unreadable(f"row 1 names the column {twice[0]} twice", 1)
    return best, header


class _Window:
    """A moving piece of a JSON text: what is decoded is forgotten."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self.line = 1

    def next_character(self) -> str:
        """The next character that is not blank, without taking it; "" at the end."""
        while True:
            found = _NOT_BLANK.search(self._held, self._at)
            self._move_to(found.start() if found else len(self._held))
            if found or not self._more():
                return found[0] if found else ""

    def skip(self, character: str) -> None:
        """Take the character that `next_character` gave."""
        self._move_to(self._at + len(character))

    def next_object(self, number: int) -> dict[str, Any]:
        """Take the object that begins here. Raise Unreadable."""
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, ValueError) and len(self._held) - self._at <= LONGEST and self._more():
                    continue
                raise Unreadable(f"row {number}: is not JSON: {_told(error)}; the rest of the file was not read", self.line) from error
            self._move_to(end)
            return dict(value)

    def _move_to(self, end: int) -> None:
        self.line += self._held.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        try:
            chunk = self._text.read(_CHUNK)
        except UnicodeDecodeError as error:
            raise Unreadable("holds bytes that are not UTF-16, as its first bytes promise; save the file as UTF-8", self.line) from error
        self._held, self._at = self._held[self._at :] + chunk, 0
        return bool(chunk)
