"""The chat model at work: a pen holds one deadline for all calls of a turn, retries, stays within the budgets, and never raises.

Whoever asks gets an answer that fits its schema, or None; then everything goes on as without a model.
"""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from assistant import model_calls, telemetry
from assistant.breaker import Breaker, Limits, State
from assistant.chat_model import ChatModel, Completion, ModelTrouble, Prompt, Trouble
from assistant.model_calls import Budget, Used
from assistant.tables import ConversationId, ModelCall

Answer = TypeVar("Answer", bound=BaseModel)
LEAST_SECONDS = 1.0  # with less time left no call is begun
PAUSE = 0.25  # seconds before the first retry; each further one waits twice as long
UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, half characters, and marks that turn the direction of writing: no database stores the one, no reader sees the other."""
FENCE = re.compile(r"^\s*```(?:json)?\s*|\s*```\s*$")


class Sessions(Protocol):
    """How the assistant reaches the database."""

    def read(self) -> AbstractContextManager[Session]:
        """A session whose changes are thrown away."""

    def write(self) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block."""


@dataclass(frozen=True)
class Clocks:
    """What time is: of the calendar in UTC, of a clock that only goes forward in seconds, and how to wait."""

    now: Callable[[], datetime]
    seconds: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True)
class Standing:
    """How the model is doing, for the operator."""

    model: str
    breaker: State
    today: Used
    budget: Budget


@dataclass(frozen=True)
class Call:
    """One call, for the trace; `ended` is ok or the name of a trouble."""

    prompt: str
    fingerprint: str
    model: str
    input_tokens: int
    output_tokens: int
    milliseconds: float
    ended: str


class Writer:
    """A configured chat model with everything that holds for all its calls. Safe for use from several threads."""

    def __init__(
        self,
        model: ChatModel,
        sessions: Sessions,
        clocks: Clocks,
        new_id: Callable[[], str],
        *,
        budget: Budget,
        limits: Limits,
        retries: int,
    ) -> None:
        """`retries`: how often a call that failed is made again, as far as its time allows."""
        self.model, self.sessions, self.clocks, self.new_id = model, sessions, clocks, new_id
        self.budget, self.retries = budget, retries
        self.breaker = Breaker(limits)

    @property
    def name(self) -> str:
        """The model's name, as its provider calls it."""
        return self.model.name

    def pen(self, conversation_id: ConversationId | None, seconds: float) -> "Pen":
        """For one turn or one task of so many seconds in all."""
        return Pen(self, conversation_id, self.clocks.seconds() + seconds)

    def standing(self, session: Session) -> Standing:
        """Breaker and budget as they are now."""
        today = model_calls.used(session, model_calls.day_of(self.clocks.now()))
        return Standing(self.name, self.breaker.state(self.clocks.seconds()), today, self.budget)


@dataclass
class Pen:
    """The model for one turn; `calls` are those that were made or refused, in order."""

    writer: Writer
    conversation_id: ConversationId | None
    until: float
    calls: list[Call] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.writer.name

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.until - self.writer.clocks.seconds()

    def lent(self, writer: Writer) -> "Pen":
        """Another model for the same turn: the same deadline, and its calls among the turn's."""
        return Pen(writer, self.conversation_id, self.until, self.calls)

    def new_mark(self) -> str:
        """A random word that no text of a visitor or an article can know."""
        return self.writer.new_id()[:16]

    def ask(self, prompt: Prompt, shape: type[Answer]) -> Answer | None:
        """The model's answer in that shape; None when it has none in time, whatever the reason."""
        for attempt in range(1 + self.writer.retries):
            if self.left < LEAST_SECONDS:
                self._note(prompt, None, Trouble.TIMEOUT, 0.0)
                return None
            try:
                return self._attempt(prompt, shape)
            except ModelTrouble as trouble:
                wait = PAUSE * 2**attempt
                if not trouble.trouble.may_pass or trouble.lasting or self.left - wait < LEAST_SECONDS or attempt == self.writer.retries:
                    return None
                self.writer.clocks.sleep(wait)
        return None

    def _attempt(self, prompt: Prompt, shape: type[Answer]) -> Answer:
        writer, clocks = self.writer, self.writer.clocks
        call_id = self._reserved(prompt)
        began, completion, ended = clocks.seconds(), None, model_calls.OK
        name, provider = writer.model.name, writer.model.provider
        span_of = telemetry.chat(
            provider, name, self.conversation_id, prompt=prompt.name, fingerprint=prompt.fingerprint, max_tokens=prompt.max_tokens
        )
        with span_of as span:
            try:
                completion = writer.model.complete(prompt, self.left)
                span.add(
                    RESPONSE_MODEL=completion.model or name,
                    INPUT_TOKENS=completion.input_tokens,
                    OUTPUT_TOKENS=completion.output_tokens,
                    FINISH_REASONS=(completion.finish,),
                )
                answer = parsed(completion.text, shape)
                writer.breaker.succeeded()
            except ModelTrouble as trouble:
                ended = trouble.trouble.value
                span.went_wrong(ended)
                self._judged(trouble)
                raise
            else:
                return answer
            finally:
                seconds = clocks.seconds() - began
                telemetry.measured(span, seconds)
                self._settled(call_id, prompt, completion, ended, 1000 * seconds)

    def _reserved(self, prompt: Prompt) -> str:
        """The id of the stored call, once budget and breaker have let it through. Raise ModelTrouble."""
        writer, now = self.writer, self.writer.clocks.now()
        if not writer.breaker.allows(writer.clocks.seconds()):
            self._note(prompt, None, Trouble.RESTING, 0.0)
            raise ModelTrouble(Trouble.RESTING)
        call = ModelCall(
            id=writer.new_id(),
            conversation_id=self.conversation_id,
            day=model_calls.day_of(now),
            prompt=prompt.name,
            fingerprint=prompt.fingerprint,
            model=writer.name[:200],
            at=now,
        )
        call_id = call.id
        with writer.sessions.write() as session:
            if model_calls.reserve(session, writer.budget, prompt, call):
                return call_id
        writer.breaker.undecided()
        self._note(prompt, None, Trouble.BUDGET, 0.0)
        raise ModelTrouble(Trouble.BUDGET)

    def _judged(self, trouble: ModelTrouble) -> None:
        breaker = self.writer.breaker
        if trouble.trouble.of_the_model:
            breaker.failed(self.writer.clocks.seconds())
        elif trouble.trouble is Trouble.REFUSED:
            breaker.succeeded()
        else:
            breaker.undecided()

    def _settled(self, call_id: str, prompt: Prompt, completion: Completion | None, ended: str, milliseconds: float) -> None:
        with self.writer.sessions.write() as session:
            model_calls.settle(session, call_id, completion, ended, milliseconds)
        self._note(prompt, completion, ended, milliseconds)

    def _note(self, prompt: Prompt, completion: Completion | None, ended: str, milliseconds: float) -> None:
        model = completion.model if completion and completion.model else self.writer.name
        tokens = (completion.input_tokens, completion.output_tokens) if completion else (0, 0)
        self.calls.append(Call(prompt.name, prompt.fingerprint, model, *tokens, round(milliseconds, 1), str(ended)))


def parsed(text: str, shape: type[Answer]) -> Answer:
    """The first JSON object of a text in that shape; fences and words around it do not matter. Raise ModelTrouble."""
    start = FENCE.sub("", text).find("{")
    if start < 0:
        raise ModelTrouble(Trouble.GARBAGE, "no JSON object")
    try:
        found: Any
        found, _ = json.JSONDecoder().raw_decode(FENCE.sub("", text)[start:])
        return shape.model_validate(_storable(found))
    except (ValidationError, ValueError, RecursionError) as error:
        raise ModelTrouble(Trouble.GARBAGE, f"not in the shape that was asked for ({type(error).__name__})") from None


def _storable(found: Any) -> Any:
    """A model's answer without what is no text; a small one breaks an emoji in halves."""
    if isinstance(found, str):
        return UNSAYABLE.sub("", found)
    if isinstance(found, dict):
        return {name: _storable(value) for name, value in found.items()}
    return [_storable(value) for value in found] if isinstance(found, list) else found
