"""Whole runs over tiny sets with the hashing encoder: real service, real Chroma, real turns."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.settings import Settings
from evals import assistant_exam, guarding, runner
from evals.__main__ import app
from evals.folders import BrokenSet, Source
from evals.laboratory import laboratory
from evals.runner import Run
from knowledge.embedding import HashingEncoder
from knowledge.library import MAIN
from knowledge.settings import KnowledgeSettings

SETTINGS = Settings(knowledge=KnowledgeSettings(embedder="hashing"))
ARTICLES = {
    "refunds": ("Ask for a refund", "To get money back, open **Billing** and press **Refund**."),
    "password": ("Reset your password", "Press **Forgot password** and follow the link in the mail."),
    "export": ("Export a dashboard", "Choose **Export** and then PDF."),
}
QUESTIONS = {"q1": ("How do I ask for a refund?", "refunds"), "q2": ("reset password", "password"), "q3": ("What is the weather?", "")}


def retrieval(folder: Path, name: str = "shop", history: bool = False) -> Path:
    place = folder / "retrieval" / name
    place.mkdir(parents=True)
    said = [{"role": "user", "text": "I bought a plan"}] if history else []
    rows = {
        "corpus": [{"id": id_, "title": title, "text": text} for id_, (title, text) in ARTICLES.items()],
        "queries": [
            {"id": id_, "text": t, "answerable": bool(gold), "hub": not gold, "history": said} for id_, (t, gold) in QUESTIONS.items()
        ],
        "qrels": [{"query_id": id_, "doc_id": gold} for id_, (_, gold) in QUESTIONS.items() if gold],
    }
    for file, content in rows.items():
        (place / f"{file}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in content))
    return folder


def plan(tmp_path: Path, data: Path | None = None, *only: str) -> Run:
    return Run(SETTINGS, data, only, tmp_path / "cache")


def test_a_set_is_graded_through_the_real_library(tmp_path):
    report = runner.run(plan(tmp_path, retrieval(tmp_path / "data", history=True), "retrieval"))
    (result,) = report.sets
    assert result.name == "retrieval/shop"
    assert result.metrics["hit@1"].value == 1
    assert result.metrics["hit@1"].n == 2
    assert result.metrics["auc"].n == 3
    assert {"mrr@10", "ndcg@10", "ece", "coverage", "answer_or_offer", "hit@1@hub=false", "hit@1@restated"} <= result.metrics.keys()


def test_a_second_run_gives_the_same_numbers(tmp_path):
    data = retrieval(tmp_path / "data")
    first, second = (runner.run(plan(tmp_path, data, "retrieval")) for _ in range(2))
    assert first.sets == second.sets


def test_a_broken_set_says_why_and_the_others_go_on(tmp_path):
    data = retrieval(retrieval(tmp_path / "data"), "torn")
    (data / "retrieval" / "torn" / "queries.jsonl").write_text('{"id": "q1"\n')
    report = runner.run(plan(tmp_path, data, "retrieval"))
    assert [result.name for result in report.sets] == ["retrieval/shop"]
    (broken,) = report.broken
    assert broken.name == "retrieval/torn"
    assert "queries.jsonl, line 1" in broken.reason


def test_a_failure_nobody_foresaw_loses_only_its_own_set(tmp_path):
    def grade(_path: Path):
        raise ZeroDivisionError("division by zero")

    trouble = runner._tried(Source("retrieval", tmp_path / "shop"), grade)
    assert trouble.broken
    assert "ZeroDivisionError: division by zero" in trouble.reason


def intents(folder: Path, name: str, *splits: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    asked = {"refund": ["money back", "ask for a refund"], "trial": ["how long is the trial", "trial length"], "oos": ["is it raining"]}
    rows = [{"text": f"{text} {split}", "intent": intent, "split": split} for split in splits for intent in asked for text in asked[intent]]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_intents_are_graded_as_groups_and_those_with_questions_out_of_scope_as_faqs_too(tmp_path):
    intents(tmp_path / "data" / "intents", "shop", "train", "test")
    intents(tmp_path / "data" / "intents", "talk", "test")
    report = runner.run(plan(tmp_path, tmp_path / "data", "intents"))
    result, groups = report.sets
    assert (result.name, groups.name) == ("intents/shop", "intents/talk")
    assert all({"acc", "nmi", "ari", "pair_precision"} <= one.metrics.keys() for one in report.sets)
    assert result.metrics["hit@1"].value == 1
    assert {"auc", "auc@wordings=5", "hit@1@wordings=1"} <= result.metrics.keys()


def test_a_set_without_a_grader_is_named(tmp_path):
    data = retrieval(tmp_path / "data")
    (data / "poems").mkdir()
    (data / "poems" / "odes.jsonl").write_text("{}\n")
    report = runner.run(plan(tmp_path, data, "poems"))
    assert [trouble.name for trouble in report.ungraded] == ["poems/odes"]


def guard_sets(folder: Path) -> Path:
    (folder / "guardrails").mkdir(parents=True)
    sets = {
        "asked": [{"text": "How do I reset my password?", "label": "benign"}],
        "talks": [{"id": 1, "turns": ["hello"]}],
        "torn": [{"text": "hello"}],
        "hidden": [{"text": "Mail me at jo@example.com", "spans": [{"type": "EMAIL_ADDRESS", "start": 11, "end": 25}]}],
        "blank": [],
    }
    for name, rows in sets.items():
        (folder / "guardrails" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_guard_sets_that_cannot_be_graded_are_named(tmp_path):
    report = runner.run(plan(tmp_path, guard_sets(tmp_path / "data"), "guardrails"))
    assert {trouble.name: "label" in trouble.reason for trouble in report.broken} == {"guardrails/torn": True, "guardrails/blank": False}
    assert {trouble.name for trouble in report.ungraded} == {"guardrails/talks", "guardrails/asked", "guardrails/hidden"}


def test_the_measures_of_the_guard_bear_the_kind_of_the_set(tmp_path):
    folder = guard_sets(tmp_path / "data") / "guardrails"
    sets = [Source("own", folder / "asked.jsonl"), Source("own", folder / "hidden.jsonl")]
    with laboratory(SETTINGS, tmp_path / "cache") as lab:
        guard = lab.service.assistant.guard
        guard.encoders = {MAIN: HashingEncoder()}
        metrics = {result.name: result.metrics for result in guarding.measured(sets, None, guard)}
    assert metrics["own/asked"]["false_block/benign"].value == 0
    assert metrics["own/hidden"]["recall/EMAIL_ADDRESS"].value == 1
    assert metrics.keys() == {"own/asked", "own/hidden"}


def test_broken_sets_beside_the_guards_are_left_to_their_own_grader(tmp_path):
    data = retrieval(retrieval(guard_sets(tmp_path / "data")), "torn")
    (data / "retrieval" / "torn" / "corpus.jsonl").write_text("{")
    with laboratory(SETTINGS, tmp_path / "cache") as lab:
        guard = lab.service.assistant.guard
        guard.encoders = {MAIN: HashingEncoder()}
        names = {result.name for result in guarding.measured([Source("guardrails", data / "guardrails" / "asked.jsonl")], data, guard)}
    assert names == {"guardrails/asked", "guardrails/passages_shop"}


def test_a_name_that_no_set_bears_is_an_error(tmp_path):
    with pytest.raises(BrokenSet, match="retrieval/shup"):
        runner.run(plan(tmp_path, retrieval(tmp_path / "data"), "retrieval/shup"))


def test_the_command_line_writes_both_reports_and_exits_with_1_for_a_broken_set(tmp_path, monkeypatch):
    monkeypatch.setenv("FIRSTLINE_EMBEDDER", "hashing")
    data = retrieval(retrieval(tmp_path / "data"), "torn")
    files = {"--data": data, "--json": tmp_path / "r.json", "--html": tmp_path / "r.html", "--cache": tmp_path / "cache"}
    options = [str(part) for pair in files.items() for part in pair]
    good = CliRunner().invoke(app, ["run", *options, "--only", "retrieval/shop"])
    assert good.exit_code == 0, good.output
    assert json.loads((tmp_path / "r.json").read_text())["sets"].keys() == {"retrieval/shop"}
    assert "<svg" in (tmp_path / "r.html").read_text()
    (data / "retrieval" / "torn" / "qrels.jsonl").unlink()
    bad = CliRunner().invoke(app, ["run", *options, "--only", "retrieval/torn"])
    assert bad.exit_code == 1
    assert "qrels.jsonl: is missing" in " ".join(bad.output.split())


def test_a_missing_data_folder_is_one_sentence_and_exit_code_1(tmp_path):
    done = CliRunner().invoke(app, ["run", "--data", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "is not a folder" in done.output


# ── the whole assistant ─────────────────────────────────────────────────────────────────────────────


def centre(folder: Path) -> Path:
    folder.mkdir()
    for slug, (title, text) in ARTICLES.items():
        (folder / f"{slug}.md").write_text(f"---\ntitle: {title}\nsection: Help\nsummary: Short.\n---\n{text}\n")
    (folder / "faqs.csv").write_text("id,question,answer\nfaq-trial,How long is the trial?,The trial lasts 14 days.\n")
    return folder


def examples(folder: Path, *rows: dict) -> Path:
    file = folder / "tiny.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def graded(tmp_path: Path, *rows: dict):
    file = examples(tmp_path, *rows)
    return assistant_exam.grade(file, SETTINGS, tmp_path / "cache", lambda _: None, centre(tmp_path / "centre"))


def test_our_own_examples_are_real_turns_graded_per_kind(tmp_path):
    result = graded(
        tmp_path,
        {"id": "a", "text": "How long is the trial?", "kind": "terse", "answerable": True, "gold": ["faq:faq-trial"]},
        {"id": "b", "text": "How do I export a dashboard?", "kind": "terse", "answerable": True, "gold": ["export"]},
        {"id": "c", "text": "zxqv wobble", "kind": "uncovered", "answerable": False, "gold": []},
    )
    assert result.name == "own/tiny"
    assert result.metrics["hit@1"].value == 1
    ends = sum(result.metrics[grade.value].value for grade in assistant_exam.Grade)
    assert ends == pytest.approx(1)
    assert result.metrics["uncovered_not_answered"].n == 1
    assert result.metrics["hit@1@terse"].n == 2
    assert "hit@1@uncovered" not in result.metrics


def test_a_follow_up_is_understood_from_its_replayed_history(tmp_path):
    history = [{"role": "user", "text": "How do I export a dashboard?"}, {"role": "assistant", "text": "Choose Export."}]
    row = {"id": "a", "text": "and again?", "kind": "follow_up", "answerable": True, "gold": ["export"]}
    assert graded(tmp_path, row | {"history": history}).metrics["hit@1"].value == 1


def test_english_originals_are_reported_beside_the_other_languages(tmp_path):
    row = {"id": "a", "lang": "de", "text": "Wie geht das?", "english": "How do I export a dashboard?", "gold": ["export"]}
    metrics = graded(tmp_path, row).metrics
    assert metrics["hit@1@english"].value == 1
    assert metrics["hit@1@lang=de"].n == 1


def test_a_gold_article_that_the_centre_lacks_is_an_error(tmp_path):
    with pytest.raises(BrokenSet, match="b: there is no article refund in the sample centre"):
        graded(tmp_path, {"id": "b", "text": "?", "kind": "terse", "answerable": True, "gold": ["refund"]})


def test_every_gold_of_our_own_examples_is_in_the_sample_centre(tmp_path):
    with laboratory(SETTINGS, tmp_path / "cache") as lab:
        names = set(assistant_exam.open_centre(lab, assistant_exam.SAMPLE).names.values())
    for name in runner.CENTRE:
        rows = assistant_exam.read(assistant_exam.EXAMPLES / f"{name}.jsonl")
        assert {gold for row in rows for gold in row.gold} <= names
        assert all(row.answerable == bool(row.gold) for row in rows)


def test_sentences_and_their_passages_are_graded_without_the_generic_ones(tmp_path):
    folder = tmp_path / "data" / "groundedness"
    folder.mkdir(parents=True)
    said = {"Refunds take 14 days.": "grounded", "Refunds take 3 days.": "ungrounded", "Thank you!": "generic"}
    rows = [{"context": "Refunds take 14 days.", "response": text, "label": label, "kind": "plain"} for text, label in said.items()]
    (folder / "shop.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "torn.jsonl").write_text('{"context": "a", "response": "b", "label": "maybe"}\n')
    report = runner.run(plan(tmp_path, tmp_path / "data", "groundedness"))
    (result,) = report.sets
    assert result.metrics["auc"].value == 1
    assert result.metrics["auc"].n == 2
    assert result.metrics["caught@kind=plain"].value == 1
    assert result.metrics["good_cut"].value == 0
    (broken,) = report.broken
    assert "torn.jsonl, line 1: the label" in broken.reason
