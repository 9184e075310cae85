"""R-06, the column of the chat model: whatever its server does, the turn ends in time with the quoted answer, and recovers by itself."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.bootstrap import Service, writer
from api.chat import chat_model
from assistant import telemetry
from assistant.tables import Outcome
from knowledge.confidence import Band
from tests.assistant.chat_server import Stub, serving
from tests.assistant.test_writing import ask, stock, trace_of
from tests.builders import decided, running_in

GOOD = {"kind": "answer", "sentences": [{"text": "Press Refund in Billing.", "passages": ["P1"]}], "question": "", "missing": ""}
SECONDS = 2.0


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_in(tmp_path_factory.mktemp("degraded") / "data") as service:
        yield stock(service)


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        stub.text = json.dumps(GOOD)
        yield stub


def over(stocked: Service, stub: Stub, **more: Any) -> Service:
    """The service with a model behind the stub."""
    chosen = {"chat_model": "openai:stub-1", "chat_base_url": stub.url + "/v1", "chat_seconds": SECONDS, **more}
    settings = stocked.settings.model_copy(update={"assistant": stocked.settings.assistant.model_copy(update=chosen)})
    pens = writer(settings, stocked.database, chat_model(settings.assistant), stocked.now)
    sure = decided(stocked, Band.ANSWER)
    return replace(sure, assistant=replace(sure.assistant, writer=pens, settings=settings.assistant))


@pytest.mark.parametrize("manner", ["refuses", "hangs", "drips", "html", "half", "drops", "tools", "cut", "empty", "500"])
def test_whatever_the_server_does_the_turn_ends_in_time_with_the_quoted_answer(stocked: Service, stub: Stub, manner: str) -> None:
    plain = ask(decided(stocked, Band.ANSWER), "ask for a refund")
    service = over(stocked, stub)
    stub.manner, stub.status = ("well", 500) if manner == "500" else (manner, 200)
    began = time.monotonic()
    reply = ask(service, "ask for a refund")
    assert time.monotonic() - began < SECONDS + 8  # a busy machine; without the limit a drip takes 60 s
    assert (reply.text, reply.content) == (plain.text, plain.content)
    assert next(call["ended"] for call in trace_of(service, reply)["model"]["calls"]) != "ok"


def test_a_server_that_fails_every_other_time_is_asked_again_within_the_turn(stocked: Service, stub: Stub) -> None:
    stub.manner = "flaps"
    service = over(stocked, stub, chat_seconds=20.0)
    reply = ask(service, "ask for a refund")
    assert [call["ended"] for call in trace_of(service, reply)["model"]["calls"]] == ["unreachable", "ok"]


def test_a_dead_server_is_left_alone_and_its_return_is_noticed(stocked: Service, stub: Stub) -> None:
    service = over(stocked, stub, chat_failures=2, chat_retries=0, chat_seconds=10.0)
    seconds = [0.0]
    pens: Any = service.assistant.writer
    pens.clocks = replace(pens.clocks, seconds=lambda: seconds[0])
    stub.status = 503
    outcomes = [ask(service, "ask for a refund").content["outcome"] for _ in range(4)]
    assert (set(outcomes), len(stub.requests)) == ({Outcome.ANSWERED_QUOTED}, 2)
    stub.status = 200
    seconds[0] += 16
    assert trace_of(service, ask(service, "ask for a refund"))["model"]["kind"] == "answer"


def test_the_names_of_opentelemetry_are_those_of_the_conventions() -> None:
    names = {
        name: value
        for name, value in vars(telemetry).items()
        if name.isupper() and isinstance(value, str) and name not in {"SCOPE", "CHAT"}
    }
    assert names == {
        "OPERATION": "gen_ai.operation.name",
        "PROVIDER": "gen_ai.provider.name",
        "REQUEST_MODEL": "gen_ai.request.model",
        "REQUEST_MAX_TOKENS": "gen_ai.request.max_tokens",
        "RESPONSE_MODEL": "gen_ai.response.model",
        "FINISH_REASONS": "gen_ai.response.finish_reasons",
        "INPUT_TOKENS": "gen_ai.usage.input_tokens",
        "OUTPUT_TOKENS": "gen_ai.usage.output_tokens",
        "CONVERSATION": "gen_ai.conversation.id",
        "TOKEN_TYPE": "gen_ai.token.type",
        "ERROR": "error.type",
        "PROMPT_NAME": "firstline.prompt.name",
        "PROMPT_FINGERPRINT": "firstline.prompt.fingerprint",
        "DURATION": "gen_ai.client.operation.duration",
        "TOKENS": "gen_ai.client.token.usage",
    }
    assert telemetry.DURATION_BUCKETS[0] == 0.01
    assert telemetry.DURATION_BUCKETS[-1] == pytest.approx(81.92)
    assert telemetry.TOKEN_BUCKETS[-1] == 67_108_864
