"""The entrance: every article in a file or folder, and every reason why something is not one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from knowledge.articles import ArticleText
from knowledge.sources import files, html, markdown, records, text
from knowledge.sources.pictures import pictures_of
from knowledge.sources.reading import Caution, Failure, Reading, Unreadable
from knowledge.sources.walk import HTML, MARKDOWN, Place, walk


def read(path: Path) -> Iterator[Reading]:
    """Articles in a stable order; a Failure for each file or row that gives none, a Caution for each thing left out.

    One bad file never stops the rest, and nothing is raised for what stands in a file.
    """
    for place in walk(path):
        if isinstance(place, Failure | Caution):
            yield place
            continue
        try:
            yield from _readings(place)
        except Unreadable as trouble:
            yield Failure(place.name, trouble.line, trouble.reason)
        except OSError as error:  # the disk failed while a file was read
            yield Failure(place.name, None, f"cannot be read: {files.told(error)}")


def _readings(place: Place) -> Iterator[Reading]:
    if place.suffix in records.SUFFIXES:
        with files.opened_text(place.path, records.CAP) as stream:
            yield from records.read(place.name, stream)
    elif place.suffix in MARKDOWN:
        written = files.decoded(files.content(place.path, markdown.CAP))
        yield from _with_pictures(place, markdown.read(place.name, written), written)
    elif place.suffix in HTML:
        article = html.read(place.name, files.decoded(files.content(place.path, html.CAP), html=True))
        # lines of the converted text are not lines of the page, so none is named
        yield from (replace(r, line=None) if isinstance(r, Caution) else r for r in _with_pictures(place, article, article.body))
    else:
        yield text.read(place.name, files.decoded(files.content(place.path, text.CAP)))


def _with_pictures(place: Place, article: ArticleText, written: str) -> Iterator[ArticleText | Caution]:
    pictures, cautions = pictures_of(place, written)
    yield replace(article, images=pictures)
    yield from cautions
