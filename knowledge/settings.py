"""Knowledge's thresholds and names, each with its range and reason."""

from pydantic import BaseModel, ConfigDict, Field


class KnowledgeSettings(BaseModel):
    """How articles are indexed and when they are good enough to answer from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str = Field(
        "minilm",
        description="`minilm` (packaged, offline), `hashing` (stand-in for tests) or any sentence-transformers model by name or path",
    )
    multilingual: bool = Field(
        True, description="also index with the multilingual encoder, so that questions in other languages find the articles"
    )
    reranker: str = Field("", description="a sentence-transformers cross-encoder by name or path that reorders the first 20; empty: none")
    target_error: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="share of wrong answers among the answered that is acceptable; sets the probability from which Firstline answers",
    )
    offer_from: float = Field(
        0.14,
        ge=0,
        le=1,
        description="probability from which the nearest titles are offered when it is not enough to answer; "
        "at .14 the right one is among them for .6 of the answerable own examples, at .22 for .4",
    )
    stale_days: int = Field(
        180,
        ge=7,
        le=3650,
        description="days after which a published article that nobody has changed or reviewed counts as old; judgement, no eval",
    )
    suggest_people: int = Field(3, ge=2, le=100, description="different people who must ask the same before something is suggested")
    suggest_days: int = Field(14, ge=1, le=365, description="days within which they must have asked")
    suggest_pure: float = Field(
        0.5,
        ge=0,
        le=1,
        description="likeness that the questions of a suggestion must have on average; below it they are about several things",
    )
