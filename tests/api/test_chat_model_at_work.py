"""What operators and agents see of a chat model: help beside a ticket, the doctor's checks, the overview's card, spans."""

import builtins
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.bootstrap import Service, judge, writer
from api.cli.doctor import Finding, State, examined
from assistant import telemetry
from assistant.chat_model import ModelTrouble, Prompt, Trouble
from assistant.stand_ins import Line, ScriptedModel
from tests.api.staffing import Colleague, account_of, said
from tests.api.ticketing import answering, said_in, ticket_from
from tests.assistant.chat_server import Stub, serving
from tests.assistant.test_judging import verdicts
from tests.builders import client_of

REPLY = "Open Billing and press Refund."


def line_of(prompt: Prompt) -> Line:
    """What a good model answers to each of an agent's prompts."""
    if prompt.name == "briefing":
        return {"sentences": [{"text": "The visitor asks how to ask for a refund.", "passages": ["M1"]}]}
    if prompt.name == "fields":
        return dict.fromkeys(prompt.schema["properties"], "") | {"device": "abacus", "browser": "Netscape"}
    if prompt.name == "judge":
        return verdicts("follows", "follows", "follows")
    rows = [{"text": REPLY, "passages": ["P1"]}]
    return {"kind": "answer", "sentences": rows, "question": "", "missing": ""}


def with_writer(service: Service, *lines: Line, judged: Line | None = None, **chat: Any) -> Service:
    """The service with a scripted model that writes, and perhaps one that judges."""
    chosen = service.settings.assistant.model_copy(update={"chat_retries": 0, **chat})
    settings = service.settings.model_copy(update={"assistant": chosen})
    pens = writer(settings, service.database, ScriptedModel(*lines), service.now)
    second = judge(settings, service.database, pens, ScriptedModel(judged, name="judge-1"), service.now) if judged else None
    return replace(service, settings=settings, assistant=replace(service.assistant, writer=pens, judge=second, settings=chosen))


@pytest.fixture
def desk(service: Service) -> Service:
    return answering(service)


# ── beside a ticket ─────────────────────────────────────────────────────────────────────────────────


def test_an_agent_reads_a_summary_values_and_a_reply_marked_as_ai_and_nothing_is_sent(desk: Service) -> None:
    ticket = ticket_from(desk, "How do I ask for a refund? I typed it on an abacus.")
    before = len(said_in(desk, ticket))
    helped = with_writer(desk, line_of)
    kim = Colleague.arrives(helped)
    shown = said(kim.get("/desk/tickets/1/suggestions"))
    assert "AI Written by scripted, every sentence checked against its source" in shown
    assert "The visitor asks how to ask for a refund." in shown
    assert "device abacus" in shown
    assert "Netscape" not in shown
    assert REPLY in shown
    assert "AI From Ask for a refund" in shown
    assert "Nothing is sent by itself" in shown
    assert len(said_in(desk, ticket)) == before
    found = kim.client.get("/api/desk/tickets/1/suggestions").json()
    assert REPLY in json.dumps(found)


@pytest.mark.parametrize("line", [ModelTrouble(Trouble.UNREACHABLE), "nonsense"], ids=["unreachable", "nonsense"])
def test_without_help_the_page_is_what_it_is_without_a_model(desk: Service, line: Line) -> None:
    ticket_from(desk, "How do I ask for a refund?")
    plain = said(Colleague.arrives(desk).get("/desk/tickets/1/suggestions"))
    assert said(Colleague.arrives(with_writer(desk, line)).get("/desk/tickets/1/suggestions")) == plain


# ── the overview ────────────────────────────────────────────────────────────────────────────────────


def overview(service: Service) -> str:
    return said(Colleague.arrives(service, account=account_of(service)).get("/desk/overview"))


def test_the_overview_shows_the_model_its_day_and_who_judges_it(desk: Service) -> None:
    assert "Chat model" not in overview(desk)
    alone = with_writer(desk, line_of, chat_tokens_day=50_000)
    ticket_from(desk, "How do I ask for a refund?")
    Colleague.arrives(alone).get("/desk/tickets/1/suggestions")
    shown = overview(alone)
    assert "scripted It is asked. Working" in shown
    assert "Calls today of which 0 gave nothing usable 3" in shown
    assert "of 50,000" in shown
    assert "Judge of its sentences Words and vectors alone: little but near-quotations passes" in shown
    assert "follows from its passages. judge-1" in overview(with_writer(desk, line_of, judged=line_of))


def test_the_overview_says_when_a_judge_rests(desk: Service) -> None:
    service = with_writer(desk, line_of, judged=ModelTrouble(Trouble.UNREACHABLE), chat_failures=1)
    ticket_from(desk, "How do I ask for a refund?")
    Colleague.arrives(service).get("/desk/tickets/1/suggestions")
    assert "It failed too often and is not asked for a moment; answers are quoted. judge-1" in overview(service)


# ── the doctor ──────────────────────────────────────────────────────────────────────────────────────

RESTATED = json.dumps({"question": "How do I change my plan?"})


@pytest.fixture
def stubs() -> Iterator[tuple[Stub, Stub]]:
    with serving() as writes, serving() as judges:
        writes.text = RESTATED
        judges.text = json.dumps(verdicts("follows", "contradicts"))
        yield writes, judges


def examine(service: Service, **chat: Any) -> dict[str, Finding]:
    """What the doctor finds with these settings of the chat model, by what was checked."""
    settings = service.settings.model_copy(update={"assistant": service.settings.assistant.model_copy(update=chat)})
    database: Callable[[], AbstractContextManager[Any]] = lambda: nullcontext(service.database)  # noqa: E731
    return {found.what: found for found in examined(client_of(service), settings, database, service.now)}


def over(stubs: tuple[Stub, Stub]) -> dict[str, Any]:
    address = stubs[0].url + "/v1"
    judged = {"chat_judge": "openai:stub-2", "chat_judge_base_url": stubs[1].url + "/v1"}
    return {"chat_model": "openai:stub-1", "chat_base_url": address, **judged}


def test_the_doctor_asks_the_model_and_its_judge_once_each(desk: Service, stubs: tuple[Stub, Stub]) -> None:
    found = examine(desk, **over(stubs))
    assert found["chat model"].state is State.OK
    assert "openai:stub-1 answered in" in found["chat model"].says
    assert found["judge of written sentences"].state is State.OK
    assert [len(stub.requests) for stub in stubs] == [1, 1]


def test_the_doctor_says_what_a_missing_judge_means(desk: Service, stubs: tuple[Stub, Stub]) -> None:
    found = examine(desk, **over(stubs) | {"chat_judge": ""})["judge of written sentences"]
    assert (found.state, "near-quotations" in found.says, "FIRSTLINE_CHAT_JUDGE" in found.mend) == (State.WARNING, True, True)
    assert "chat model" not in examine(desk)
    assert "judge of written sentences" not in examine(desk)
    unused = examine(desk, **over(stubs) | {"chat_model": ""})["judge of written sentences"]
    assert (unused.state, "nothing is written" in unused.says) == (State.WARNING, True)


@pytest.mark.parametrize("text", [json.dumps(verdicts("follows", "follows")), json.dumps(verdicts("contradicts", "contradicts"))])
def test_a_judge_that_cannot_tell_right_from_wrong_is_a_warning(desk: Service, stubs: tuple[Stub, Stub], text: str) -> None:
    stubs[1].text = text
    found = examine(desk, **over(stubs))["judge of written sentences"]
    assert (found.state, "pairs_blind" in found.mend) == (State.WARNING, True)


@pytest.mark.parametrize("manner", ["refuses", "drops", "html", "empty", "cut"])
def test_a_model_or_judge_that_gives_nothing_is_wrong_and_says_how_to_mend_it(desk: Service, stubs: tuple[Stub, Stub], manner: str) -> None:
    for stub in stubs:
        stub.manner = manner
    found = examine(desk, **over(stubs))
    for what in ("chat model", "judge of written sentences"):
        assert (found[what].state, "FIRSTLINE_CHAT" in found[what].mend) == (State.WRONG, True)


def test_a_provider_that_cannot_be_used_is_named(desk: Service) -> None:
    found = examine(desk, chat_model="nobody:x", chat_judge="nobody:y")
    assert "FIRSTLINE_CHAT_MODEL=nobody:x" in found["chat model"].says
    assert "FIRSTLINE_CHAT_JUDGE=nobody:y" in found["judge of written sentences"].says


def test_an_entailment_model_that_cannot_be_loaded_is_named(desk: Service, tmp_path: Path) -> None:
    guards = desk.settings.guardrails.model_copy(update={"entailment": str(tmp_path)})
    service = replace(desk, settings=desk.settings.model_copy(update={"guardrails": guards}))
    found = examine(service)["entailment model"]
    assert (found.state, str(tmp_path) in found.says) == (State.WRONG, True)


# ── OpenTelemetry ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """Readers of spans and metrics, with the SDK in the process; its global providers are left alone."""
    from types import SimpleNamespace

    from opentelemetry import trace
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, reader, tracers = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    meters = MeterProvider([reader])
    api = SimpleNamespace(trace=SimpleNamespace(get_tracer=tracers.get_tracer, SpanKind=trace.SpanKind), metrics=meters)
    monkeypatch.setattr(telemetry, "_api", lambda: api)
    yield exporter, reader
    tracers.shutdown()
    meters.shutdown()


def test_each_call_is_a_span_by_the_conventions_and_holds_no_text(desk: Service, spans: tuple[Any, Any]) -> None:
    ticket = ticket_from(desk, "How do I ask for a refund?")
    Colleague.arrives(with_writer(desk, line_of, judged=line_of)).get("/desk/tickets/1/suggestions")
    made = spans[0].get_finished_spans()
    assert {span.name for span in made} == {"chat scripted", "chat judge-1"}
    assert [span.attributes["firstline.prompt.name"] for span in made] == ["briefing", "judge", "fields", "reply", "judge"]
    for span in made:
        assert span.kind.name == "CLIENT"
        assert span.attributes["gen_ai.operation.name"] == "chat"
        assert span.attributes["gen_ai.provider.name"] == "stand_in"
        assert span.attributes["gen_ai.conversation.id"] == ticket.conversation_id
        assert span.attributes["gen_ai.usage.input_tokens"] > 0
        assert span.attributes["gen_ai.response.finish_reasons"] == ("stop",)
        assert "refund" not in str(dict(span.attributes)).casefold()
        assert not span.events  # nor a trace of where it went wrong
    data = json.loads(spans[1].get_metrics_data().to_json())
    names = {metric["name"] for of in data["resource_metrics"] for scope in of["scope_metrics"] for metric in scope["metrics"]}
    assert names == {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


def test_a_call_that_failed_is_an_error_with_a_short_name(desk: Service, spans: tuple[Any, Any]) -> None:
    ticket_from(desk, "How do I ask for a refund?")
    Colleague.arrives(with_writer(desk, ModelTrouble(Trouble.REFUSED, "a text of the provider"))).get("/desk/tickets/1/suggestions")
    made = spans[0].get_finished_spans()
    assert {(span.status.status_code.name, span.attributes["error.type"]) for span in made} == {("ERROR", "refused")}
    assert "a text of the provider" not in " ".join(span.to_json() for span in made)


def test_without_opentelemetry_everything_goes_on(desk: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    telemetry._api.cache_clear()
    try:
        assert telemetry._api() is None
        ticket_from(desk, "How do I ask for a refund?")
        assert REPLY in said(Colleague.arrives(with_writer(desk, line_of)).get("/desk/tickets/1/suggestions"))
    finally:
        telemetry._api.cache_clear()
