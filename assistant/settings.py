"""How the assistant speaks and how long a turn may take."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MARGIN = 4  # seconds of a turn's lease that model calls leave to everything else


class AssistantSettings(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product: str = Field("our product", max_length=80, description="the product's name, as visitors know it")
    contact: str = Field(
        "", max_length=200, description="where a person can be reached (address or page); named when the articles do not answer"
    )
    answer_words: int = Field(
        120, ge=40, le=400, description="most words of a quoted answer; a step is never cut, so one long step may exceed it"
    )
    max_sources: int = Field(3, ge=1, le=5, description="most sources one answer cites")
    history_turns: int = Field(6, ge=0, le=20, description="earlier messages read to understand a follow-up")
    turn_lease_seconds: int = Field(
        30, ge=5, le=300, description="after this a turn without a reply counts as killed and is run again when asked for"
    )
    close_after_days: int = Field(
        7, ge=1, le=90, description="days after which a resolved ticket counts as closed, so that the next message is a new matter"
    )

    chat_model: str = Field(
        "",
        pattern=r"^$|^[a-z][a-z_0-9]*:\S+$",
        max_length=200,
        description="chat model that writes answers, as `provider:model`, such as `openai:NAME`, `anthropic:NAME`, `mistralai:NAME`, "
        "`google_genai:NAME` or `ollama:NAME`; empty: answers are quoted",
    )
    chat_base_url: str = Field(
        "",
        pattern=r"^$|^https?://[^\s@]+$",
        max_length=500,
        description="address of the model's server, such as http://127.0.0.1:11434/v1 for anything that speaks OpenAI's interface; "
        "empty: the provider's own",
    )
    chat_format: Literal["schema", "text"] = Field(
        "schema", description="`schema`: the provider holds answers to our JSON schema; `text`: only the prompt asks for it"
    )
    chat_temperature: str = Field(
        "0",
        pattern=r"^$|^[01](\.\d+)?$|^2$",
        description="how freely the model chooses its words; empty: as the provider has it, for models that take nothing else",
    )
    chat_judge: str = Field(
        "",
        pattern=r"^$|^[a-z][a-z_0-9]*:\S+$",
        max_length=200,
        description="chat model that judges each written sentence against its passages, as `provider:model`, one call an answer; "
        "`FIRSTLINE_CHAT_MODEL` or another; empty: words and vectors alone judge, and little but near-quotations passes",
    )
    chat_judge_base_url: str = Field(
        "",
        pattern=r"^$|^https?://[^\s@]+$",
        max_length=500,
        description="the judge's server; empty: `FIRSTLINE_CHAT_BASE_URL` where the provider is the same, else the provider's own",
    )
    chat_seconds: float = Field(
        12.0, ge=1, le=60, description="seconds that all model calls of a turn may take together, retries included; then it is quoted"
    )
    chat_retries: int = Field(1, ge=0, le=5, description="times a failed call is made again, as far as its seconds allow")
    chat_at_once: int = Field(8, ge=1, le=200, description="model calls made at the same time; further ones are not made")
    chat_failures: int = Field(5, ge=1, le=100, description="failures within 30 seconds after which the model is not asked any more …")
    chat_pause_seconds: float = Field(15.0, ge=1, le=600, description="… for so many seconds; then one call tries it again")
    chat_passage_tokens: int = Field(2000, ge=200, le=20_000, description="about how many tokens of passages one prompt holds")
    chat_history_tokens: int = Field(600, ge=0, le=10_000, description="about how many tokens of earlier messages one prompt holds")
    chat_answer_tokens: int = Field(700, ge=100, le=4000, description="most tokens of one answer of the model, its JSON included")
    chat_sentences: int = Field(6, ge=1, le=15, description="most sentences of a written answer")
    chat_tokens_conversation: int = Field(
        60_000, ge=0, le=10_000_000, description="tokens that one conversation may use; 0: no limit; then its answers are quoted"
    )
    chat_tokens_day: int = Field(
        2_000_000, ge=0, le=10_000_000_000, description="tokens that all calls of a UTC day may use; 0: no limit; then answers are quoted"
    )

    @property
    def turn_seconds(self) -> float:
        """What model calls may take of a turn: less than its lease, so that no twin of the turn begins meanwhile."""
        return min(self.chat_seconds, self.turn_lease_seconds - MARGIN)

    @property
    def closes_after(self) -> timedelta:
        """`close_after_days` as a length of time."""
        return timedelta(days=self.close_after_days)
