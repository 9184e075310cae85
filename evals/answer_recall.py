"""How much of the right answer stands in the part of the article that the assistant quotes.

    python -m evals.answer_recall --data DIR [--words 120] [--cache DIR] [--show N]

Every set in DIR/retrieval whose questions have an `answer` is graded: each answerable question is
answered from its gold articles, and the share of the answer's content words (stemmed, stop words
removed, each counted once) that stand in the first so many words of the reply is its recall.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from assistant.blocks import count_words
from assistant.quoting import Quotation, Source, quote
from evals.datasets import Document, Query, RetrievalSet, retrieval_set
from evals.searching import Bench, KeptEncoder, ask, bench
from knowledge.embedding import MiniLM
from knowledge.keywords import KeywordIndex
from knowledge.language import stem
from knowledge.passages import cut, embedded_text

ENOUGH = 0.6  # of the answer's words: what counts as an answer given
MOST_ARTICLES = 3  # that the assistant quotes from
DRAWS = 2000  # of the bootstrap
_WORD = re.compile(r"\w+(?:[.-]\w+)*")

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Graded:
    """One question: recall of the reply, of the article's first words, and of the whole article; the reply's length."""

    query: Query
    quotation: Quotation
    recall: float
    first_words: float
    whole: float
    length: int


def content_words(text: str) -> set[str]:
    """The distinct words that carry meaning, stemmed; numbers with dots and names with hyphens are one word."""
    return {stem(word) for word in _WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS}


def recall(answer: set[str], reply: str) -> float:
    """Share of the answer's words that the reply holds."""
    return len(answer & content_words(reply)) / len(answer)


def grade(data: RetrievalSet, on: Bench, words: int) -> list[Graded]:
    """Every answerable question with an answer, answered from its gold articles."""
    documents = {document.doc_id: document for document in data.documents}
    rarity = _rarity(data)
    graded = []
    for query in data.queries:
        wanted = content_words(query.answer)
        if not query.answerable or not wanted or not query.gold & documents.keys():
            continue
        hits = {hit.passage_id: hit.score for hit in ask(on, query.text).found.passages}
        articles = sorted((_sources(documents[id_], hits) for id_ in query.gold & documents.keys()), key=_best_first)
        quotation = quote(query.text, articles[:MOST_ARTICLES], words=words, rarity=rarity)
        text = "\n\n".join(source.text for article in articles for source in article)
        said, first, whole = (recall(wanted, reply) for reply in (_first(quotation.text, words), _first(text, words), text))
        graded.append(Graded(query, quotation, said, first, whole, count_words(quotation.text)))
    return graded


def interval(values: Numbers, measure: Callable[[Numbers], Numbers], seed: int = 0) -> tuple[float, float]:
    """The 95 % bootstrap interval of a measure taken along the last axis."""
    picks = np.random.default_rng(seed).integers(0, len(values), (DRAWS, len(values)))
    low, high = np.quantile(measure(values[picks]), (0.025, 0.975))
    return float(low), float(high)


def half_of(query_id: str) -> str:
    """Which half of a set a question is in: A was tuned on; B was watched meanwhile, so it is no blind set either."""
    return "AB"[hashlib.sha256(query_id.encode()).digest()[0] % 2]


def _rarity(data: RetrievalSet) -> Callable[[str], float]:
    index = KeywordIndex()
    index.put({f"{d.doc_id}#{piece.position}": embedded_text(d.title, piece) for d in data.documents for piece in cut(d.title, d.text)})
    known: dict[str, float] = {}

    def rarity(word: str) -> float:
        if word not in known:
            known.update(index.rarity([word]))
        return known[word]

    return rarity


def _sources(document: Document, scores: dict[str, float]) -> list[Source]:
    ids = [(f"{document.doc_id}#{piece.position}", piece) for piece in cut(document.title, document.text)]
    return [
        Source(document.doc_id, id_, document.title, piece.heading_path, piece.anchor, piece.text, scores.get(id_, 0.0))
        for id_, piece in ids
    ]


def _best_first(article: Sequence[Source]) -> tuple[float, str]:
    return -max((source.score for source in article), default=0.0), article[0].article_id if article else ""


def _first(text: str, words: int) -> str:
    return " ".join(text.split()[:words])


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{line}\n")


def _mean(values: Numbers) -> Numbers:
    return np.asarray(values.mean(axis=-1))


def _enough(values: Numbers) -> Numbers:
    return np.asarray((values >= ENOUGH).mean(axis=-1))


def _line(name: str, values: Sequence[float]) -> str:
    numbers = np.array(values, dtype=np.float64)
    cells = [name.ljust(34), f"{len(numbers):5d}"]
    for measure in (_mean, _enough):
        low, high = interval(numbers, measure)
        cells.append(f"{float(measure(numbers)):.3f} [{low:.3f}, {high:.3f}]")
    return "  ".join(cells)


def _report(data: RetrievalSet, graded: Sequence[Graded], words: int) -> None:
    say(f"\n{data.name}: recall of the answer's words, mean and share of at least {ENOUGH}, with 95 % intervals")
    say(_line("reply, all", [g.recall for g in graded]))
    for half in "AB":
        say(_line(f"reply, half {half}", [g.recall for g in graded if half_of(g.query.query_id) == half]))
    say(_line(f"reference: first {words} words", [g.first_words for g in graded]))
    say(_line("ceiling: whole article", [g.whole for g in graded]))
    lengths = np.array([g.length for g in graded])
    over, going_on = float((lengths > words).mean()), sum(g.quotation.continues for g in graded) / len(graded)
    say(f"words of a reply: mean {lengths.mean():.0f}; {over:.1%} are longer than {words}; {going_on:.1%} say that a list goes on")


def _show(graded: Sequence[Graded], count: int) -> None:
    """The worst replies, for reading."""
    for g in sorted(graded, key=lambda g: g.recall - g.whole)[:count]:
        say(f"\n--- {g.query.query_id}: {g.recall:.2f}\nQ: {g.query.text}\nGOLD: {g.query.answer}\nREPLY: {g.quotation.text}")


def main() -> None:
    """Grade all sets of a folder and print the table."""
    parser = argparse.ArgumentParser(prog="python -m evals.answer_recall", description="recall of the quoted answer")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds retrieval/NAME")
    parser.add_argument("--words", type=int, default=120, help="how long a reply may be")
    parser.add_argument("--cache", type=Path, default=Path("build/evals"), help="where vectors and models are kept between runs")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="also print the N worst replies of each set")
    given = parser.parse_args()
    encoder = KeptEncoder(lambda: MiniLM(given.cache), given.cache / "answer_recall.npz")
    for folder in sorted((given.data / "retrieval").glob("*/")):
        data = retrieval_set(folder)
        if any(query.answer and query.answerable for query in data.queries):
            graded = grade(data, bench(data, encoder, None), given.words)
            _report(data, graded, given.words)
            _show(graded, given.show)
    encoder.save()


if __name__ == "__main__":
    main()
