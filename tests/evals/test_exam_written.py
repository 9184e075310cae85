"""Answers of a chat model are graded beside the quoted ones, over the same articles and questions."""

import json
import re
from pathlib import Path

from assistant.chat_model import Prompt
from assistant.stand_ins import Line, ScriptedModel
from evals import written_exam
from tests.builders import settings_in

ROW = re.compile(r"\[(P\d+)\] Ask for a refund")


def says(prompt: Prompt) -> Line:
    found = ROW.search(prompt.material)
    label = found[1] if found else "P1"
    rows = [{"text": "Press Refund in Billing for a refund.", "passages": [label]}, {"text": "It takes 99 days.", "passages": [label]}]
    return {"kind": "answer", "sentences": rows[: 1 if "only" in prompt.material else 2], "question": "", "missing": ""}


def test_both_ways_of_answering_stand_side_by_side(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    sample.mkdir()
    (sample / "ask-for-a-refund.md").write_text("# Ask for a refund\n\nOpen Billing and press Refund. A refund takes 5 days.\n")
    rows = [{"id": "1", "text": "How do I ask for a refund?", "gold": ["ask-for-a-refund"]}]
    file = tmp_path / "own.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = settings_in(tmp_path / "data", knowledge={"embedder": "hashing", "target_error": 0.5, "offer_from": 0.0})
    model = ScriptedModel(says)
    done = written_exam.grade(file, settings, tmp_path / "cache", lambda _: None, model, sample)
    values = {name: measure.value for name, measure in done.metrics.items()}
    assert model.prompts
    assert values["coverage_written"] >= values["coverage_quoted"]
    assert values["unsupported_sentences_of_model_written"] == 0.5
    assert values["failed_calls_written"] == 0
    assert values["tokens_per_turn_written"] > 0
    assert "unsupported_sentences_of_model_quoted" not in values
    assert "written by scripted" in done.notes
