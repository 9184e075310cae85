"""What can go wrong in the library beside the errors of articles and suggestions themselves."""

from knowledge.tables import Article


class StaleArticle(Exception):
    """Somebody changed the article since it was read; `article` is how it stands now."""

    def __init__(self, article: Article) -> None:
        """`article`: the newer one."""
        super().__init__(f"“{article.title}” is at revision {article.revision} now; read it and save again")
        self.article = article


class NoSuchGroup(LookupError):
    """No group has that id."""


class MergeItself(ValueError):
    """A suggestion can be merged into one article or into one other suggestion."""
