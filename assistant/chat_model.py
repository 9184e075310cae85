"""The chat model as the assistant knows it: one prompt in, one completion out, within so many seconds.

Behind it stands a LangChain model that `api/chat.py` chose. It is given no tools; it may only fill in a schema.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel  # most of a second, and nothing to do where no model is configured

ENDED_EARLY = frozenset({"length", "max_tokens", "MAX_TOKENS", "model_length"})  # what the providers call a text that was cut off
REFUSED = frozenset({"refusal", "content_filter", "SAFETY", "PROHIBITED_CONTENT"})
BOUNDS = frozenset({"maxLength", "maxItems"})
WAITING = 0.25  # of a call's time may go by until a place is free
NAMED = 200  # characters of what a server calls its model and the end of its answer
BYTES_A_TOKEN = 3  # fewer than any of the providers' tokenizers gives for the shipped languages, so an estimate is never too low


class Trouble(StrEnum):
    """Why a call gave nothing that can be used; the name in the trace and in the numbers."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    GARBAGE = "garbage"
    BUSY = "busy"
    RESTING = "resting"
    BUDGET = "budget"

    @property
    def of_the_model(self) -> bool:
        """Whether it speaks against the model being well; a refusal or an own limit does not."""
        return self in {Trouble.UNREACHABLE, Trouble.TIMEOUT, Trouble.GARBAGE, Trouble.CUT_OFF}

    @property
    def may_pass(self) -> bool:
        """Whether the same call may go well in a moment."""
        return self in {Trouble.UNREACHABLE, Trouble.GARBAGE}


class ModelTrouble(Exception):
    """A call of the chat model gave nothing that can be used. The message never holds a key or a text of a visitor."""

    def __init__(self, trouble: Trouble, told: str = "", *, lasting: bool = False) -> None:
        """`lasting`: the same call fails again, such as for a wrong key."""
        super().__init__(f"{trouble}: {told}" if told else str(trouble))
        self.trouble, self.lasting = trouble, lasting


@dataclass(frozen=True)
class Prompt:
    """What a model is sent. `fingerprint` names the wording and the schema, so that a trace tells which prompt was used."""

    name: str
    system: str
    material: str
    schema: Mapping[str, Any]
    fingerprint: str
    max_tokens: int

    @property
    def tokens(self) -> int:
        """About how many tokens it has, rather too many."""
        return len((self.system + self.material + json.dumps(self.schema)).encode()) // BYTES_A_TOKEN


@dataclass(frozen=True)
class Completion:
    """What a model answered, unread; tokens as the provider counts them, 0 where it does not say."""

    text: str
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    finish: str = "stop"
    notes: Mapping[str, Any] = field(default_factory=dict)


class ChatModel(Protocol):
    """Anything that completes a prompt. Safe for use from several threads."""

    name: str
    provider: str

    def complete(self, prompt: Prompt, seconds: float) -> Completion:
        """The completion, within about so many seconds. Raise ModelTrouble."""


class LangChainModel:
    """A chat model of LangChain, whoever provides it."""

    def __init__(
        self, model: BaseChatModel, provider: str, name: str, *, by_schema: bool = True, bounded: bool = False, at_once: int = 8
    ) -> None:
        """`by_schema`: the provider holds the answer to the schema; `bounded`: to its greatest lengths, too, which some refuse to be told.

        A call that was given up on counts as one `at_once` until it has really ended.
        """
        self.provider, self.name = provider, name
        self._model, self._by_schema, self._bounded = model, by_schema, bounded
        self._places = threading.BoundedSemaphore(at_once)

    def complete(self, prompt: Prompt, seconds: float) -> Completion:
        """Ask in a thread of its own, so that a provider that drips or hangs costs its seconds and no more. Raise ModelTrouble."""
        answers: list[AIMessage] = []
        troubles: list[Exception] = []

        def run() -> None:
            try:
                answers.append(self._ask(prompt))
            except Exception as error:  # noqa: BLE001 - every provider has errors of its own
                troubles.append(error)
            finally:
                self._places.release()

        if not self._places.acquire(timeout=seconds * WAITING):
            raise ModelTrouble(Trouble.BUSY, "too many calls at once")
        thread = threading.Thread(target=run, name=f"chat {prompt.name}", daemon=True)
        thread.start()
        thread.join(seconds)
        if troubles:
            raise told(troubles[0]) from None  # the provider's own error may hold the request with its key
        if not answers:
            raise ModelTrouble(Trouble.TIMEOUT, f"no answer in {seconds:.1f} s")
        try:
            return read(answers[0], self.name)
        except ModelTrouble:
            raise
        except Exception as error:  # noqa: BLE001 - what a server says about its answer may be of any kind
            raise told(error) from None

    def _ask(self, prompt: Prompt) -> AIMessage:
        messages = [SystemMessage(prompt.system), HumanMessage(prompt.material)]
        if not self._by_schema:
            return self._model.invoke(messages)
        schema = dict(prompt.schema) if self._bounded else unbounded(prompt.schema)
        runnable = self._model.with_structured_output(schema, method="json_schema", include_raw=True)
        found: Any = runnable.invoke(messages)
        raw: AIMessage = found["raw"]
        return raw


def unbounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without greatest lengths."""

    def without(part: Any) -> Any:
        if isinstance(part, Mapping):
            return {name: without(value) for name, value in part.items() if name not in BOUNDS}
        return [without(value) for value in part] if isinstance(part, list) else part

    return {name: without(value) for name, value in schema.items() if name not in BOUNDS}


def told(error: Exception) -> ModelTrouble:
    """What kind of trouble a provider's error is, told by its status where it has one, else by its name; its text is not repeated."""
    status, name = _status(error) or _status(error.__cause__), type(error).__name__
    if status >= 400:  # noqa: PLR2004 - some name an answer that was cut an error of status 200
        lasting = 400 <= status < 500 and status not in {408, 409, 429}  # noqa: PLR2004 - the client's own fault, except for these
        return ModelTrouble(Trouble.UNREACHABLE, f"{name} {status}", lasting=lasting)
    lower = name.casefold()
    if "timeout" in lower:
        return ModelTrouble(Trouble.TIMEOUT, name)
    if "refusal" in lower or "contentfilter" in lower:
        return ModelTrouble(Trouble.REFUSED, name)
    if "length" in lower:
        return ModelTrouble(Trouble.CUT_OFF, name)
    if isinstance(error, OSError) or "connect" in lower or "protocol" in lower or "read" in lower:
        return ModelTrouble(Trouble.UNREACHABLE, name)
    return ModelTrouble(Trouble.GARBAGE, name)


def _status(error: BaseException | None) -> int:
    """The HTTP status that an error knows of; 0 for none."""
    known = (error, "status_code"), (getattr(error, "response", None), "status_code"), (error, "code")
    return next((found for of, name in known if isinstance(found := getattr(of, name, None), int)), 0)


def read(message: AIMessage, name: str) -> Completion:
    """A provider's message as a completion. Raise ModelTrouble when it refused, was cut off or said nothing."""
    meta = message.response_metadata or {}
    finish = str(meta.get("finish_reason") or meta.get("stop_reason") or meta.get("done_reason") or "stop")
    if finish in REFUSED or message.additional_kwargs.get("refusal"):
        raise ModelTrouble(Trouble.REFUSED, "the model refused")
    if finish in ENDED_EARLY:
        raise ModelTrouble(Trouble.CUT_OFF, "the answer was cut off at its limit of tokens")
    text = message.text
    if not text.strip():
        raise ModelTrouble(Trouble.GARBAGE, "an empty answer")
    usage: Mapping[str, Any] = message.usage_metadata or {}
    model = str(meta.get("model_name") or meta.get("model") or name)
    return Completion(text, model[:NAMED], int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0)), finish[:NAMED])
