"""A suggested FAQ that a chat model puts into words: from the draft's sentences alone, with their evidence, past the same gates."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from api.bootstrap import Service, writer
from assistant.chat_model import ModelTrouble, Prompt, Trouble
from assistant.stand_ins import Line, ScriptedModel
from knowledge.loop_tables import Suggestion, SuggestionKind
from knowledge.rewriting import Written, rewritten
from knowledge.suggestions import Proposal
from knowledge.support import Sentence, Source
from tests.assistant.test_learning import ASKED, TOLD, asks, learned, waiting
from tests.builders import article, begin, publish


def with_writer(service: Service, *lines: Line) -> tuple[Service, ScriptedModel]:
    model = ScriptedModel(*lines)
    pens = writer(service.settings, service.database, model, service.now)
    return replace(service, assistant=replace(service.assistant, writer=pens)), model


def says(*sentences: str, of: str = "P1") -> dict[str, Any]:
    rows = [{"text": text, "passages": [of]} for text in sentences]
    return {"kind": "answer", "sentences": rows, "question": "", "missing": ""}


def suggested(service: Service, *lines: Line) -> tuple[Suggestion, ScriptedModel]:
    """What is suggested after four people asked the same and were told the same, with a model that says these lines."""
    publish(service, article())
    for question, told in zip(ASKED, TOLD, strict=True):
        asks(service, question, told)
    written, model = with_writer(service, *lines)
    assert len(learned(written).suggested) == 1
    (row,) = waiting(service)
    return row, model


def test_a_suggestion_is_put_into_the_models_words_with_the_drafts_evidence(service: Service) -> None:
    row, model = suggested(service, says("To export, open the dashboard, press Share and choose Export."))
    assert row.text == "To export, open the dashboard, press Share and choose Export."
    (sentence,) = row.body
    assert sentence["supported"]
    assert {source["of"] for source in sentence["evidence"]} == {"message"}
    (prompt,) = model.prompts
    assert prompt.name == "suggestion"
    for private in ("Nadia", "nadia@", "88123", "Tom"):
        assert private not in prompt.material


@pytest.mark.parametrize(
    "line",
    [
        says("Open the dashboard and press Share, then pay 30 euros."),
        says("Nadia opens the dashboard and presses Share, then Export."),
        says("Open the dashboard and press Share.", of="P9"),
        {"kind": "not_answered", "sentences": [], "question": "", "missing": "all"},
        "nonsense",
        ModelTrouble(Trouble.REFUSED),
        ModelTrouble(Trouble.TIMEOUT),
    ],
    ids=lambda line: str(line)[:60],
)
def test_what_may_not_be_said_leaves_the_draft_as_it_is(service: Service, line: Line) -> None:
    row, model = suggested(service, line)
    assert model.prompts
    assert "press Share" in row.text
    assert "euros" not in row.text + json.dumps(row.body)
    assert row.text == " ".join(sentence["text"] for sentence in row.body)
    assert all(sentence["evidence"] for sentence in row.body)


def test_no_transaction_is_open_while_a_suggestion_is_written(service: Service) -> None:
    def thinks(_: Prompt) -> Line:
        begin(service)  # writes, and would wait for an open transaction
        return says("Open the dashboard and press Share, then choose Export.")

    row, _ = suggested(service, thinks)
    assert row.text == "Open the dashboard and press Share, then choose Export."


# ── the gates by themselves ─────────────────────────────────────────────────────────────────────────


def draft(**more: Any) -> Proposal:
    body = [
        Sentence("Press Share.", (Source("message", "m1", "t1", "Press Share."),), supported=True),
        Sentence("It takes two minutes.", (Source("passage", "p1", "a1", "It takes two minutes."),), supported=True),
    ]
    given = {"kind": SuggestionKind.NEW, "title": "How?", "text": "Press Share. It takes two minutes.", "body": body, **more}
    return Proposal(why="", language="en", rank=1.0, **given)


def by(*written: tuple[str, list[int]]) -> Callable[..., Written]:
    return lambda *_: written


def test_a_written_sentence_has_the_evidence_of_all_that_it_rests_on() -> None:
    made = rewritten(draft(), by(("Press Share and wait two minutes.", [0, 1])), str)
    assert made.text == "Press Share and wait two minutes."
    assert [source.id for source in made.body[0].evidence] == ["m1", "p1"]


@pytest.mark.parametrize(
    "written",
    [
        by(("Press Share.", [])),
        by(("Ask Zebulon.", [0])),
        by(("It takes three minutes.", [1])),
        by(("Press Share. " * 80, [0])),
        by(),
        None,
    ],
)
def test_words_without_evidence_or_with_facts_of_their_own_are_not_taken(written: Any) -> None:
    assert rewritten(draft(), written, str) == draft()


def test_what_is_masked_is_not_taken_and_an_edit_is_never_rewritten() -> None:
    assert rewritten(draft(), by(("Press Share.", [0])), lambda text: f"{text} [EMAIL]") == draft()
    edit = draft(kind=SuggestionKind.EDIT)
    assert rewritten(edit, by(("Press Share now.", [0])), str) == edit
