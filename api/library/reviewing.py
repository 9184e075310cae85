"""Who has read an article through, by name: articles keep accounts, readers want names."""

from sqlalchemy.orm import Session

from api.tables import Account
from knowledge.tables import Article


def reviewer_of(session: Session, article: Article) -> str:
    """The name of the person who reviewed the text as it stands; empty when nobody has."""
    account = session.get(Account, article.reviewed_by) if article.reviewed_by else None
    return account.name if account else article.reviewed_by
