"""A plain text file as a help article: a short first line with a blank one below is the title, else the file's name."""

from knowledge.articles import ArticleText
from knowledge.sources import fields
from knowledge.sources.markdown import title_from
from knowledge.sources.reading import Unreadable

CAP = 256 * 1024  # bytes
LONGEST_TITLE = 120  # characters: a longer first line is a sentence of the text


def read(name: str, text: str) -> ArticleText:
    """The article in the text of a file; `name` is its path inside the folder. Raise Unreadable."""
    first, _, rest = text.strip().partition("\n")
    is_title = len(first) <= LONGEST_TITLE and rest.startswith("\n")
    title, body = (first, rest) if is_title else (title_from(name), text)
    if not body.strip():
        raise Unreadable("has a title but no text")
    return fields.article(name, fields.Fields(title=title, body=body))
