"""Escalation's thresholds, each with its range and reason."""

from pydantic import BaseModel, ConfigDict, Field


class EscalationSettings(BaseModel):
    """When a person is offered or called."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failed_turns: int = Field(2, ge=1, le=10, description="turns in a row without an answer before a person is offered; issue 4")
    same_question: int = Field(3, ge=2, le=10, description="times the same question is asked before a person is offered; issue 4")
    same_from: float = Field(
        0.8,
        ge=0,
        le=1,
        description="cosine from which two questions are the same, by the multilingual encoder; not yet chosen by an eval",
    )
    anger_from: float = Field(
        1.0,
        ge=0,
        le=10,
        description="weight of words and signs from which a message is angry: one strong word, or two weak ones; tests/escalation",
    )
    asked_from: float = Field(
        0.85,
        ge=0.5,
        le=1,
        description="asked by the learned voice alone: in held-out folds no false alarm in 78, 62 % heard (evals/escalation_exam.py)",
    )
    route_from: float = Field(
        0.45,
        ge=0,
        le=1,
        description="probability below which a queue is marked as a guess for the agent; not yet chosen by an eval",
    )
    sla_profile: str = Field(
        "office",
        max_length=40,
        description="what visitors are promised, by name: `office`, `channels`, `overall`, `b2b`, or one of your own file",
    )
    sla_profiles: str = Field(
        "", description="a YAML file of your own SLA profiles, in the form of escalation/sla.yaml; empty: the shipped ones"
    )
    sla_calendars: str = Field(
        "", description="a YAML file of your working hours and holidays, in the form of escalation/calendars.yaml; empty: the shipped ones"
    )
    sla_chains: str = Field(
        "", description="a YAML file of your escalation chains, in the form of escalation/chains.yaml; empty: the shipped ones"
    )
    alarm_hours: int = Field(
        24,
        ge=1,
        le=8760,
        description="hours after which a late clock that nobody could tell of, for the server stood still, is only written down; "
        "one mail a day sums up what was",
    )
