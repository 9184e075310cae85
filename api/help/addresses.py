"""Where the links in an article lead: to another article's page here, or to a picture that was kept with it."""

from collections.abc import Callable
from urllib.parse import unquote

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.help.rendering import relative_target
from knowledge.tables import Article, Image


def resolver(session: Session, of: Article) -> Callable[[str], str | None]:
    """For an article: a relative link → an address on this server, or None, which leaves the link as it is."""
    names: list[str] | None = None

    def resolve(link: str) -> str | None:
        nonlocal names
        target = relative_target(of.external_id, link)
        if target is None:
            return None
        if names is None:
            names = list(session.scalars(select(Image.name).where(Image.article_id == of.id).order_by(Image.name)))
        written = unquote(link.partition("?")[0].partition("#")[0])
        if written in names:
            return f"/help/{of.slug}/pictures/{names.index(written)}"
        slug = session.scalar(select(Article.slug).where(Article.source == of.source, Article.external_id == target))
        anchor = link.partition("#")[2]
        return f"/help/{slug}" + (f"#{anchor}" if anchor else "") if slug else None

    return resolve
