"""Reads the sets that search is graded on, ours and public ones by path, into one shape."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

SAMPLE = Path(__file__).parent.parent / "knowledge" / "sample"
EXAMPLES = Path(__file__).parent / "examples"
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
    summary: str = ""


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


def faq_set(file: Path, *, wordings: int, per_intent: int, outside: int, skip_every: int = 0) -> RetrievalSet:
    """FAQs made of an intent set: a FAQ is an intent's first training wordings, its test wordings are the questions.

    Answers are not known, so a FAQ's text only repeats its question. Questions marked "oos", and those of
    every `skip_every`-th intent, which gets no FAQ, are the ones that nothing answers.
    """
    train: dict[str, list[str]] = defaultdict(list)
    test: dict[str, list[str]] = defaultdict(list)
    for row in rows(file):
        (train if row["split"] == "train" else test)[row["intent"]].append(row["text"])
    train.pop("oos", None)
    skipped = set(sorted(train)[::skip_every]) if skip_every else set()
    documents = tuple(
        Document(intent, said[0], said[0], "en", "faq", tuple(said[1:wordings]))
        for intent, said in sorted(train.items())
        if intent not in skipped
    )
    live = {document.doc_id for document in documents}
    queries = [
        Query(f"{intent}/{n}", text, frozenset({intent} & live), intent in live)
        for intent, said in sorted(test.items())
        for n, text in enumerate(said[: outside if intent == "oos" else per_intent])
    ]
    return RetrievalSet(f"{file.stem}-{wordings}", documents, tuple(queries))


def sample_centre(examples: str = "sample_centre") -> RetrievalSet:
    """Our own help centre with our own questions; those that need the turns before are left out."""
    articles = [_sample_article(file) for file in sorted((SAMPLE / "articles").rglob("*.md"))]
    with (SAMPLE / "faqs.csv").open(encoding="utf-8", newline="") as stream:
        faqs = [Document(f"faq:{row['id']}", row["question"], row["answer"], "en", "faq") for row in csv.DictReader(stream)]
    queries = tuple(
        Query(row["id"], row["text"], frozenset(row["gold"]), bool(row.get("answerable", row["gold"])))
        for row in rows(EXAMPLES / f"{examples}.jsonl")
        if not row.get("history")
    )
    return RetrievalSet(examples, (*articles, *faqs), queries)


def rental_centre(examples: str = "rental_questions") -> RetrievalSet:
    """Another invented help centre, a bicycle rental, with our own questions: for fitting, so that the sample centre stays unseen."""
    return _invented("rental_centre", examples)


def newsletter_centre() -> RetrievalSet:
    """A third one, a newsletter service, whose author wrote articles and questions: for choosing and fitting."""
    return _invented("newsletter_centre", "newsletter_questions")


def _invented(centre: str, examples: str) -> RetrievalSet:
    documents = tuple(
        Document(r["id"], r["title"], r["text"], "en", r["kind"], summary=r["summary"]) for r in rows(EXAMPLES / f"{centre}.jsonl")
    )
    asked = rows(EXAMPLES / f"{examples}.jsonl")
    queries = tuple(Query(r["id"], r["text"], frozenset(r["gold"]), bool(r["gold"])) for r in asked)
    return RetrievalSet(examples, documents, queries)


def _sample_article(file: Path) -> Document:
    front, text = file.read_text(encoding="utf-8").split("---", 2)[1:]
    title, summary = (_line(front, key) for key in ("title", "summary"))
    return Document(file.stem, title, text, "en", summary=summary)


def _line(front: str, key: str) -> str:
    return next(line.removeprefix(f"{key}:").strip().strip('"') for line in front.splitlines() if line.startswith(f"{key}:"))
