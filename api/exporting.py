"""Tables that leave Firstline as files: CSV that no spreadsheet takes for formulas, and JSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
"""What a spreadsheet takes for the beginning of a formula or drops before it looks (OWASP, CSV injection)."""


def cell(value: Any) -> Any:
    """A value for CSV: numbers as they are, text that would be a formula with an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str):
        return value
    seen = value.lstrip(" \n\v\f\u00a0\ufeff")
    return "'" + value.replace("\0", "") if seen.startswith(FORMULA) else value.replace("\0", "")


def csv_of(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """A header and one line per row, with CRLF and every text quoted (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()
