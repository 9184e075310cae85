"""Providers over real HTTP on loopback: whatever the server does, a completion or a named trouble comes back in time, and no key is told."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from api.chat import ChatModelError, chat_model
from assistant.chat_model import ChatModel, LangChainModel, ModelTrouble, Prompt, Trouble, told
from assistant.pen import parsed
from assistant.settings import AssistantSettings
from assistant.writing import Written
from tests.assistant.chat_server import Stub, serving

KEY = "sk-secret-of-the-operator"
SAID = json.dumps({"kind": "not_answered", "sentences": [], "question": "", "missing": "prices"})
ADDRESSES = {"openai": "/v1", "anthropic": "", "ollama": ""}


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, KEY)
    with serving() as stub:
        stub.text = SAID
        yield stub


def model(stub: Stub, provider: str = "openai", **more: Any) -> ChatModel:
    return chat_model(AssistantSettings(chat_model=f"{provider}:stub-1", chat_base_url=stub.url + ADDRESSES[provider], **more))


def prompt(name: str = "answer") -> Prompt:
    from assistant.prompting import Wording

    wording = Wording(name, Written, 300)
    return wording.prompt({"message": "What does it cost?"}, "mark", product="Tallyboard", language="English", sentences="4")


def trouble(chat: ChatModel, seconds: float = 5.0) -> ModelTrouble:
    with pytest.raises(ModelTrouble) as caught:
        chat.complete(prompt(), seconds)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama"])
@pytest.mark.parametrize("how", ["schema", "text"])
def test_each_provider_is_asked_in_its_own_interface_without_tools_and_its_tokens_are_counted(stub: Stub, provider: str, how: str) -> None:
    done = model(stub, provider, chat_format=how).complete(prompt(), 10)
    assert (done.text, done.model, done.input_tokens, done.output_tokens) == (SAID, "stub-1", 321, 45)
    (sent,) = stub.requests
    assert not sent.get("tools")
    whole = json.dumps(sent)
    assert "What does it cost?" in whole
    assert KEY not in whole
    assert ("additionalProperties" in whole) == (how == "schema")


@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        ("refuses", Trouble.REFUSED),
        ("filtered", Trouble.REFUSED),
        ("cut", Trouble.CUT_OFF),
        ("tools", Trouble.GARBAGE),
        ("empty", Trouble.GARBAGE),
        ("drops", Trouble.UNREACHABLE),
        ("half", Trouble.UNREACHABLE),
    ],
)
def test_what_a_provider_does_instead_of_answering_has_a_name(stub: Stub, manner: str, expected: Trouble) -> None:
    stub.manner = manner
    assert trouble(model(stub)).trouble is expected


@pytest.mark.parametrize("provider", ["anthropic", "ollama"])
def test_an_answer_that_was_cut_off_is_known_of_every_provider(stub: Stub, provider: str) -> None:
    stub.manner = "cut"
    assert trouble(model(stub, provider)).trouble is Trouble.CUT_OFF


def test_a_page_in_place_of_json_is_trouble(stub: Stub) -> None:
    stub.manner = "html"
    assert trouble(model(stub)).trouble in {Trouble.GARBAGE, Trouble.UNREACHABLE}


@pytest.mark.parametrize(("status", "lasting"), [(401, True), (404, True), (429, False), (500, False), (503, False)])
def test_an_error_status_is_trouble_that_lasts_only_when_it_is_ours(stub: Stub, status: int, lasting: bool) -> None:
    stub.status = status
    found = trouble(model(stub))
    assert (found.trouble, found.lasting) == (Trouble.UNREACHABLE, lasting)
    assert len(stub.requests) == 1  # the provider's package does not try again behind our back


@pytest.mark.parametrize(("code", "lasting"), [(401, True), (429, False), (503, False)])
def test_a_status_that_only_the_cause_of_an_error_knows_counts(code: int, lasting: bool) -> None:
    error, cause = RuntimeError("as one provider's package wraps it"), RuntimeError("with a key in it")
    cause.code = code  # type: ignore[attr-defined]
    error.__cause__ = cause
    found = told(error)
    assert (found.trouble, found.lasting) == (Trouble.UNREACHABLE, lasting)
    assert "key" not in str(found)


@pytest.mark.parametrize("manner", ["hangs", "drips"])
def test_a_server_that_hangs_or_drips_costs_its_seconds_and_no_more(stub: Stub, manner: str) -> None:
    stub.manner = manner
    chat = model(stub)
    began = time.monotonic()
    assert trouble(chat, 0.6).trouble is Trouble.TIMEOUT
    assert time.monotonic() - began < 5


def test_calls_that_were_given_up_on_count_until_they_end(stub: Stub) -> None:
    stub.manner = "hangs"
    chat = model(stub, chat_at_once=2)
    assert [trouble(chat, 0.2).trouble for _ in range(3)] == [Trouble.TIMEOUT, Trouble.TIMEOUT, Trouble.BUSY]


def test_nobody_listening_is_trouble(stub: Stub) -> None:
    nobody = AssistantSettings(chat_model="openai:stub-1", chat_base_url="http://127.0.0.1:9/v1")
    assert trouble(chat_model(nobody)).trouble is Trouble.UNREACHABLE


def test_a_server_of_ones_own_needs_no_key(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert model(stub).complete(prompt(), 10).text == SAID


def test_a_missing_key_or_package_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ChatModelError, match="needs the key of its provider in OPENAI_API_KEY"):
        chat_model(AssistantSettings(chat_model="openai:x"))
    with pytest.raises(ChatModelError, match=r"pip install 'firstline\[mistralai\]'"):
        chat_model(AssistantSettings(chat_model="mistralai:x"))
    with pytest.raises(ChatModelError, match="cannot be used"):
        chat_model(AssistantSettings(chat_model="nobody:x"))


def test_the_model_is_no_part_of_what_it_prints(stub: Stub) -> None:
    chat = model(stub)
    assert isinstance(chat, LangChainModel)
    assert KEY not in repr(chat) + repr(vars(chat))


def test_half_characters_controls_and_marks_of_direction_are_no_part_of_an_answer() -> None:
    said = r'{"kind": "answer", "sentences": [{"text": "It takes\ud83d five\u0000 days\u202e.", "passages": ["P1"]}]}'
    assert parsed(said, Written).sentences[0].text == "It takes five days."


def test_what_a_server_says_about_its_answer_is_trouble_when_it_cannot_be_read() -> None:
    class Odd:
        def invoke(self, _messages: object) -> AIMessage:
            answer = AIMessage(SAID, response_metadata={"finish_reason": "stop" * 1000, "model_name": "m" * 1000})
            answer.usage_metadata = {"input_tokens": "many"}  # type: ignore[assignment,typeddict-item]
            return answer

    chat = LangChainModel(Odd(), "openai", "odd", by_schema=False)  # type: ignore[arg-type]
    assert trouble(chat).trouble is Trouble.GARBAGE
