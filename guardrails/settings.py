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
        description="the same over the neighbours of all other policies; the stricter of both budgets holds",
    )
    route_budget: float = Field(
        0.02,
        gt=0,
        le=0.3,
        description="the same for a policy that only offers a person: it may wait for surer signs",
    )
    route_ordinary_budget: float = Field(
        0.005, gt=0, le=0.1, description="and against everything else (routed at most 2 % of banking77 and techqa)"
    )
    min_separation: float = Field(
        0.75,
        ge=0.5,
        le=1,
        description="a policy whose leave-one-out AUC against its own neighbours is lower cannot be told from them and is refused",
    )
    sentence_margin: float = Field(
        0.0,
        ge=0,
        le=1,
        description="how far from threshold to 1 one sentence of several must score when the whole message does not reach it",
    )
    long_margin: float = Field(
        0.6, ge=0, le=1, description="the same in a long text: a pasted log or post is not blocked for one odd sentence"
    )
    long_sentences: int = Field(7, ge=2, le=100, description="a text with more sentences than this is long")
    outgoing_margin: float = Field(
        0.5,
        ge=0,
        le=1,
        description="how far from threshold to 1 an answer of ours must score: statements sound surer than questions",
    )
    document_likeness: float = Field(
        0.2,
        ge=0,
        le=1,
        description="a line of a passage less like the lines around it than this (cosine, in the kinder encoder) may be planted …",
    )
    document_score: float = Field(0.2, ge=0, le=1, description="… and is held when it scores this on injection or off-topic")
    commission_likeness: float = Field(
        0.14, ge=0, le=1, description="a line that orders a text or a lecture is held below this likeness, whatever it scores"
    )
    unknown_language_words: int = Field(
        4,
        ge=1,
        le=20,
        description="a language that neither encoder knows goes to a person only in at least this many words",
    )
    entailment: str = Field(
        "",
        max_length=500,
        description="a sentence-transformers cross-encoder for natural language inference by name or path, by which what a chat model "
        "wrote must also follow; needs torch while serving; empty: none",
    )
    written_caught: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of our own wrong sentences that comparing words and vectors must cut, literals included (which catch 0.3); "
        "empty: 0.95, and 0.3 where `FIRSTLINE_ENTAILMENT` or `FIRSTLINE_CHAT_JUDGE` judges what a sentence means",
    )
