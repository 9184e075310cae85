"""A text as readers would see it, before it is published: the help centre's own page, and the widget's own article view.

Both are whole documents for frames of the editor (`srcdoc`), made by the same templates, style sheets and scripts that visitors get.
"""

from datetime import datetime

from fastapi import Request
from sqlalchemy.orm import Session

from api import assets
from api.context import service_of
from api.help.addresses import resolver
from api.help.rendering import article_html
from api.help.widget import config_of, later_words
from api.library.shelf import HERE
from api.pages import PAGES
from api.routes import help as help_pages
from api.routes.panel import panel_article
from assistant.wording import shipped
from knowledge.articles import ArticleText, slugify
from knowledge.tables import Article, ArticleState


def draft(text: ArticleText, known: Article | None, now: datetime) -> Article:
    """The article that a text would be, in no session."""
    return Article(
        id=known.id if known else "",
        source=known.source if known else HERE,
        external_id=text.external_id,
        slug=known.slug if known else slugify(text.title) or "new",
        state=ArticleState.PUBLISHED,
        kind=text.kind,
        title=text.title,
        body=text.body,
        section=text.section,
        summary=text.summary,
        language=text.language,
        url=text.url,
        tags=list(text.tags),
        wordings=list(text.wordings),
        ai_generated=text.ai_generated,
        reviewed_by="",
        reviewed_at=now,
        revision=known.revision if known else 0,
        created_at=known.created_at if known else now,
        updated_at=now,
    )


def html_of(session: Session, shown: Article) -> str:
    """The text alone, as safe HTML."""
    return article_html(shown.body, resolver(session, shown), title=shown.title)


def help_page(request: Request, session: Session, shown: Article, reviewer: str) -> str:
    """The page of the help centre."""
    values = help_pages.article_values(request, session, shown, reviewer)
    return bytes(help_pages.page(request, "help/article.html", language=shipped(shown.language), preview=True, **values).body).decode()


def panel_page(request: Request, session: Session, shown: Article) -> str:
    """The article in the widget's panel. Its script draws it there, and so here."""
    service = service_of(request)
    config = config_of(service, shown.language)
    words = {**config.words, **later_words(service, shown.language)}
    article = panel_article(session, request, shown).model_dump(mode="json")
    data = {"words": words, "language": config.language, "article": article}
    return PAGES.get_template("library/panel_preview.html").render(config=config, data=data, asset=assets.address)
