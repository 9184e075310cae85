"""The chat widget's files and pages: loader, panel, colours, and a page to try it on."""

import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import select

from api import assets, headers
from api.assets import Asset, asset
from api.context import limits_address, service_of
from api.help.theme import theme_of
from api.help.widget import ConfigOut, config_of, later_words, loader_config
from api.pages import PAGES
from knowledge.articles import NoSuchArticle
from knowledge.tables import Article, ArticleKind, ArticleState

router = APIRouter(include_in_schema=False)
limited = APIRouter(include_in_schema=False, dependencies=[Depends(limits_address)])
Locale = Annotated[str, Query(max_length=16)]

CONFIG_MARK = "const CONFIG = {};"
MODULES = ("main", "dom", "words", "bridge", "store", "server", "chat", "home", "search", "conversation", "message", "more")
MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
    '<path fill="{accent}" d="M8 1h1a6 6 0 0 1 0 14H3a2 2 0 0 1-2-2V8a7 7 0 0 1 7-7Z"/></svg>'
)


@router.get("/widget.js")
def loader(request: Request) -> Response:
    """The script that a host page loads; it carries its configuration, so that the page needs no other call."""
    source = assets.assets()["widget.js"].content.decode()
    config = json.dumps(loader_config(service_of(request)), ensure_ascii=False).replace("<", "\\u003c")
    assert CONFIG_MARK in source  # noqa: S101 - the loader and this route belong together
    found = asset(source.replace(CONFIG_MARK, f"const CONFIG = {config};", 1).encode(), assets.KINDS[".js"])
    return _sent(request, found, headers.LOADER)


@router.get("/assets/{version}/{path:path}")
def file(version: str, path: str, request: Request) -> Response:
    """A file of the widget or the help centre; kept for ever under its own version, asked for again under an older one."""
    found = assets.assets().get(path)
    if found is None:
        raise NoSuchArticle("there is no such file")
    return _sent(request, found, {"Cache-Control": assets.FOREVER if version == assets.version() else "no-cache"})


@router.get("/theme.css")
def colours(request: Request) -> Response:
    """The operator's colours."""
    theme = theme_of(service_of(request).settings.api.widget_color)
    return _sent(request, asset(theme.css.encode(), assets.KINDS[".css"]), {"Cache-Control": "public, max-age=300"})


@router.get("/favicon.svg")
def mark(request: Request) -> Response:
    """The mark of these pages in the operator's colour."""
    accent = theme_of(service_of(request).settings.api.widget_color).accent
    found = asset(MARK.format(accent=accent).encode(), assets.KINDS[".svg"])
    return _sent(request, found, {"Cache-Control": "public, max-age=300"})


@limited.get("/widget/config")
def config(request: Request, response: Response, locale: Locale = "en") -> ConfigOut:
    """Words and settings of the panel in a language."""
    response.headers["Cache-Control"] = "no-cache"
    return config_of(service_of(request), locale, request.headers.get("user-agent", ""))


@limited.get("/widget/words")
def more_words(request: Request, response: Response, locale: Locale = "en") -> dict[str, str]:
    """The words of forms and handover, which the panel loads only when it shows them."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return later_words(service_of(request), locale)


@limited.get("/widget/panel")
def panel(request: Request, locale: Locale = "en") -> HTMLResponse:
    """The panel, to stand in a frame on the operator's pages only, or in a window of its own."""
    service = service_of(request)
    found = config_of(service, locale, request.headers.get("user-agent", ""))
    text = PAGES.get_template("panel.html").render(config=found, data=found.model_dump(mode="json"), modules=MODULES, asset=assets.address)
    return HTMLResponse(text, headers=headers.frame(found.origins))


@limited.get("/demo")
def demo(request: Request) -> HTMLResponse:
    """The widget on a page of an invented product, with the line that installs it."""
    settings = service_of(request).settings
    public = settings.api.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    with service_of(request).database.read() as session:
        published = select(Article).where(Article.state == ArticleState.PUBLISHED, Article.kind == ArticleKind.ARTICLE)
        article = session.scalars(published.order_by(Article.title).limit(1)).first()
    values = {"product": settings.assistant.product, "public": public, "article": article, "asset": assets.address}
    return HTMLResponse(PAGES.get_template("demo.html").render(values), headers=headers.DEMO)


router.include_router(limited)


def _sent(request: Request, found: Asset, own: Mapping[str, str]) -> Response:
    """A file, compressed where the browser takes it; nothing but its name when the browser has it already."""
    tag = f'"{hashlib.sha256(found.content).hexdigest()[:32]}"'
    shown = {**headers.ASSET, **own, "ETag": tag, "Vary": "Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=shown)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, media_type=found.media_type, headers={**shown, "Content-Encoding": "gzip"})
    return Response(found.content, media_type=found.media_type, headers=shown)
