"""One gate for every kind of file: what a source says about an article becomes an ArticleText, or a reason why not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from knowledge.articles import MAX_SLUG, ArticleText
from knowledge.sources.reading import Unreadable
from knowledge.tables import ArticleKind

MAX_BODY = 256 * 1024  # characters: more than this the sanitiser and the passage cutter do not take
MAX_ID = 300  # these four are the widths of the columns in tables.py
MAX_TITLE = 500
MAX_SECTION = 200
MAX_URL = 2000
MAX_LINE = 2000  # characters of a summary, a wording or a tag: longer ones are a body in the wrong field

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Fields:
    """What a source says about one article, as it was written; an empty value means that it says nothing."""

    title: str
    body: str
    kind: str = ""
    section: str = ""
    summary: str = ""
    language: str = ""
    url: str = ""
    tags: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()
    slug: str = ""


def article(external_id: str, fields: Fields, lines: Mapping[str, int] | None = None) -> ArticleText:
    """The article. Raise Unreadable naming the field, and its line where `lines` knows it."""
    known = lines or {}
    try:
        return _article(external_id, fields)
    except _Wrong as wrong:
        raise Unreadable(f"the {wrong.field} {wrong.reason}", known.get(wrong.field)) from wrong


def language_code(written: str) -> str | None:
    """`en` of `en`, `EN` or `en-US`; None when it is no code of a language."""
    match = _LANGUAGE.fullmatch(written.strip())
    return match[1].lower() if match else None


def is_web_address(url: str) -> bool:
    """Whether this is a whole http or https address, safe to show as a link."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not re.search(r"[\s<>\"\x00-\x1f\x7f]", url)


class _Wrong(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def _article(external_id: str, fields: Fields) -> ArticleText:
    if len(external_id) > MAX_ID:
        raise _Wrong("name", f"is longer than {MAX_ID} characters, folders included")
    return ArticleText(
        external_id=_clean("id", external_id),
        title=_needed("title", _line("title", fields.title, MAX_TITLE)),
        body=_body(fields.body),
        kind=_kind(fields.kind),
        section=_line("section", fields.section, MAX_SECTION),
        summary=_line("summary", fields.summary, MAX_LINE),
        language=_language(fields.language),
        url=_url(fields.url),
        tags=_list("tags", fields.tags),
        wordings=_list("wordings", fields.wordings),
        slug=_slug(fields.slug),
    )


def _clean(field: str, value: str) -> str:
    """The value itself, if every database can hold it."""
    if "\0" in value:
        raise _Wrong(field, "holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _Wrong(field, "holds bytes that are not UTF-8, or half of a character") from error
    return value


def _line(field: str, value: str, limit: int) -> str:
    line = " ".join(_clean(field, value).split())
    if len(line) > limit:
        raise _Wrong(field, f"is longer than {limit} characters")
    return line


def _needed(field: str, value: str) -> str:
    if not value:
        raise _Wrong(field, "is empty")
    return value


def _body(value: str) -> str:
    body = _clean("text", value).replace("\r\n", "\n").replace("\r", "\n").rstrip().lstrip("\n")
    if len(body) > MAX_BODY:
        raise _Wrong("text", f"is longer than {MAX_BODY // 1024} kB")
    return _needed("text", body)


def _kind(value: str) -> ArticleKind:
    if not value.strip():
        return ArticleKind.ARTICLE
    try:
        return ArticleKind(value.strip().lower())
    except ValueError as error:
        raise _Wrong("kind", f"must be one of: {', '.join(ArticleKind)}") from error


def _language(value: str) -> str:
    code = language_code(value) if value.strip() else "en"
    if code is None:
        raise _Wrong("language", "must be a code such as en or de")
    return code


def _url(value: str) -> str | None:
    url = _clean("url", value).strip()
    if url and (len(url) > MAX_URL or not is_web_address(url)):
        raise _Wrong("url", f"must be a whole address that begins with https:// or http://, up to {MAX_URL} characters")
    return url or None


def _slug(value: str) -> str:
    slug = value.strip()
    if slug and (len(slug) > MAX_SLUG or not _SLUG.fullmatch(slug)):
        raise _Wrong("slug", f"may hold only a-z, 0-9 and single hyphens, up to {MAX_SLUG} characters")
    return slug


def _list(field: str, values: Iterable[str]) -> tuple[str, ...]:
    """The values in their order, each once, without empty ones."""
    lines = (_line(field, value, MAX_LINE) for value in values)
    return tuple(dict.fromkeys(line for line in lines if line))
