"""What goes in and out of the desk over HTTP. Every change of a ticket names the `version` that was read; another one is answered 409."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt, field_validator

from api.desk.clock_shapes import ClockOut, TierOut
from api.shapes import In, Line, Prose, Said
from escalation.replies import ReplyKind
from escalation.tables import Priority, TicketState

MAX_INT = 2**31 - 1
Version = Annotated[StrictInt, Field(ge=0, le=MAX_INT, description="the version that was read", examples=[3])]
Number = Annotated[StrictInt, Field(ge=1, le=MAX_INT, description="a ticket's number", examples=[41])]
AccountId = Annotated[Line, Field(min_length=1, max_length=32)]
ReplyText = Annotated[Said, Field(min_length=1, max_length=10_000, examples=["Hello Ada, the export works again."])]
TemplateName = Annotated[Line, Field(min_length=1, max_length=80, pattern=r"\S", examples=["password reset"])]
LanguageCode = Annotated[Line, Field(pattern=r"^[a-z]{2}$", examples=["en"])]


class ReplyIn(In):
    """A reply to the visitor. `then` is the state the ticket is in afterwards; without it it stays, acknowledged at least."""

    text: ReplyText
    version: Version
    then: TicketState | None = None


class NoteIn(In):
    """Something for other agents. `id` makes sending it twice harmless."""

    text: ReplyText
    id: Annotated[Line, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class AssignIn(In):
    """Give it to an agent, or to nobody."""

    assignee: AccountId | None
    version: Version


class MoveIn(In):
    """Move it on; only what its present state allows."""

    to: TicketState
    version: Version


class QueueIn(In):
    """Hand it to other people."""

    queue: Annotated[Line, Field(min_length=1, max_length=40)]
    version: Version


class PriorityIn(In):
    """How soon."""

    priority: Priority
    version: Version


class TagsIn(In):
    """Its tags, all of them."""

    tags: Annotated[list[Annotated[Line, Field(max_length=40)]], Field(max_length=30)]
    version: Version


class FieldsIn(In):
    """What is known of it; "" means "not said"."""

    fields: Annotated[
        dict[Annotated[Line, Field(max_length=40)], Annotated[Prose, Field(max_length=2000)]],
        Field(max_length=20, examples=[{"browser": "Firefox 120"}]),
    ]
    version: Version


class ContactIn(In):
    """Who asks."""

    name: Annotated[Line, Field(max_length=200)] = ""
    email: Annotated[Line, Field(max_length=320)] = ""
    version: Version


class MergeIn(In):
    """Continue it in another ticket, which keeps both conversations. Without `into_version` any version of that one will do."""

    into: Number
    into_version: Version | None = None
    version: Version


class LinkIn(In):
    """Hang it on an incident."""

    incident: Number
    version: Version


class UnlinkIn(In):
    """Take it off its incident."""

    version: Version


class FaqIn(In):
    """Its answer should become a FAQ; overwrites nothing, so it needs no version."""


class JudgementIn(In):
    """Whether a guard was right."""

    right: StrictBool


class Ticked(In):
    """A ticket as it was read in a list."""

    number: Number
    version: Version


class BulkIn(In):
    """The same change for many; what is left out stays. `assignee` "" means nobody."""

    tickets: Annotated[list[Ticked], Field(min_length=1, max_length=100)]
    assignee: Annotated[Line, Field(max_length=32)] | None = None
    priority: Priority | None = None
    queue: Annotated[Line, Field(min_length=1, max_length=40)] | None = None


class TemplateIn(In):
    """A reply template; `{name}` and the like are placeholders."""

    name: TemplateName
    language: LanguageCode = "en"
    kind: ReplyKind = ReplyKind.OWN
    text: ReplyText


class PreviewIn(In):
    """A template's text, to be filled from a ticket and with values given by hand."""

    text: ReplyText
    language: LanguageCode = "en"
    number: Number | None = None
    values: Annotated[
        dict[Annotated[Line, Field(max_length=40)], Annotated[Prose, Field(max_length=2000)]], Field(max_length=20, default_factory=dict)
    ]


class SavedViewIn(In):
    """A choice of tickets under a name; `query` as in the worklist's address."""

    name: Annotated[Line, Field(min_length=1, max_length=60, pattern=r"\S", examples=["Urgent in billing"])]
    query: Annotated[Line, Field(max_length=1000, examples=["view=open&queue=billing&priority=urgent"])]

    @field_validator("name")
    @classmethod
    def _tidy(cls, value: str) -> str:
        return value.strip()


class LineOut(BaseModel):
    """A ticket in a list; `mark` is "new" or "message" when this agent has something to read."""

    number: int
    version: int
    state: str
    queue: str
    priority: str
    reason: str
    language: str
    who: str
    subject: str
    tags: list[str]
    assignee: str | None
    assignee_name: str
    opened_at: datetime
    updated_at: datetime
    next_clock: str
    clock_state: str
    due_at: datetime | None
    mark: str


class WorklistOut(BaseModel):
    """A page of tickets; pass `next` as `after` for the one that follows."""

    tickets: list[LineOut]
    next: str | None
    views: dict[str, int]
    queues: dict[str, int]


class SaidOut(BaseModel):
    """A message, a note or an event in a ticket's course."""

    kind: str
    by: str
    text: str
    at: datetime
    id: str
    outcome: str
    sources: list[dict[str, Any]]
    helpful: bool | None
    blocked: list[str]
    conversation: int


class EventOut(BaseModel):
    """Something that happened to a ticket; `text` says it in words."""

    version: int
    kind: str
    by: str
    text: str
    at: datetime


class FindingOut(BaseModel):
    """What a guard found, by its number in the ledger; `right` is what a person thinks of it."""

    number: int
    policy: str
    title: str
    stage: str
    action: str
    blocked: bool
    score: float | None
    text: str
    reason: str
    right: bool | None


class AnsweredOut(BaseModel):
    """What the assistant said to a question."""

    question: str
    outcome: str
    text: str
    titles: list[str]


class BriefingOut(BaseModel):
    """A ticket in a few lines, all of it quoted."""

    first_ask: str
    last_ask: str
    answered: list[AnsweredOut]
    why: str
    errors: list[str]
    versions: list[str]
    addresses: list[str]
    codes: list[str]
    missing: list[str]


class DeskTicketOut(BaseModel):
    """A ticket with all that is known of it. `moves` are the states it may be moved to."""

    number: int
    version: int
    state: str
    moves: list[str]
    queue: str
    priority: str
    reason: str
    reason_text: str
    language: str
    assignee: str | None
    assignee_name: str
    contact_name: str | None
    contact_email: str | None
    contact_verified: bool
    fields: dict[str, str | None]
    error_texts: list[str]
    tried: list[str]
    tags: list[str]
    sources: list[dict[str, Any]]
    rating: int | None
    rating_text: str | None
    becomes_faq: bool
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    conversations: list[str]
    said: list[SaidOut]
    events: list[EventOut]
    findings: list[FindingOut]
    related: list[LineOut]
    linked: list[LineOut]
    incident: int | None
    merged: list[int]
    merged_into: int | None
    channel: str
    clocks: list[ClockOut]
    chain: str
    tiers: list[TierOut]
    briefing: BriefingOut


class ChangedOut(BaseModel):
    """The ticket after a change."""

    number: int
    version: int
    state: str


class SuggestionOut(BaseModel):
    """A reply that may fit, from articles or from the reply to an earlier ticket; nobody has sent it."""

    text: str
    sources: list[dict[str, Any]]
    ticket: int | None
    likeness: float | None


class AidOut(BaseModel):
    """What a chat model wrote for an agent, every sentence checked; nobody has sent or stored it."""

    model: str
    summary: list[str]
    reply: str
    sources: list[dict[str, Any]]
    fields: dict[str, str]


class SuggestionsOut(BaseModel):
    """The likeliest first."""

    suggestions: list[SuggestionOut]
    by_model: AidOut | None


class BulkOut(BaseModel):
    """Which tickets were changed, and why others were not."""

    changed: list[int]
    left: dict[str, str]


class TemplateOut(BaseModel):
    """A reply template; `own` ones can be changed and dropped."""

    name: str
    language: str
    kind: str
    text: str
    own: bool
    placeholders: list[str]


class TemplatesOut(BaseModel):
    """By name, then language."""

    templates: list[TemplateOut]


class PreviewOut(BaseModel):
    """A reply as it would be sent; gaps show as [name] and are listed in `missing`."""

    text: str
    missing: list[str]


class SavedViewOut(BaseModel):
    """A choice of tickets under a name."""

    id: str
    name: str
    query: str


class SavedViewsOut(BaseModel):
    """One's own, by name."""

    views: list[SavedViewOut]
