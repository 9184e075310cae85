"""What goes in and out about golden questions over HTTP and in forms."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StrictBool

from api.shapes import In, Line

Name = Annotated[Line, Field(pattern=r"^[0-9a-f]{1,32}$")]


class KeepQuestionIn(In):
    """A question that the article must answer; a protected one blocks every publish that would break it."""

    question: Annotated[Line, Field(min_length=1, max_length=1000, examples=["How long is the trial?"])]
    protected: StrictBool = False


class ProtectIn(In):
    """Whether a golden question is protected."""

    protected: StrictBool


class ProtectOneIn(In):
    """The golden question that is protected; a form's."""

    golden: Name


class LiftOneIn(In):
    """The golden question whose protection is lifted; a form's."""

    golden: Name


class ForgetOneIn(In):
    """The golden question that goes; a form's."""

    golden: Name


class GoldenOut(BaseModel):
    """A golden question. `origin`: written, imported, or confirmed by a visitor's thumb; `changed_by` protected it or lifted it last."""

    id: str
    question: str
    article_id: str
    protected: bool
    origin: str
    added_by: str
    added_at: datetime
    changed_by: str
    changed_at: datetime | None


class GoldenActOut(BaseModel):
    """What somebody did: added, moved, protected, lifted or removed."""

    question: str
    act: str
    by: str
    at: datetime


class GoldenListOut(BaseModel):
    """The golden questions of an article, the protected first, and who did what to them, the newest first."""

    questions: list[GoldenOut]
    history: list[GoldenActOut]
