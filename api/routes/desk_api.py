"""The desk as an interface: what its pages show and do, for programs that are signed in like a browser and send X-CSRF-Token."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from api.context import limits_address, service_of
from api.desk import overview as view_overview
from api.desk import saved_views
from api.desk import templates as desk_templates
from api.desk import work as desk_work
from api.desk import worklist as views
from api.desk.clock_shapes import EscalateIn
from api.desk.out import line_out, overview_out, ticket_out
from api.desk.overview_shapes import OverviewOut
from api.desk.pages import policies
from api.desk.shapes import (
    MAX_INT,
    AidOut,
    AssignIn,
    BulkIn,
    BulkOut,
    ChangedOut,
    ContactIn,
    DeskTicketOut,
    FaqIn,
    FieldsIn,
    JudgementIn,
    LinkIn,
    MergeIn,
    MoveIn,
    NoteIn,
    PreviewIn,
    PreviewOut,
    PriorityIn,
    QueueIn,
    ReplyIn,
    SavedViewIn,
    SavedViewOut,
    SavedViewsOut,
    SuggestionOut,
    SuggestionsOut,
    TagsIn,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    UnlinkIn,
    WorklistOut,
)
from api.desk.ticket import by_number, ticket_view
from api.desk.worklist import Filters
from api.routes.desk_tickets import suggested
from api.shapes import In, problems
from api.staff.door import Agents
from api.staff.sessions import Signed
from escalation import replies
from escalation.replies import ReplyKind, Template

router = APIRouter(prefix="/api/desk", tags=["desk"], dependencies=[Depends(limits_address)])
READ = problems(401, 403, 404, 422, 429, 503)
CHANGE = problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
Number = Annotated[int, Path(ge=1, le=MAX_INT)]
Text = Annotated[str, Query(max_length=200)]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────


@router.get("/tickets", responses=READ)
def list_tickets(
    request: Request,
    me: Agents,
    view: Text = "",
    queue: Text = "",
    priority: Text = "",
    reason: Text = "",
    language: Text = "",
    tag: Text = "",
    q: Text = "",
    sort: Text = "",
    after: Text = "",
) -> WorklistOut:
    """A page of 50 tickets: those that need work in its order, others newest first. A filter nobody can mean filters nothing.

    The order of work is that of the clock due next; `sort=priority` has the most urgent and then the oldest first.
    """
    given = {"view": view, "queue": queue, "priority": priority, "reason": reason, "language": language, "tag": tag, "q": q}
    given |= {"sort": sort, "after": after}
    with service_of(request).database.read() as session:
        found = views.worklist(session, Filters.read(given), me.account_id)
    counted = found.counts
    return WorklistOut(
        tickets=[line_out(line) for line in found.lines], next=found.next or None, views=dict(counted.views), queues=dict(counted.queues)
    )


@router.get("/tickets/{number}", responses=READ)
def read_ticket(number: Number, request: Request, me: Agents) -> DeskTicketOut:
    """A ticket with everything that is known of it."""
    with service_of(request).database.read() as session:
        return ticket_out(ticket_view(session, number, me.account_id, policies(request), service_of(request).now()))


@router.get("/tickets/{number}/suggestions", responses=READ)
def suggest_replies(number: Number, request: Request, _me: Agents) -> SuggestionsOut:
    """Replies that may fit; nothing is sent by itself."""
    found, aided = suggested(service_of(request), number)
    return SuggestionsOut(
        suggestions=[
            SuggestionOut(text=one.text, sources=[vars(source) for source in one.sources], ticket=one.ticket, likeness=one.likeness)
            for one in found
        ],
        by_model=None
        if aided is None
        else AidOut(
            model=aided.model,
            summary=list(aided.summary),
            reply=aided.reply,
            sources=[vars(source) for source in aided.sources],
            fields=dict(aided.fields or {}),
        ),
    )


@router.get("/overview", responses=READ)
def read_overview(request: Request, _me: Agents, days: Annotated[int, Query(ge=1, le=366)] = 7) -> OverviewOut:
    """The operator's numbers of the last days, each with what it counts."""
    service = service_of(request)
    until = service.now()
    with service.database.read() as session:
        return overview_out(view_overview.overview(session, until - timedelta(days=days), until, policies(request)))


# ── changing a ticket ───────────────────────────────────────────────────────────────────────────────


@router.post("/tickets/{number}/reply", responses=CHANGE)
def reply(number: Number, body: ReplyIn, request: Request, me: Agents) -> ChangedOut:
    """Answer the visitor, in every conversation of the ticket and of the tickets linked to it."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/note", responses=CHANGE)
def note(number: Number, body: NoteIn, request: Request, me: Agents) -> ChangedOut:
    """Write something for other agents."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/assign", responses=CHANGE)
def assign(number: Number, body: AssignIn, request: Request, me: Agents) -> ChangedOut:
    """Give it to an agent, or to nobody."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/move", responses=CHANGE)
def move(number: Number, body: MoveIn, request: Request, me: Agents) -> ChangedOut:
    """Move it to one of its `moves`; closing gives the conversation back to the assistant, reopening takes it again."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/queue", responses=CHANGE)
def queue(number: Number, body: QueueIn, request: Request, me: Agents) -> ChangedOut:
    """Hand it to other people."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/priority", responses=CHANGE)
def priority(number: Number, body: PriorityIn, request: Request, me: Agents) -> ChangedOut:
    """Change how soon it must be worked on."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/tags", responses=CHANGE)
def tags(number: Number, body: TagsIn, request: Request, me: Agents) -> ChangedOut:
    """Replace its tags."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/fields", responses=CHANGE)
def fields(number: Number, body: FieldsIn, request: Request, me: Agents) -> ChangedOut:
    """Fill in or correct what is known."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/contact", responses=CHANGE)
def contact(number: Number, body: ContactIn, request: Request, me: Agents) -> ChangedOut:
    """Say who asks."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/merge", responses=CHANGE)
def merge(number: Number, body: MergeIn, request: Request, me: Agents) -> ChangedOut:
    """Continue it in another ticket."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/link", responses=CHANGE)
def link(number: Number, body: LinkIn, request: Request, me: Agents) -> ChangedOut:
    """Hang it on an incident."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/unlink", responses=CHANGE)
def unlink(number: Number, body: UnlinkIn, request: Request, me: Agents) -> ChangedOut:
    """Take it off its incident."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/escalate", responses=CHANGE)
def escalate(number: Number, body: EscalateIn, request: Request, me: Agents) -> ChangedOut:
    """Call the next tier of its chain by hand."""
    return _changed(request, me, number, body)


@router.post("/tickets/{number}/faq", responses=CHANGE)
def faq(number: Number, body: FaqIn, request: Request, me: Agents) -> ChangedOut:
    """Say that its answer should become a FAQ."""
    return _changed(request, me, number, body)


@router.post("/bulk", responses=CHANGE)
def bulk(body: BulkIn, request: Request, me: Agents) -> BulkOut:
    """The same change for many; those that changed meanwhile are left and named."""
    changed, left = desk_work.bulk(service_of(request), me, body)
    return BulkOut(changed=changed, left={str(number): why for number, why in left.items()})


@router.put("/decisions/{decision}/judgement", status_code=204, responses=CHANGE)
def judge(decision: Number, body: JudgementIn, request: Request, me: Agents) -> None:
    """Say whether a guard was right; the last word counts."""
    desk_work.judge(service_of(request), me, decision, right=body.right)


# ── templates and views ─────────────────────────────────────────────────────────────────────────────


@router.get("/templates", responses=READ)
def list_templates(request: Request, _me: Agents) -> TemplatesOut:
    """Every reply template."""
    with service_of(request).database.read() as session:
        return TemplatesOut(templates=[_template(kept) for kept in desk_templates.every(session)])


@router.put("/templates", status_code=204, responses=CHANGE)
def keep_template(body: TemplateIn, request: Request, me: Agents) -> None:
    """Keep an own template, in place of an earlier one of that name and language."""
    service = service_of(request)
    template = Template(body.name.strip(), body.kind, body.language, body.text)
    with service.database.write() as session:
        replies.keep(session, template, service.new_id(), by=me.account_id, now=service.now())


@router.delete("/templates/{language}/{template}", status_code=204, responses=CHANGE)
def drop_template(language: str, template: str, request: Request, _me: Agents) -> None:
    """Remove an own template; a shipped one of that name shows again."""
    with service_of(request).database.write() as session:
        replies.drop(session, template, language)


@router.post("/templates/preview", responses=CHANGE)
def preview(body: PreviewIn, request: Request, me: Agents) -> PreviewOut:
    """A text with its placeholders filled, from a ticket where its number is given."""
    known: dict[str, Any] = {"agent": me.name}
    if body.number is not None:
        with service_of(request).database.read() as session:
            known = desk_templates.values_for(by_number(session, body.number), me)
    shown = replies.preview(Template("", ReplyKind.OWN, body.language, body.text), known | dict(body.values))
    return PreviewOut(text=shown.text, missing=list(shown.missing))


@router.get("/views", responses=READ)
def list_views(request: Request, me: Agents) -> SavedViewsOut:
    """One's own saved views."""
    with service_of(request).database.read() as session:
        kept = saved_views.of(session, me.account_id)
        return SavedViewsOut(views=[SavedViewOut(id=one.id, name=one.name, query=one.query) for one in kept])


@router.put("/views", responses=CHANGE)
def keep_view(body: SavedViewIn, request: Request, me: Agents) -> SavedViewOut:
    """Keep a choice of tickets, in place of an earlier one of that name."""
    service = service_of(request)
    with service.database.write() as session:
        kept = saved_views.keep(session, me.account_id, body, service.new_id(), now=service.now())
        return SavedViewOut(id=kept.id, name=kept.name, query=kept.query)


@router.delete("/views/{view_id}", status_code=204, responses=CHANGE)
def drop_view(view_id: str, request: Request, me: Agents) -> None:
    """Forget one of one's own views."""
    with service_of(request).database.write() as session:
        saved_views.drop(session, me.account_id, view_id)


def _changed(request: Request, me: Signed, number: int, body: In) -> ChangedOut:
    ticket = desk_work.change(service_of(request), me, number, body)
    return ChangedOut(number=ticket.number, version=ticket.version, state=ticket.state)


def _template(kept: desk_templates.Kept) -> TemplateOut:
    one = kept.template
    return TemplateOut(
        name=one.name, language=one.language, kind=one.kind, text=one.text, own=kept.own, placeholders=list(one.placeholders)
    )
