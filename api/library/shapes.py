"""What goes in and out of the library over HTTP. Every change of an article names the `revision` that was read; another one is 409."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictInt

from api.shapes import In, Line, Prose, Said
from knowledge.loop_tables import RejectReason
from knowledge.tables import ArticleState

MAX_INT = 2**31 - 1
Revision = Annotated[StrictInt, Field(ge=0, le=MAX_INT, description="the revision that was read; 0 for a new article", examples=[3])]
Version = Annotated[StrictInt, Field(ge=0, le=MAX_INT, description="the version that was read", examples=[1])]
Note = Annotated[Line, Field(max_length=500, description="why, for those who read the history")]
Wording = Annotated[Line, Field(min_length=1, max_length=500)]
Title = Annotated[Said, Field(min_length=1, max_length=500, pattern=r"^[^\n\r]*$", examples=["Ask for a refund"])]
Body = Annotated[Said, Field(min_length=1, max_length=262_144, examples=["1. Open **Billing**.\n2. Press **Refund**."])]


class TextIn(In):
    """What an article or FAQ says."""

    title: Title
    body: Body
    kind: Literal["article", "faq"] = "article"
    section: Annotated[Line, Field(max_length=200)] = ""
    summary: Annotated[Prose, Field(max_length=2000)] = ""
    language: Annotated[Line, Field(pattern=r"^[a-z]{2}$")] = "en"
    tags: list[Annotated[Line, Field(min_length=1, max_length=80)]] = Field(default_factory=list, max_length=50)


class WriteIn(TextIn):
    """An article or FAQ as a writer has it. `publish`: the next answer may use it; otherwise it is kept in review, in no answer."""

    wordings: list[Wording] = Field(default_factory=list, max_length=100, description="other ways to ask; searched, never shown")
    learned: Annotated[list[Wording], Field(max_length=100, description="the same, learned from visitors; null leaves them")] | None = None
    review_due: Annotated[date | None, Field(description="the day it should be read through again")] = None
    note: Note = ""
    revision: Revision = 0
    publish: StrictBool = False


class NewIn(WriteIn):
    """The same for a new one. `id` makes sending it twice harmless."""

    id: Annotated[Line, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class CheckIn(TextIn):
    """A text to be checked against the house style and shown as a reader would see it; `article` where it already is one."""

    article: Annotated[Line, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class MoveArticleIn(In):
    """Where to: published again as it stands, back into review, or retired."""

    to: ArticleState
    note: Note = ""
    revision: Revision


class RestoreIn(In):
    """Publish an earlier revision again."""

    number: Annotated[StrictInt, Field(ge=1, le=MAX_INT)]
    revision: Revision


class ReviewedIn(In):
    """It was read through and found right; `due` is the day to read it again."""

    due: date | None = None


class NumbersOut(BaseModel):
    """Views and answered questions of the last 30 days, and all thumbs."""

    views: int
    answers: int
    up: int
    down: int


class ArticleLineOut(BaseModel):
    """An article in a list. `fresh`: ok, due (its review date has come) or old (long unchanged and unreviewed)."""

    id: str
    title: str
    kind: str
    state: str
    section: str
    source: str
    language: str
    revision: int
    updated_at: datetime
    reviewed_at: datetime | None
    reviewed_by: str
    review_due: date | None
    ai_generated: bool
    edited_here: bool
    fresh: Literal["ok", "due", "old"]
    numbers: NumbersOut


class ArticleListOut(BaseModel):
    """One page of 50; `total` of all pages."""

    articles: list[ArticleLineOut]
    total: int
    page: int
    pages: int


class LibraryArticleOut(ArticleLineOut):
    """An article with its text."""

    slug: str
    external_id: str
    url: str | None
    body: str
    summary: str
    tags: list[str]
    wordings: list[str]
    learned: list[str]
    held: list[str] = Field(description="why passages of it are held back from answers")


class ComplaintOut(BaseModel):
    """A departure from the house style; line 0 is title, section or summary."""

    line: int
    rule: str
    message: str


class CheckOut(BaseModel):
    """What the house style says, and the text as safe HTML, as the help centre shows it."""

    complaints: list[ComplaintOut]
    html: str


class SavedOut(BaseModel):
    """What became of it."""

    id: str
    revision: int
    state: str


class RevisionOut(BaseModel):
    """One version of an article."""

    number: int
    title: str
    state: str
    author: str
    note: str
    at: datetime
    ai_generated: bool
    reviewed_by: str


class RevisionsOut(BaseModel):
    """All of them, the newest first."""

    revisions: list[RevisionOut]


class PieceOut(BaseModel):
    """A run of text that stands in both, only in the old or only in the new one."""

    kind: Literal["same", "old", "new"]
    text: str


class DifferenceOut(BaseModel):
    """What one revision changed against another, word by word; `fields` names what else differs."""

    title: list[PieceOut]
    body: list[PieceOut]
    fields: dict[str, list[Any]]


# ── suggestions ─────────────────────────────────────────────────────────────────────────────────────


class AcceptIn(In):
    """Publish it, by the name of who is signed in.

    `override`: also with sentences that stand on no evidence; `anyway`: also when the article was changed since it was suggested.
    """

    version: Version
    override: StrictBool = False
    anyway: StrictBool = False


class EditIn(In):
    """What a writer makes of it; a part left out stays."""

    version: Version
    title: Title | None = None
    text: Body | None = None
    wordings: Annotated[list[Wording], Field(max_length=100)] | None = None


class RejectIn(In):
    """Why it is not wanted."""

    version: Version
    reason: RejectReason
    text: Annotated[Prose, Field(max_length=2000)] = ""


class SnoozeIn(In):
    """Put it aside for some days."""

    version: Version
    days: Annotated[StrictInt, Field(ge=1, le=90)] = 7


class MergeIntoIn(In):
    """The same is already answered by an article, or asked by another suggestion: exactly one of both."""

    version: Version
    article: Annotated[Line, Field(min_length=1, max_length=32)] | None = None
    suggestion: Annotated[Line, Field(min_length=1, max_length=32)] | None = None


class SuggestionLineOut(BaseModel):
    """A suggestion in a list."""

    id: str
    kind: str
    state: str
    version: int
    title: str
    group: str | None
    rank: float
    people: int
    size: int
    trend: float | None
    created_at: datetime


class SuggestionListOut(BaseModel):
    """One page of 50, the highest rank first; how many there are in each state."""

    suggestions: list[SuggestionLineOut]
    counts: dict[str, int]
    page: int


class LibrarySuggestionOut(SuggestionLineOut):
    """A suggestion with its sentences and what they stand on."""

    text: str
    why: str
    sentences: list[dict[str, Any]]
    wordings: list[str]
    similar: list[dict[str, Any]]
    questions: list[str]
    article_id: str | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None


class DecidedOut(BaseModel):
    """How it stands now, and the next one that waits."""

    id: str
    state: str
    version: int
    article_id: str | None
    next: str | None


class GroupOut(BaseModel):
    """Questions that ask the same."""

    id: str
    title: str
    state: str
    people: int
    size: int
    trend: float
    rank: float
    last_at: datetime
    questions: list[str] = []


class GroupsOut(BaseModel):
    """One page of 50, the highest rank first."""

    groups: list[GroupOut]
    page: int
