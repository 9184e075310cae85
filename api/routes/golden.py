"""Golden questions as an interface: those of an article, kept, protected, lifted and taken away."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from api.context import limits_address, service_of
from api.desk.worklist import names_of
from api.library import golden_work
from api.library.golden_shapes import GoldenActOut, GoldenListOut, GoldenOut, KeepQuestionIn, ProtectIn
from api.shapes import problems
from api.staff.door import Writers
from knowledge import articles, golden
from knowledge.lift_tables import GoldenQuestion

router = APIRouter(prefix="/api/library", tags=["library"], dependencies=[Depends(limits_address)])
READ = problems(401, 403, 404, 422, 429, 503)
CHANGE = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
Name = Annotated[str, Path(max_length=32, pattern="^[0-9a-f]*$")]
LATEST = 50


@router.get("/articles/{article_id}/golden", responses=READ)
def read_golden(article_id: Name, request: Request, _me: Writers) -> GoldenListOut:
    """The golden questions of an article, and who did what to them."""
    with service_of(request).database.read() as session:
        articles.get(session, article_id)
        names = names_of(session)
        questions = [_out(one) for one in golden.listed(session, article_id=article_id)]
        history = [GoldenActOut(**vars(one)) for one in golden_work.acts(session, article_id, names, LATEST)]
    return GoldenListOut(questions=questions, history=history)


@router.post("/articles/{article_id}/golden", status_code=201, responses=CHANGE)
def keep_golden(article_id: Name, body: KeepQuestionIn, request: Request, me: Writers) -> GoldenOut:
    """A question that this article must answer; one that is kept already gets this article and protection."""
    return _out(golden_work.keep(service_of(request), me, article_id, body))


@router.post("/golden/{golden_id}/protect", responses=CHANGE)
def protect_golden(golden_id: Name, body: ProtectIn, request: Request, me: Writers) -> GoldenOut:
    """Protect a question, or lift its protection, under the name of whoever is signed in."""
    return _out(golden_work.protect(service_of(request), me, golden_id, protected=body.protected))


@router.delete("/golden/{golden_id}", status_code=204, responses=CHANGE)
def forget_golden(golden_id: Name, request: Request, me: Writers) -> None:
    """Take a question away that is not protected."""
    golden_work.forget(service_of(request), me, golden_id)


def _out(one: GoldenQuestion) -> GoldenOut:
    return GoldenOut(**{name: getattr(one, name) for name in GoldenOut.model_fields})
