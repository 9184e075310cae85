"""What the widget's panel reads: messages and articles as typed nodes, never as HTML. The panel's own interface."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from api import identity
from api.context import limits_address, service_of
from api.help.addresses import resolver
from api.help.marking import marked
from api.help.nodes import nodes_of
from api.help.visitors import own_ticket, shown_text
from api.library import numbers as library_numbers
from api.messages import verifying
from api.routes.chat import MAX_ID
from api.shapes import ChoiceOut, HandoverOut, In, Line
from assistant import conversation, handover
from assistant.conversation import NoSuchMessage
from assistant.tables import Feedback, Message, Role
from escalation import tickets
from guardrails.checks.personal_data import redact_secrets
from knowledge.articles import NoSuchArticle
from knowledge.tables import Article, ArticleState

MessageId = Annotated[int, Path(ge=1, le=MAX_ID)]


router = APIRouter(prefix="/widget", include_in_schema=False, dependencies=[Depends(limits_address)])


class SourceOut(BaseModel):
    """A numbered source of a reply."""

    number: int
    title: str


class PanelMessage(BaseModel):
    """A message as the panel draws it. `helpful` is the visitor's own thumb on it."""

    id: int
    role: Role
    text: str
    nodes: list[Any]
    at: datetime
    notice: bool
    outcome: str | None
    language: str | None
    sources: list[SourceOut]
    choices: list[ChoiceOut]
    client_message_id: str | None
    helpful: bool | None
    offer: str | None
    handover: HandoverOut | None
    agent: str | None
    resolves: int | None


class PanelTicket(BaseModel):
    """The conversation's last ticket; `wanted` are the fields that were asked for and are still unknown."""

    number: int
    state: str
    queue: str
    rating: int | None
    wanted: list[str]


class PanelMessages(BaseModel):
    """Messages, oldest first, and how the ticket stands."""

    messages: list[PanelMessage]
    ticket: PanelTicket | None


class PanelArticle(BaseModel):
    """An article as the panel draws it; what an answer quoted stands under `mark`."""

    article_id: str
    slug: str
    kind: str
    title: str
    section: str
    language: str
    updated_at: datetime
    url: str
    nodes: list[Any]


class ClaimIn(In):
    """What the host page says about its visitor. Nobody has verified it, and agents see that."""

    name: Annotated[Line, Field(max_length=100)] = ""
    email: Annotated[Line, Field(max_length=254)] = ""
    account: Annotated[Line, Field(max_length=100)] = ""
    role: Annotated[Line, Field(max_length=100)] = ""


@router.get("/conversations/{conversation_id}/messages")
def messages(conversation_id: str, request: Request, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0) -> PanelMessages:
    """The conversation's messages after an id, at most 200 at a time."""
    with service_of(request).database.read() as session:
        found = identity.visitor(session, request, conversation_id)
        later = conversation.messages_after(session, found.id, after, 200)
        thumbs = {t.message_id: t.helpful for t in session.scalars(select(Feedback).where(Feedback.message_id.in_([m.id for m in later])))}
        ticket = own_ticket(session, found)
        return PanelMessages(
            messages=[_message(session, message, thumbs.get(message.id)) for message in later],
            ticket=PanelTicket.model_validate(ticket, from_attributes=True) if ticket else None,
        )


@router.get("/conversations/{conversation_id}/messages/{message_id}/sources/{number}")
def source(conversation_id: str, message_id: MessageId, number: int, request: Request) -> PanelArticle:
    """The article of a source, with the part marked that the reply quoted."""
    with service_of(request).database.read() as session:
        found = identity.visitor(session, request, conversation_id)
        message = session.get(Message, message_id)
        if message is None or message.conversation_id != found.id:
            raise NoSuchMessage("this conversation has no such reply")
        cited = next((s for s in message.content.get("sources", []) if s["number"] == number), None)
        if cited is None:
            raise NoSuchArticle("this reply has no such source")
        article = panel_article(session, request, _published(session, Article.id == cited["article_id"]))
        return article.model_copy(update={"nodes": marked(article.nodes, nodes_of(cited["quote"]))})


@router.put("/conversations/{conversation_id}/visitor", status_code=204)
def claim(conversation_id: str, body: ClaimIn, request: Request) -> None:
    """Keep what the host page says about its visitor, unverified; a ticket gets what it does not know yet."""
    told = {name: redact_secrets(value).text for name, value in body.model_dump().items() if value}
    service = service_of(request)
    with service.database.write() as session:
        held = conversation.locked(session, identity.visitor(session, request, conversation_id).id)
        held.details = {**held.details, **told}
        ticket = tickets.of_conversation(session, held.id)
        columns = {"name": "contact_name", "email": "contact_email", "account": "account", "role": "role"}
        new = {name: value for name, value in told.items() if ticket and not getattr(ticket, columns[name])}
        if new:
            handover.describe(session, held, new, now=service.now())
    if "email" in new:
        verifying.ask(request, held.id)


@router.get("/articles/{name}")
def article(name: str, request: Request) -> PanelArticle:
    """A published article by its id or its slug."""
    with service_of(request).database.read() as session:
        found = panel_article(session, request, _published(session, (Article.id == name) | (Article.slug == name)))
    library_numbers.viewed(service_of(request), found.article_id)
    return found


def _published(session: Session, which: Any) -> Article:
    found = session.scalars(select(Article).where(Article.state == ArticleState.PUBLISHED, which)).first()
    if found is None:
        raise NoSuchArticle("there is no such article")
    return found


def panel_article(session: Session, request: Request, found: Article) -> PanelArticle:
    """An article as the panel draws it."""
    return PanelArticle(
        article_id=found.id,
        slug=found.slug,
        kind=found.kind,
        title=found.title,
        section=found.section,
        language=found.language,
        updated_at=found.updated_at,
        url=found.url or service_of(request).assistant.link(found.slug, ""),
        nodes=nodes_of(found.body, resolver(session, found), title=found.title),
    )


def _message(session: Session, message: Message, helpful: bool | None) -> PanelMessage:  # noqa: FBT001 - a thumb is a value here
    content = message.content
    sources = content.get("sources", [])
    of = session.get(Article, sources[0]["article_id"]) if sources else None
    nodes = [] if message.role == Role.VISITOR else nodes_of(shown_text(message), resolver(session, of) if of else lambda _: None)
    return PanelMessage(
        id=message.id,
        role=Role(message.role),
        text=message.text,
        nodes=nodes,
        at=message.at,
        notice=bool(content.get("notice")),
        outcome=content.get("outcome"),
        language=content.get("language"),
        sources=[SourceOut(number=s["number"], title=s["title"]) for s in sources],
        choices=[ChoiceOut(**choice) for choice in content.get("choices", [])],
        client_message_id=message.client_message_id,
        helpful=helpful,
        offer=content.get("offer"),
        handover=HandoverOut(**content["handover"]) if content.get("handover") else None,
        agent=content.get("agent"),
        resolves=content.get("resolves"),
    )
