"""Guard thresholds, each with its range and reason; the thresholds of single policies are fitted."""

from pydantic import BaseModel, ConfigDict, Field


class GuardSettings(BaseModel):
    """How carefully the guards decide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    false_block_budget: float = Field(
        0.05,
        gt=0,
        le=0.3,
        description="share of a policy's allowed neighbours, half of them written to be hard, that may be caught in leave-one-out; "
        "ordinary questions are blocked some ten times more rarely (evals/guard_exam.py measures it)",
    )
    ordinary_budget: float = Field(
        0.02,
        gt=0,
        le=0.1,
        description="share of the neighbours of all other policies that one policy may catch in leave-one-out; the stricter of both budgets holds",
    )
    route_budget: float = Field(
        0.02, gt=0, le=0.3, description="the same for a policy that only offers a person: its neighbours are answered all the same, so it may wait for surer signs"
    )
    route_ordinary_budget: float = Field(0.005, gt=0, le=0.1, description="and against everything else (routed at most 2 % of banking77 and techqa)")
    min_separation: float = Field(
        0.75,
        ge=0.5,
        le=1,
        description="a policy whose leave-one-out AUC against its own neighbours is lower cannot be told from them and is refused",
    )
    sentence_margin: float = Field(
        0.15,
        ge=0,
        le=1,
        description="how much above its threshold one sentence of a longer message must score when the whole message does not",
    )
    long_sentences: int = Field(
        8, ge=2, le=100, description="a text with more sentences than this is a pasted log or post: single odd sentences then need twice the margin"
    )
    unknown_language_confidence: float = Field(
        0.95, ge=0.5, le=1, description="a language neither encoder knows goes to a person only when recognised this surely (English sent away: at most .3 %)"
    )
    unknown_language_words: int = Field(4, ge=1, le=20, description="and in at least this many words")
