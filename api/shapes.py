"""What goes in and out over HTTP: strict, documented, with an example each."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, model_validator

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


Zone = Annotated[
    Line, Field(max_length=64, description="the browser's IANA time zone; one nobody knows counts as not said", examples=["Europe/Berlin"])
]


class StartIn(In):
    """A new conversation."""

    locale: Annotated[Line, Field(max_length=16, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", examples=["de-AT"])] = "en"
    zone: Zone = ""


class MessageIn(In):
    """A visitor's message. `client_message_id` makes sending it twice harmless."""

    text: Annotated[Said, Field(min_length=1, max_length=4000, examples=["How do I invite my team?"])]
    client_message_id: Annotated[Line, Field(min_length=1, max_length=100, examples=["6b1f0c1e"])] | None = None
    choice: Annotated[Line, Field(min_length=1, max_length=32, description="article picked from offered choices")] | None = None


class DetailsIn(In):
    """What a page or a form tells of the visitor, all of it optional and unverified."""

    name: Annotated[Line, Field(max_length=200)] = ""
    email: Annotated[Line, Field(max_length=254, pattern=r"^([^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+)?$", examples=["ada@example.org"])] = ""
    account: Annotated[Line, Field(max_length=200)] = ""
    role: Annotated[Line, Field(max_length=200)] = ""
    plan: Annotated[Line, Field(max_length=200)] = ""
    goal: Annotated[Prose, Field(max_length=4000)] = ""
    symptom: Annotated[Prose, Field(max_length=4000)] = ""
    device: Annotated[Line, Field(max_length=200)] = ""
    browser: Annotated[Line, Field(max_length=200)] = ""
    os: Annotated[Line, Field(max_length=200)] = ""
    app_version: Annotated[Line, Field(max_length=100)] = ""
    environment: Annotated[Line, Field(max_length=500, description="device, browser and version in one's own words")] = ""
    page: Annotated[Line, Field(max_length=2000)] = ""
    zone: Zone = ""


class SolvedIn(In):
    """Whether a person's answer solved it."""

    solved: StrictBool
    rating: Annotated[StrictInt, Field(ge=1, le=5)] | None = None
    text: Annotated[Prose, Field(max_length=1000)] = ""


class FormIn(In):
    """A contact form or a bug report. `client_id` makes sending it twice harmless; at least one of the texts says something.

    Whoever chooses the conversation's secret (random, never used before) can still read the answers when the answer to the form was lost.
    """

    client_id: Annotated[Line, Field(min_length=16, max_length=100, examples=["0b7e4a2c9d1f4e6b8a3c"])]
    secret: Annotated[Line, Field(min_length=32, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    locale: Annotated[Line, Field(max_length=16, pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")] = "en"
    goal: Annotated[Prose, Field(max_length=4000, examples=["Export a dashboard"])] = ""
    happened: Annotated[Prose, Field(max_length=4000, examples=["The file is empty"])] = ""
    expected: Annotated[Prose, Field(max_length=4000)] = ""
    errors: Annotated[list[Annotated[Prose, Field(max_length=2000)]], Field(max_length=20)] = []
    details: DetailsIn = DetailsIn()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.goal.strip() or self.happened.strip()):
            raise ValueError("say what you were trying to do, or what happened")
        return self

    def as_text(self) -> str:
        """The form as one message of the conversation."""
        parts = (self.goal, self.happened, self.expected, *(f"> {line}" for error in self.errors for line in error.splitlines()))
        return "\n\n".join(part.strip() for part in parts if part.strip())


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
    preview: str = Field("", description="a line of what the article says about the question, to help choose; no citation")


class QuestionOut(BaseModel):
    """A question of the handover, and the fields that its answer fills."""

    fields: list[str]
    text: str


class HandoverOut(BaseModel):
    """The ticket that a conversation was handed over with."""

    number: int
    queue: str
    questions: list[QuestionOut]


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
    offer: str | None = Field(None, description="why a person is offered beside this reply")
    handover: HandoverOut | None = Field(None, description="the ticket that this message tells of")
    agent: str | None = Field(None, description="who wrote it, for messages of the support team")
    resolves: int | None = Field(None, description="the ticket that this message resolves: ask whether it did")


class TicketOut(BaseModel):
    """A visitor's own ticket."""

    number: int
    state: Literal["open", "acknowledged", "in_diagnosis", "waiting_customer", "waiting_third_party", "resolved", "closed"]
    queue: str
    opened_at: datetime
    answer_by: datetime | None
    rating: int | None


class FormOut(BaseModel):
    """What became of a form: its ticket, and the conversation's secret, shown this once (null when the form was sent before)."""

    conversation_id: str | None
    secret: str | None
    message: MessageOut
    ticket: TicketOut


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
    ai_generated: bool = Field(description="a machine wrote the text; it is only published after a person has reviewed it")
    reviewed_by: str = Field(description="account of the person who read the text through; empty when nobody has")
    reviewed_at: datetime | None
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
        offer=content.get("offer"),
        handover=content.get("handover"),
        agent=content.get("agent"),
        resolves=content.get("resolves"),
    )


def article_out(article: Article) -> ArticleOut:
    """A stored article as it is shown."""
    return ArticleOut(**{name: getattr(article, name) for name in ArticleOut.model_fields})
