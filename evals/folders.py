"""Finds the sets in a data folder and says what is wrong with one before it is graded: file, line and what is missing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MATERIAL = frozenset({"corpora"})  # folders that hold articles without questions: nothing to grade


class BrokenSet(ValueError):
    """A set cannot be graded; the sentence names the file and the line."""


@dataclass(frozen=True)
class Source:
    """A set that was found: its kind is the folder it stands in; `path` is a folder for retrieval and a file for the rest."""

    kind: str
    path: Path

    @property
    def name(self) -> str:
        """As the report calls it: KIND/NAME."""
        return f"{self.kind}/{self.path.stem if self.path.is_file() else self.path.name}"


# What a row must have, by file or by kind: field → type.
RETRIEVAL: Mapping[str, Mapping[str, type]] = {
    "corpus.jsonl": {"id": str, "title": str, "text": str},
    "queries.jsonl": {"id": str, "text": str, "answerable": bool},
    "qrels.jsonl": {"query_id": str, "doc_id": str},
}


def sources(data: Path) -> list[Source]:
    """Every set under a data folder, by kind and name. Raise BrokenSet when there is no such folder, or nothing in it."""
    if not data.is_dir():
        raise BrokenSet(f"{data} is not a folder")
    kinds = sorted(p for p in data.iterdir() if p.is_dir() and p.name not in MATERIAL and not p.name.startswith("."))
    found = [Source(kind.name, path) for kind in kinds for path in sorted(kind.iterdir()) if _is_set(kind, path)]
    if not found:
        raise BrokenSet(f"{data} holds no sets; the layout is retrieval/NAME/corpus.jsonl, guardrails/NAME.jsonl, …")
    return found


def inspect_retrieval(folder: Path) -> None:
    """Raise BrokenSet when files, fields or rows are missing, or a gold article is not in the corpus."""
    rows = {name: [*checked_rows(folder / name, fields)] for name, fields in RETRIEVAL.items()}
    for name in ("corpus.jsonl", "queries.jsonl"):
        if not rows[name]:
            raise BrokenSet(f"{folder / name}: is empty")
        _refuse_twins(folder / name, rows[name])
    ids = {"doc_id": {row["id"] for _, row in rows["corpus.jsonl"]}, "query_id": {row["id"] for _, row in rows["queries.jsonl"]}}
    for line, row in rows["qrels.jsonl"]:
        for field, known in ids.items():
            if row[field] not in known:
                raise BrokenSet(f"{folder / 'qrels.jsonl'}, line {line}: there is no {field} {row[field]!r}")


def inspect_lines(file: Path, fields: Mapping[str, type]) -> None:
    """Raise BrokenSet when a file is empty or a line of it lacks one of these fields."""
    if not list(checked_rows(file, fields)):
        raise BrokenSet(f"{file}: is empty")


def checked_rows(file: Path, fields: Mapping[str, type]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line that is not blank. Raise BrokenSet."""
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, _row(f"{file}, line {number}", line, fields)
    except FileNotFoundError:
        raise BrokenSet(f"{file}: is missing") from None
    except OSError as error:
        raise BrokenSet(f"{file}: cannot be read: {error.strerror}") from error


def _row(where: str, line: bytes, fields: Mapping[str, type]) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenSet(f"{where}: is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise BrokenSet(f"{where}: is not a JSON object")
    for field, kind in fields.items():
        if not isinstance(row.get(field), kind):
            reason = f"“{field}” is missing" if field not in row else f"“{field}” must be {_called(kind)}"
            raise BrokenSet(f"{where}: {reason}")
    return row


def _refuse_twins(file: Path, rows: list[tuple[int, dict[str, Any]]]) -> None:
    first: dict[str, int] = {}
    for line, row in rows:
        if (earlier := first.setdefault(row["id"], line)) != line:
            raise BrokenSet(f"{file}, line {line}: the id {row['id']!r} stands in line {earlier} already")


def _is_set(kind: Path, path: Path) -> bool:
    return path.suffix == ".jsonl" or (kind.name == "retrieval" and path.is_dir())


def _called(kind: type) -> str:
    return {str: "text", bool: "true or false"}.get(kind, kind.__name__)
