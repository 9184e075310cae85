"""What goes in and out over HTTP: strict, documented, with an example each."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from assistant.tables import Message
from knowledge.tables import Article

# Control characters say nothing to a reader, and Postgres cannot store NUL; line breaks and tabs stay.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HALF = re.compile(r"[\ud800-\udfff]")  # JSON can spell half a character; no database stores it


def _clean(text: str) -> str:
    if HALF.search(text):
        raise ValueError("half a character (a lone surrogate) is not text")
    return CONTROL.sub("", text)


def _said(text: str) -> str:
    cleaned = _clean(text).strip()
    if not cleaned:
        raise ValueError("this must say something")
    return cleaned


def _one_line(text: str) -> str:
    if _clean(text) != text or "\n" in text or "\r" in text:
        raise ValueError("control characters and line breaks are not allowed here")
    return text


Line = Annotated[StrictStr, AfterValidator(_one_line)]
Said = Annotated[StrictStr, AfterValidator(_said)]
Prose = Annotated[StrictStr, AfterValidator(_clean)]


class In(BaseModel):
    """Whatever comes in: an unknown field is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StartIn(In):
    """A new conversation."""

    locale: Annotated[Line, Field(max_length=16, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", examples=["de-AT"])] = "en"


class MessageIn(In):
    """A visitor's message. `client_message_id` makes sending it twice harmless."""

    text: Annotated[Said, Field(min_length=1, max_length=4000, examples=["How do I invite my team?"])]
    client_message_id: Annotated[Line, Field(min_length=1, max_length=100, examples=["6b1f0c1e"])] | None = None
    choice: Annotated[Line, Field(min_length=1, max_length=32, description="article picked from offered choices")] | None = None


class FeedbackIn(In):
    """A thumb on a reply."""

    helpful: StrictBool
    reason: Annotated[Prose, Field(max_length=1000)] = ""


class ArticleIn(In):
    """An article or FAQ as its source has it; `external_id` is its name there."""

    source: Annotated[Line, Field(min_length=1, max_length=80, examples=["handbook"])]
    external_id: Annotated[Line, Field(min_length=1, max_length=300, examples=["billing/refunds"])]
    title: Annotated[Said, Field(min_length=1, max_length=500, examples=["Ask for a refund"])]
    body: Annotated[Said, Field(min_length=1, max_length=262_144, examples=["1. Open **Billing**.\n2. Press **Refund**."])]
    kind: Literal["article", "faq"] = "article"
    section: Annotated[Prose, Field(max_length=200)] = ""
    summary: Annotated[Prose, Field(max_length=2000)] = ""
    language: Annotated[Line, Field(pattern=r"^[a-z]{2}$")] = "en"
    url: Annotated[Line, Field(max_length=2000, pattern=r"^https?://")] | None = None
    tags: Annotated[list[Annotated[Line, Field(max_length=80)]], Field(max_length=50)] = []
    wordings: Annotated[list[Annotated[Line, Field(min_length=1, max_length=500)]], Field(max_length=100)] = []


class SourceOut(BaseModel):
    """A source that a reply used."""

    number: int
    article_id: str
    passage_id: str
    revision: int
    title: str
    url: str
    quote: str


class ChoiceOut(BaseModel):
    """An article to choose."""

    article_id: str
    title: str


class MessageOut(BaseModel):
    """A message of the conversation; `outcome`, sources and choices belong to replies."""

    id: StrictInt
    role: Literal["visitor", "assistant", "agent"]
    text: str
    at: datetime
    outcome: str | None = None
    language: str | None = None
    sources: list[SourceOut] = []
    choices: list[ChoiceOut] = []
    client_message_id: str | None = None


class StartOut(BaseModel):
    """A started conversation. The secret is its only key and is shown this once."""

    id: str
    secret: str
    messages: list[MessageOut]


class MessagesOut(BaseModel):
    """Messages, oldest first."""

    messages: list[MessageOut]


class RunningOut(BaseModel):
    """The same message is being answered right now; ask again soon."""

    status: Literal["running"] = "running"


class FoundOut(BaseModel):
    """An article that may help."""

    article_id: str
    title: str
    section: str
    kind: str
    url: str


class SearchOut(BaseModel):
    """Articles that may help, best first."""

    articles: list[FoundOut]


class ArticleOut(BaseModel):
    """An article as it stands."""

    id: str
    source: str
    external_id: str
    slug: str
    kind: str
    state: str
    title: str
    body: str
    section: str
    summary: str
    language: str
    url: str | None
    tags: list[str]
    wordings: list[str]
    revision: int
    updated_at: datetime


class ArticlesOut(BaseModel):
    """One page of articles; pass `next` as `after` for the one that follows."""

    articles: list[ArticleOut]
    next: str | None


class PublishedOut(BaseModel):
    """What an upsert did."""

    article_id: str
    change: Literal["new", "changed", "unchanged"]


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = []


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of the errors a route may give."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": "Problem details (RFC 9457)", "content": content} for status in statuses}


def message_out(message: Message) -> MessageOut:
    """A stored message as it is shown."""
    content = message.content
    return MessageOut(
        id=message.id,
        role=message.role,
        text=message.text,
        at=message.at,
        outcome=content.get("outcome"),
        language=content.get("language"),
        sources=content.get("sources", []),
        choices=content.get("choices", []),
        client_message_id=message.client_message_id,
    )


def article_out(article: Article) -> ArticleOut:
    """A stored article as it is shown."""
    return ArticleOut(**{name: getattr(article, name) for name in ArticleOut.model_fields})
