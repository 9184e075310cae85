"""How the assistant speaks and how long a turn may take."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field


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

    @property
    def closes_after(self) -> timedelta:
        """`close_after_days` as a length of time."""
        return timedelta(days=self.close_after_days)
