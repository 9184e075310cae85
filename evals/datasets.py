"""Reads the sets that search is graded on, ours and public ones by path, into one shape."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

RETRIEVAL_SETS = ("libreoffice_help", "logingov_help", "mtrag_un_govt_clapnq", "techqa")


@dataclass(frozen=True)
class Document:
    """An article or FAQ of a set."""

    doc_id: str
    title: str
    text: str
    language: str | None = None
    kind: Literal["article", "faq"] = "article"
    wordings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A question with the documents that answer it: none when it is unanswerable."""

    query_id: str
    text: str
    gold: frozenset[str]
    answerable: bool
    history: tuple[tuple[str, str], ...] = ()  # (role, text) of the turns before
    answer: str = ""


@dataclass(frozen=True)
class RetrievalSet:
    """Documents and the questions asked of them."""

    name: str
    documents: tuple[Document, ...]
    queries: tuple[Query, ...]


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file."""
    with file.open(encoding="utf-8") as stream:
        for line in stream:
            if line.strip():
                yield json.loads(line)


def retrieval_set(folder: Path) -> RetrievalSet:
    """A folder with corpus.jsonl, queries.jsonl and qrels.jsonl."""
    gold: dict[str, set[str]] = defaultdict(set)
    for row in rows(folder / "qrels.jsonl"):
        gold[row["query_id"]].add(row["doc_id"])
    documents = tuple(Document(r["id"], r["title"], r["text"], r.get("lang")) for r in rows(folder / "corpus.jsonl"))
    queries = tuple(
        Query(
            row["id"],
            row["text"],
            frozenset(gold[row["id"]]),
            bool(row["answerable"]),
            tuple((turn["role"], turn["text"]) for turn in row.get("history") or ()),
            row.get("answer") or "",
        )
        for row in rows(folder / "queries.jsonl")
    )
    return RetrievalSet(folder.name, documents, queries)


def faq_set(file: Path, *, wordings: int, per_intent: int, outside: int, skip: tuple[str, ...] = ()) -> RetrievalSet:
    """FAQs made of an intent set: a FAQ is an intent's first training wordings, its test wordings are the questions.

    Answers are not known, so a FAQ's text only repeats its question. Questions marked "oos", and those of
    intents in `skip` (left out of the FAQs), are the ones that nothing answers.
    """
    train: dict[str, list[str]] = defaultdict(list)
    test: dict[str, list[str]] = defaultdict(list)
    for row in rows(file):
        (train if row["split"] == "train" else test)[row["intent"]].append(row["text"])
    documents = tuple(
        Document(intent, said[0], said[0], "en", "faq", tuple(said[1:wordings]))
        for intent, said in sorted(train.items())
        if intent != "oos" and intent not in skip
    )
    live = {document.doc_id for document in documents}
    queries = [
        Query(f"{intent}/{n}", text, frozenset({intent} & live), intent in live)
        for intent, said in sorted(test.items())
        for n, text in enumerate(said[: outside if intent == "oos" else per_intent])
    ]
    return RetrievalSet(f"{file.stem}-{wordings}", documents, tuple(queries))
