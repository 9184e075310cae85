"""What writers do with golden questions, for the article's page and the interface alike: each act under the account of who did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.library.golden_shapes import ForgetOneIn, KeepQuestionIn, LiftOneIn, ProtectOneIn
from api.shapes import In
from api.staff.sessions import Signed
from knowledge import articles, golden
from knowledge.golden import Golden
from knowledge.lift_tables import GoldenQuestion

SHOWN = 100  # golden questions beside an article; the interface has all
FORMS: Mapping[str, type[In]] = {"golden": KeepQuestionIn, "protect": ProtectOneIn, "lift": LiftOneIn, "forget": ForgetOneIn}


@dataclass(frozen=True)
class Shown:
    """An act on a golden question, in words."""

    question: str
    act: str
    by: str
    at: datetime


def keep(service: Service, me: Signed, article_id: str, body: KeepQuestionIn) -> GoldenQuestion:
    """The article must answer this question. Raise NoSuchArticle, Blank."""
    with service.database.write() as session:
        wanted = Golden(body.question, article_id, protected=body.protected)
        return golden.add(session, wanted, service.new_id(), by=me.account_id, now=service.now())


def protect(service: Service, me: Signed, golden_id: str, *, protected: bool) -> GoldenQuestion:
    """Protect a question, or lift its protection. Raise NoSuchGolden."""
    with service.database.write() as session:
        return golden.protect(session, golden_id, protected=protected, by=me.account_id, now=service.now())


def forget(service: Service, me: Signed, golden_id: str) -> None:
    """Take an unprotected one away. Raise NoSuchGolden, StillProtected."""
    with service.database.write() as session:
        golden.remove(session, golden_id, by=me.account_id, now=service.now())


def do(service: Service, me: Signed, article_id: str, body: In) -> str:
    """What a form of the article's page asks for; what was done, as `said` names it. Raise as the above, and NoSuchArticle."""
    with service.database.read() as session:
        articles.get(session, article_id)
    if isinstance(body, KeepQuestionIn):
        keep(service, me, article_id, body)
        return "golden-kept"
    assert isinstance(body, ProtectOneIn | LiftOneIn | ForgetOneIn)  # noqa: S101 - what is left of FORMS
    _own(service, article_id, body.golden)
    if isinstance(body, ForgetOneIn):
        forget(service, me, body.golden)
        return "golden-gone"
    wanted = isinstance(body, ProtectOneIn)
    protect(service, me, body.golden, protected=wanted)
    return "golden-protected" if wanted else "golden-lifted"


def acts(session: Session, article_id: str, names: Mapping[str, str], limit: int = 10) -> Sequence[Shown]:
    """Who did what to an article's golden questions, the newest first; `names` are those of accounts."""
    return [Shown(one.question, one.act, names.get(one.by, one.by), one.at) for one in golden.history(session, article_id, limit)]


def _own(service: Service, article_id: str, golden_id: str) -> None:
    """Raise NoSuchGolden for a question of another article: the page that was sent is not the one it stands on."""
    with service.database.read() as session:
        if golden.get(session, golden_id).article_id != article_id:
            raise golden.NoSuchGolden(f"there is no golden question {golden_id} of this article")
