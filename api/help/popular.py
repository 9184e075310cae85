"""The FAQs that visitors ask most, counted in the latest replies."""

from collections import Counter

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.tables import Message, Outcome, Turn
from knowledge.tables import Article, ArticleKind, ArticleState

LATEST = 1000  # replies that are counted: enough for ten titles, little enough for a page


def most_asked(session: Session, limit: int) -> list[Article]:
    """Published FAQs, the most asked first; those nobody asked yet follow by title."""
    replies = session.scalars(
        select(Message.content)
        .join(Turn, Turn.reply_id == Message.id)
        .where(Turn.outcome == Outcome.ANSWERED_FAQ)
        .order_by(Message.id.desc())
        .limit(LATEST)
    )
    asked = Counter(source["article_id"] for content in replies for source in content.get("sources", [])[:1])
    faqs = select(Article).where(Article.state == ArticleState.PUBLISHED, Article.kind == ArticleKind.FAQ)
    ranked = list(session.scalars(faqs.where(Article.id.in_([id_ for id_, _ in asked.most_common(limit)]))))
    ranked.sort(key=lambda article: (-asked[article.id], article.title))
    if len(ranked) < limit:
        known = [article.id for article in ranked]
        ranked += session.scalars(faqs.where(Article.id.not_in(known)).order_by(Article.title).limit(limit - len(ranked)))
    return ranked
