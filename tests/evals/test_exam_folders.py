"""What is said about a data folder that is not as it should be."""

import json
from pathlib import Path

import pytest

from evals import folders
from evals.folders import BrokenSet

CORPUS = [{"id": "d1", "title": "Refunds", "text": "Press Refund."}]
QUERIES = [{"id": "q1", "text": "money back?", "answerable": True}]
QRELS = [{"query_id": "q1", "doc_id": "d1"}]


def made(folder: Path, corpus=CORPUS, queries=QUERIES, qrels=QRELS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries), ("qrels", qrels)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_a_good_set_passes(tmp_path):
    folders.inspect_retrieval(made(tmp_path / "shop"))


def test_unanswerable_sets_need_no_gold(tmp_path):
    folders.inspect_retrieval(made(tmp_path / "shop", qrels=[]))


def test_sets_are_named_by_kind_and_name_and_corpora_are_material(tmp_path):
    made(tmp_path / "retrieval" / "shop")
    for kind in ("intents", "corpora", "LICENCES"):
        (tmp_path / kind).mkdir()
    (tmp_path / "intents" / "bank.jsonl").write_text("{}\n")
    (tmp_path / "corpora" / "help.jsonl").write_text("{}\n")
    (tmp_path / "LICENCES" / "mit.txt").write_text("MIT")
    assert [source.name for source in folders.sources(tmp_path)] == ["intents/bank", "retrieval/shop"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_without_sets_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BrokenSet, match=name):
        folders.sources(tmp_path / name)


@pytest.mark.parametrize("file", ["corpus.jsonl", "queries.jsonl", "qrels.jsonl"])
def test_a_missing_file_is_named(tmp_path, file):
    folder = made(tmp_path / "shop")
    (folder / file).unlink()
    with pytest.raises(BrokenSet, match=f"{file}: is missing"):
        folders.inspect_retrieval(folder)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "d2"', "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "is not a JSON object"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"id": "d2", "text": "x"}', "“title” is missing"),
        (b'{"id": 2, "title": "a", "text": "x"}', "“id” must be text"),
    ],
)
def test_a_bad_line_is_named_with_its_number(tmp_path, line, reason):
    folder = made(tmp_path / "shop")
    with (folder / "corpus.jsonl").open("ab") as stream:
        stream.write(b"\n" + line + b"\n")
    with pytest.raises(BrokenSet, match=rf"corpus\.jsonl, line 3: {reason}"):
        folders.inspect_retrieval(folder)


def test_a_set_without_questions_is_empty(tmp_path):
    with pytest.raises(BrokenSet, match=r"queries\.jsonl: is empty"):
        folders.inspect_retrieval(made(tmp_path / "shop", queries=[], qrels=[]))


def test_a_gold_article_that_is_not_in_the_corpus_is_named(tmp_path):
    folder = made(tmp_path / "shop", qrels=[*QRELS, {"query_id": "q1", "doc_id": "d9"}])
    with pytest.raises(BrokenSet, match=r"qrels\.jsonl, line 2: there is no doc_id 'd9'"):
        folders.inspect_retrieval(folder)


def test_an_id_that_stands_twice_is_named(tmp_path):
    with pytest.raises(BrokenSet, match="line 2: the id 'd1' stands in line 1 already"):
        folders.inspect_retrieval(made(tmp_path / "shop", corpus=CORPUS * 2))


def test_a_file_where_a_folder_should_be_is_an_error_and_no_crash(tmp_path):
    (tmp_path / "shop.jsonl").write_text("{}\n")
    with pytest.raises(BrokenSet, match="cannot be read"):
        folders.inspect_retrieval(tmp_path / "shop.jsonl")
