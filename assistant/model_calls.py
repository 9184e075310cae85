"""What calls of the chat model cost, in SQL: tokens are reserved before a call and settled after it, so a budget survives a kill."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from assistant.chat_model import Completion, Prompt
from assistant.tables import ModelCall

RUNNING, OK = "running", "ok"


@dataclass(frozen=True)
class Budget:
    """Most tokens of one conversation and of one UTC day, prompts and answers together; 0: no limit."""

    conversation: int
    day: int


@dataclass(frozen=True)
class Used:
    """What a day's calls came to."""

    calls: int
    tokens: int
    failed: int


def reserve(session: Session, budget: Budget, prompt: Prompt, call: ModelCall) -> bool:
    """Store a call that is about to be made, charged with the most it can cost; False when a budget does not allow it.

    Calls that begin in the same moment on Postgres may overshoot together by what they cost.
    """
    estimate = prompt.tokens + prompt.max_tokens
    if budget.day and used(session, call.day).tokens + estimate > budget.day:
        return False
    if budget.conversation and call.conversation_id:
        spent = select(func.coalesce(func.sum(TOKENS), 0)).where(ModelCall.conversation_id == call.conversation_id)
        if int(session.scalar(spent) or 0) + estimate > budget.conversation:
            return False
    call.input_tokens, call.output_tokens, call.ended = prompt.tokens, prompt.max_tokens, RUNNING
    session.add(call)
    return True


def settle(session: Session, call_id: str, completion: Completion | None, ended: str, milliseconds: float) -> None:
    """How a call ended. What it really cost replaces the reservation, where the provider says; a failed one stays charged its prompt."""
    call = session.get_one(ModelCall, call_id)
    call.ended, call.milliseconds = ended, round(milliseconds, 1)
    if completion is None:
        call.output_tokens = 0
    elif completion.input_tokens or completion.output_tokens:
        call.input_tokens, call.output_tokens = completion.input_tokens, completion.output_tokens


def used(session: Session, day: str) -> Used:
    """The calls of a UTC day, such as 2026-03-29."""
    failed = func.count().filter(ModelCall.ended.not_in([OK, RUNNING]))
    calls, tokens, wrong = session.execute(
        select(func.count(), func.coalesce(func.sum(TOKENS), 0), failed).where(ModelCall.day == day)
    ).one()
    return Used(int(calls), int(tokens), int(wrong))


def day_of(now: datetime) -> str:
    """The UTC day that a call counts for."""
    return now.date().isoformat()


TOKENS = ModelCall.input_tokens + ModelCall.output_tokens
