"""A Markdown file as a help article: front matter, else the first heading, else the file's name give it a title."""

import re
from pathlib import PurePosixPath

from knowledge.articles import ArticleText
from knowledge.passages import plain
from knowledge.sources import fields
from knowledge.sources.front_matter import Parted, parted
from knowledge.sources.prose import prose
from knowledge.sources.reading import Unreadable

CAP = 256 * 1024  # bytes

_H1 = re.compile(r" {0,3}#(?:[ \t]+(.*))?$")
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*$")


def read(name: str, text: str) -> ArticleText:
    """The article in the text of a file; `name` is its path inside the folder. Raise Unreadable."""
    parts = parted(text)
    title, body = _title_and_body(name, parts)
    if not body.strip():
        raise Unreadable("has a title but no text", parts.body_line)
    found = fields.Fields(
        title=title,
        body=body,
        kind=parts.text("kind"),
        section=parts.text("section"),
        summary=parts.text("summary"),
        language=parts.text("language"),
        url=parts.text("url"),
        tags=parts.list("tags"),
        wordings=parts.list("wordings"),
        slug=parts.text("slug"),
    )
    return fields.article(name, found, parts.lines)


def title_from(name: str) -> str:
    """A file's name as a title: `reset-your_password.md` gives “Reset your password”."""
    words = " ".join(re.split(r"[-_\s]+", PurePosixPath(name).stem)).strip()
    return words[:1].upper() + words[1:]


def _title_and_body(name: str, parts: Parted) -> tuple[str, str]:
    if "title" in parts.lines:
        return parts.text("title"), parts.body
    lines = parts.body.split("\n")
    before = -1  # the prose line before this one, which an underline would make a heading
    for number, line in prose(parts.body):
        if heading := _H1.match(line):
            return plain((heading[1] or "").strip().rstrip("#")), "\n".join(lines[:number] + lines[number + 1 :])
        if _UNDERLINE.match(line) and before == number - 1 and lines[before].strip():
            return plain(lines[before]), "\n".join(lines[:before] + lines[number + 1 :])
        before = number
    return title_from(name), parts.body
