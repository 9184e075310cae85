"""The pictures an article shows, taken from beside it: inside the folder, of a known kind, and not too big."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from knowledge.articles import Picture
from knowledge.sources import files
from knowledge.sources.prose import prose
from knowledge.sources.reading import Caution, Unreadable
from knowledge.sources.walk import Place, inside

CAP = 2 * 1024 * 1024  # bytes of one picture
MOST = 50  # pictures of one article, so that 100 MB is the most it can hold in memory
LONGEST_NAME = 300  # characters: the width of the column

# Every pattern is linear: what may repeat cannot match what follows it.
_INLINE = re.compile(r"!\[[^\[\]]*\]\([ \t]*(?:<([^<>\n]*)>|((?:[^()\s<>]|\([^()\s<>]*\))+))")
_DEFINED = re.compile(r" {0,3}\[[^\[\]]+\]:[ \t]*<?([^\s<>]+\.(?:png|jpe?g|webp|gif))>?", re.IGNORECASE)
_TAG = re.compile(r"""<img\b[^<>]*?\bsrc[ \t]*=[ \t]*(?:"([^"<>]*)"|'([^'<>]*)')""", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#")


def pictures_of(place: Place, text: str) -> tuple[tuple[Picture, ...], list[Caution]]:
    """The pictures that the Markdown of a file shows, and what is wrong with the others.

    A picture's name is what the article writes for it, with %20 and the like as characters and without ?… and #….
    """
    taken: dict[str, Picture] = {}
    cautions: list[Caution] = []
    named: set[str] = set()
    for line, source in _sources(text):
        name = unquote(re.split(r"[?#]", source)[0])
        if not name or name in named:
            continue
        named.add(name)
        if len(taken) >= MOST:
            cautions.append(Caution(place.name, line, f"more than {MOST} pictures; the others were left out"))
            break
        try:
            taken[name] = _picture(place, name)
        except Unreadable as trouble:
            cautions.append(Caution(place.name, line, f"the picture {ascii(name)[1:-1][:100]} was left out: {trouble.reason}"))
    return tuple(taken.values()), cautions


def _sources(text: str) -> Iterator[tuple[int, str]]:
    """Line (from 1) and address of each picture that is not elsewhere on the web."""
    for number, line in prose(text):
        found = [m[1] or m[2] or "" for m in _INLINE.finditer(line)] + [m[1] or m[2] or "" for m in _TAG.finditer(line)]
        if defined := _DEFINED.match(line):
            found.append(defined[1])
        yield from ((number + 1, source) for source in found if not _ADDRESS.match(source))


def _picture(place: Place, name: str) -> Picture:
    if len(name) > LONGEST_NAME or "\0" in name:
        raise Unreadable("its name is too long or holds a NUL character")
    base = place.root / Path(place.name).parent
    try:
        path = (place.root / name.lstrip("/") if name.startswith("/") else base / name).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise Unreadable(files.told(error)) from error
    if not inside(path, place.root):
        raise Unreadable("it stands outside the folder")
    content = files.content(path, CAP)
    media_type = _media_type(content)
    if media_type is None:
        raise Unreadable("it is no PNG, JPEG, WebP or GIF picture")
    return Picture(name, media_type, content)


def _media_type(content: bytes) -> str | None:
    """What the first bytes say a picture is, whatever its name says."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None
