"""Tables of articles and FAQs: JSONL with id, title and text; CSV and JSON with question and answer. A row is an article."""

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.articles import ArticleText
from knowledge.sources import fields
from knowledge.sources.reading import Caution, Failure, Reading, Unreadable
from knowledge.sources.rows import Row, csv_rows, json_rows, jsonl_rows
from knowledge.tables import ArticleKind

CAP = 50 * 1024 * 1024  # bytes
SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".json"})

_FAQ_COLUMNS = ("id", "question", "answer", "section", "tags", "language", "url", "article", "wordings")


@dataclass(frozen=True)
class _Shape:
    """Which names a kind of file gives to the parts of an article."""

    title: str
    body: str
    language: str
    kind: ArticleKind


_ARTICLE = _Shape(title="title", body="text", language="lang", kind=ArticleKind.ARTICLE)
_FAQ = _Shape(title="question", body="answer", language="language", kind=ArticleKind.FAQ)


def read(name: str, text: io.TextIOWrapper) -> Iterator[Reading]:
    """The articles in a table, row by row; `name` is its path inside the folder, its ending says what it is.

    `article`, the article that says more than a FAQ's answer, is a known column but has no place in an ArticleText.
    Raise Unreadable where the rest cannot be read.
    """
    rows: Iterator[Row | Failure | Caution]
    if name.lower().endswith((".jsonl", ".ndjson")):
        shape, rows = _ARTICLE, jsonl_rows(name, text)
    elif name.lower().endswith(".json"):
        shape, rows = _FAQ, json_rows(text)
    else:
        shape, rows = _FAQ, csv_rows(name, text, ("question", "answer"), _FAQ_COLUMNS)
    first_row: dict[str, int] = {}  # of each id
    empty = True
    for row in rows:
        empty = empty and isinstance(row, Caution)
        if not isinstance(row, Row):
            yield row
            continue
        try:
            article = _article(name, row, shape)
            if (first := first_row.setdefault(article.external_id, row.number)) != row.number:
                _refuse_twin(row, first)
            yield article
        except Unreadable as trouble:
            yield Failure(name, row.line, f"row {row.number}: {trouble.reason}")
    if empty:
        raise Unreadable("has no rows")


def _article(name: str, row: Row, shape: _Shape) -> ArticleText:
    values = row.values
    title, body = _needed(values, shape.title), _needed(values, shape.body)
    found = fields.Fields(
        title=title,
        body=body,
        kind=_text(values, "kind") or shape.kind,
        section=_text(values, "section"),
        summary=_text(values, "summary"),
        language=_text(values, shape.language) or _text(values, "language"),
        url=_text(values, "url"),
        tags=_list(values, "tags", r"[;,|\n]"),
        wordings=_list(values, "wordings", r"[;|\n]"),
    )
    return fields.article(f"{name}#{_id(values) or _id_from(title)}", found)


def _refuse_twin(row: Row, first: int) -> None:
    same = f"the id {_id(row.values)}" if _id(row.values) else "the same question or title, without an id,"
    raise Unreadable(f"{same} stands in row {first} already")


def _needed(values: Mapping[str, Any], key: str) -> str:
    if values.get(key) is None:
        raise Unreadable(f"“{key}” is missing")
    text = _text(values, key)
    if not text.strip():
        raise Unreadable(f"“{key}” is empty")
    return text


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise Unreadable(f"“{key}” must be text")


def _list(values: Mapping[str, Any], key: str, separators: str) -> tuple[str, ...]:
    """A JSON list of texts, or one text with its parts set apart."""
    value = values.get(key)
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise Unreadable(f"“{key}” must be a list of texts")
        return tuple(value)
    return tuple(re.split(separators, _text(values, key)))


def _id(values: Mapping[str, Any]) -> str:
    value = values.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return " ".join(_text(values, "id").split())


def _id_from(title: str) -> str:
    """An id that stays the same as long as the question does, blanks and capitals aside."""
    plain = " ".join(title.casefold().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:12]
