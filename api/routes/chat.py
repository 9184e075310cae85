"""The visitor's side over HTTP: start a conversation, ask, read, rate, search."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy import select

from api import identity
from api.bootstrap import Service, new_secret
from api.context import limits, limits_address, service_of
from api.errors import told
from api.messages import verifying
from api.shapes import (
    FeedbackIn,
    FoundOut,
    MessageIn,
    MessageOut,
    MessagesOut,
    RunningOut,
    SearchOut,
    StartIn,
    StartOut,
    message_out,
    problems,
)
from assistant import conversation
from assistant.conversation import Incoming, StillRunning
from assistant.tables import ConversationId, Holder
from assistant.turn import Step, take_turn
from guardrails.checks.personal_data import redact_secrets
from knowledge.tables import Article, ArticleState

router = APIRouter(prefix="/api", tags=["visitor"], dependencies=[Depends(limits_address)])
PING_SECONDS = 15
MAX_FOUND = 8
MAX_ID = 2**31 - 1  # what Postgres keeps in an integer
MANY = [400, 413, 422, 429, 503]


@router.post("/conversations", status_code=201, responses=problems(415, *MANY))
def start_conversation(body: StartIn, request: Request) -> StartOut:
    """Start a conversation; its secret is the only key to it."""
    service = service_of(request)
    limits(request).conversations.take(identity.address(request, service.settings.api.proxies))
    secret = new_secret()
    with service.database.write() as session:
        started = conversation.start(session, secret=secret, locale=body.locale, new_id=service.new_id, now=service.now())
        started.details = {"zone": body.zone} if body.zone else {}
        notice = conversation.notice(session, started, service.settings.assistant.product, now=service.now())
        return StartOut(id=started.id, secret=secret, messages=[message_out(notice)])


@router.post(
    "/conversations/{conversation_id}/messages",
    responses={
        200: {
            "content": {"text/event-stream": {}},
            "description": "The reply; as server-sent events `step`, then `reply`, where they are accepted",
        },
        202: {"model": RunningOut},
        **problems(401, 404, 409, 415, *MANY),
    },
    response_model=MessageOut,
)
async def post_message(conversation_id: str, body: MessageIn, request: Request) -> Response:
    """Send a message and get the reply. The same id and text again gives the same reply."""
    service = service_of(request)
    incoming = await anyio.to_thread.run_sync(_admit, request, service, conversation_id, body)
    if "text/event-stream" in request.headers.get("accept", ""):
        stream = _progress(request, ConversationId(conversation_id), incoming)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})
    turn = await anyio.to_thread.run_sync(
        lambda: take_turn(service.assistant, ConversationId(conversation_id), incoming, now=service.now())
    )
    await anyio.to_thread.run_sync(verifying.ask_after, request, conversation_id, incoming, turn)
    if isinstance(turn, StillRunning):
        return JSONResponse(RunningOut().model_dump(), 202, headers={"Retry-After": "1"})
    return JSONResponse(message_out(turn).model_dump(mode="json"))


@router.get("/conversations/{conversation_id}/messages", responses=problems(401, 404, 422, 429, 503))
def read_messages(
    conversation_id: str,
    request: Request,
    after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> MessagesOut:
    """The conversation's messages after an id."""
    with service_of(request).database.read() as session:
        found = identity.visitor(session, request, conversation_id)
        return MessagesOut(messages=[message_out(m) for m in conversation.messages_after(session, found.id, after, limit)])


@router.post("/conversations/{conversation_id}/messages/{message_id}/feedback", status_code=204, responses=problems(401, 404, 415, *MANY))
def rate_reply(conversation_id: str, message_id: Annotated[int, Path(ge=1, le=MAX_ID)], body: FeedbackIn, request: Request) -> None:
    """A thumb up or down on a reply, with a reason; the last one counts."""
    service = service_of(request)
    reason = redact_secrets(body.reason).text
    with service.database.write() as session:
        found = identity.visitor(session, request, conversation_id)
        conversation.rate(session, found.id, message_id, helpful=body.helpful, reason=reason, now=service.now())


@router.get("/search", responses=problems(422, 429, 503))
def search(request: Request, q: Annotated[str, Query(max_length=200)]) -> SearchOut:
    """Articles that may help, as somebody types."""
    service = service_of(request)
    words = q.encode("utf-8", "replace").decode().replace("\x00", "").strip()
    if not words:
        return SearchOut(articles=[])
    found = service.library.find(words, service.assistant.embed([words]), limit=2 * MAX_FOUND)
    with service.database.read() as session:
        pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        live = Article.state == ArticleState.PUBLISHED
        typed = session.scalars(
            select(Article).where(live, Article.title.ilike(pattern, escape="\\")).order_by(Article.title).limit(MAX_FOUND)
        )
        by_id = {article.id: article for article in typed}
        begun = set(by_id)
        ranked = list(dict.fromkeys(hit.article_id for hit in found.passages))
        by_id |= {a.id: a for a in session.scalars(select(Article).where(live, Article.id.in_(ranked)))}
    # a title that holds what was typed comes first: half a word means nothing to the search
    order = sorted(by_id, key=lambda id_: (id_ not in begun, ranked.index(id_) if id_ in ranked else len(ranked)))
    return SearchOut(articles=[_found(service, by_id[id_]) for id_ in order[:MAX_FOUND]])


def _admit(request: Request, service: Service, conversation_id: str, body: MessageIn) -> Incoming:
    """Who is it, how long, how often; and from here on secrets are placeholders."""
    with service.database.read() as session:
        found = identity.visitor(session, request, conversation_id)
    if not service.settings.api.assistant_on and found.holder != Holder.PERSON:
        raise HTTPException(409, "the assistant is switched off here; use the contact form")
    limits(request).messages.take(found.id)
    most = service.settings.api.message_characters
    if len(body.text) > most:
        raise conversation.TooLong(f"a message may have at most {most} characters; this one has {len(body.text)}")
    return Incoming(redact_secrets(body.text).text, body.client_message_id, body.choice)


def _found(service: Service, article: Article) -> FoundOut:
    return FoundOut(
        article_id=article.id,
        title=article.title,
        section=article.section,
        kind=article.kind,
        url=article.url or service.assistant.link(article.slug, ""),
    )


async def _progress(request: Request, conversation_id: ConversationId, incoming: Incoming) -> AsyncIterator[str]:
    """Server-sent events: steps as they happen, then the checked reply, or the problem.

    The turn runs in a thread of its own and ends even when nobody listens any more.
    """
    service = service_of(request)
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()

    def tell(event: tuple[str, Any] | None) -> None:
        loop.call_soon_threadsafe(events.put_nowait, event)

    def run() -> None:
        try:
            turn = take_turn(
                service.assistant, conversation_id, incoming, now=service.now(), progress=lambda step: tell(("step", {"step": step}))
            )
            tell(("running", {}) if isinstance(turn, StillRunning) else ("reply", message_out(turn).model_dump(mode="json")))
            verifying.ask_after(request, conversation_id, incoming, turn)
        except Exception as error:  # noqa: BLE001 - the stream has begun, so a problem must travel inside it
            tell(("problem", json.loads(bytes(told(request, error).body))))
        finally:
            tell(None)

    threading.Thread(target=run, name="turn", daemon=True).start()
    yield f"event: step\ndata: {json.dumps({'step': Step.RECEIVED})}\n\n"
    while True:
        try:
            event = await asyncio.wait_for(events.get(), PING_SECONDS)
        except TimeoutError:
            yield ": still here\n\n"
            continue
        if event is None:
            return
        name, data = event
        if data != {"step": Step.RECEIVED}:
            yield f"event: {name}\ndata: {json.dumps(data, ensure_ascii=True)}\n\n"
