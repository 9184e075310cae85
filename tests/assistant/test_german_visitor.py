"""A German visitor of English articles, from end to end: answered in German by the model where its judge agrees, otherwise told so."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.bootstrap import Service, grounding, judge, writer
from assistant.tables import Message, Outcome
from knowledge.confidence import Band
from tests.assistant.chat_server import Stub, serving
from tests.assistant.test_judging import verdicts
from tests.assistant.test_writing import trace_of
from tests.builders import begin, decided, say_to

ASKED = "Gibt es eine App für Windows oder Mac auf dem Desktop?"
RIGHT = "Nein, eine Desktop-App gibt es nicht; nutze Tallyboard im Browser oder installiere die App auf dem Telefon."
TOLD = "Unsere Hilfeartikel dazu gibt es auf Englisch."


@pytest.fixture
def stubs() -> Iterator[tuple[Stub, Stub]]:
    """Servers of the writer and of the judge."""
    with serving() as writes, serving() as judges:
        judges.text = json.dumps(verdicts("follows"))
        yield writes, judges


def asked(sample: Service, stubs: tuple[Stub, Stub], text: str = RIGHT) -> Message:
    """The reply to the German question; the model rests its sentence on every passage that it was shown."""
    rows = [{"text": text, "passages": ["P1"]}]
    stubs[0].text = json.dumps({"kind": "answer", "sentences": rows, "question": "", "missing": ""})
    chosen: dict[str, Any] = {
        "chat_model": "openai:stub-1",
        "chat_base_url": stubs[0].url + "/v1",
        "chat_judge": "openai:stub-2",
        "chat_judge_base_url": stubs[1].url + "/v1",
        "chat_seconds": 20.0,
        "chat_tokens_day": 0,
    }
    settings = sample.settings.model_copy(update={"assistant": sample.settings.assistant.model_copy(update=chosen)})
    pens = writer(settings, sample.database, None, sample.now)
    assistant = replace(
        decided(sample, Band.ANSWER).assistant,
        settings=settings.assistant,
        writer=pens,
        judge=judge(settings, sample.database, pens, None, sample.now),
        supports=grounding(settings, sample.library.encoders).check,
    )
    return say_to(replace(sample, settings=settings, assistant=assistant), begin(sample, "de").id, ASKED)


def test_the_model_answers_in_german_from_english_articles(sample: Service, stubs: tuple[Stub, Stub]) -> None:
    reply = asked(sample, stubs)
    assert (reply.text, reply.content["outcome"], reply.content["language"]) == (RIGHT, Outcome.ANSWERED_WRITTEN, "de")
    assert reply.content["sources"][0]["title"] == "Is there a desktop app for Windows or Mac?"
    assert "German" in json.dumps(stubs[0].requests[-1])
    assert RIGHT in json.dumps(stubs[1].requests[0], ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (RIGHT, "does_not_follow"),
        ("Nein, die Desktop-App gibt es erst ab Version 17; nutze solange Tallyboard im Browser.", "follows"),
        ("No, there is no desktop app; use Tallyboard in the browser.", "follows"),
    ],
    ids=["the judge says no", "a number of its own", "written in English"],
)
def test_otherwise_the_visitor_is_told_that_the_articles_are_english(
    sample: Service, stubs: tuple[Stub, Stub], text: str, verdict: str
) -> None:
    stubs[1].text = json.dumps(verdicts(verdict))
    reply = asked(sample, stubs, text)
    assert reply.content["outcome"] != Outcome.ANSWERED_WRITTEN
    assert TOLD in reply.text
    assert trace_of(sample, reply)["model"]["kind"] == "answer"


def test_a_model_that_is_away_leaves_the_same_words(sample: Service, stubs: tuple[Stub, Stub]) -> None:
    stubs[0].manner = "drops"
    assert TOLD in asked(sample, stubs).text
