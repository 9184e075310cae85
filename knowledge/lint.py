"""The house style of a help article: what a reader can rely on in each of them, with the line where one departs from it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from knowledge.articles import ArticleText
from knowledge.outline import Link, Outline, outline
from knowledge.sources import files, markdown
from knowledge.sources.fields import language_code
from knowledge.sources.front_matter import Parted, parted
from knowledge.sources.reading import Failure, Unreadable
from knowledge.sources.walk import MARKDOWN, Place, inside, walk
from knowledge.tables import ArticleKind

LONGEST_TITLE = 80  # characters: what a search result and a browser tab show
REFERENCE = "reference"
NOT_FOR_FAQS = frozenset({"front-matter", "whats-next"})  # a FAQ stands for itself
LONGEST_PARAGRAPH = 120  # words: about eight lines on a phone

_PROMISE = re.compile(
    r"\b(?:in|on|with) this (?:article|guide|page|tutorial)\b"
    r"|\bthis (?:article|guide|page|tutorial) \w+"
    r"|\byou(?:'ll| will| can| learn| find out)\b"
    r"|\bby the end\b|\bfollow (?:these|the) steps\b|\bhere(?:'s| is) how\b|\bhow to\b|\blearn (?:how|what|to)\b",
)
_NEXT = re.compile(r"(?:what's|what is|what comes) next\??|next steps")
_ELSEWHERE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|#")


@dataclass(frozen=True)
class Complaint:
    """One departure from the house style; `file` is the path inside the folder."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class _Sheet:
    """One article as the rules see it."""

    parts: Parted
    outline: Outline
    broken: Callable[[Link], str]

    @property
    def is_faq(self) -> bool:
        return self.parts.values.get("kind") == "faq"

    @property
    def is_english(self) -> bool:
        return language_code(str(self.parts.values.get("language") or "en")) == "en"

    @property
    def first_line(self) -> int:
        """The line the body's text begins on."""
        lines = self.parts.body.split("\n")
        return self.parts.body_line + next((n for n, line in enumerate(lines) if line.strip()), 0)


def lint(path: Path) -> list[Complaint]:
    """Every complaint about the Markdown articles of a folder, or about one, in the order of files and lines."""
    complaints: list[Complaint] = []
    titles: dict[str, str] = {}  # title → the first file that has it
    for place in walk(path):
        if isinstance(place, Failure):
            complaints.append(Complaint(place.file, place.line or 1, "unreadable", place.reason))
        elif isinstance(place, Place) and place.suffix in MARKDOWN:
            complaints.extend(_complaints(place, titles))
    return complaints


def lint_text(text: ArticleText, leads: Callable[[str], bool] = lambda _: True) -> list[Complaint]:
    """Complaints about a text that stands in no file, by line of its body; line 0 is its title, section or summary.

    `leads` says whether a relative link leads somewhere. An article with the tag `reference` needs no steps.
    """
    values = {"title": text.title, "section": text.section, "summary": text.summary, "kind": str(text.kind), "language": text.language}
    if REFERENCE in text.tags:
        values["style"] = REFERENCE
    parts = Parted(text.body, 1, values, dict.fromkeys(values, 0))
    sheet = _Sheet(parts, outline(text.body), lambda link: "" if leads(link.target) else "leads nowhere")
    rules = [rule for rule in _RULES if not (text.kind == ArticleKind.FAQ and rule in NOT_FOR_FAQS)]
    found = [
        Complaint("", line, rule, message.replace("the front matter has", "there is"))
        for rule in rules
        for line, message in _RULES[rule](sheet)
    ]
    return sorted(found, key=lambda complaint: complaint.line)


def _complaints(place: Place, titles: dict[str, str]) -> list[Complaint]:
    try:
        sheet = _sheet(place)
    except Unreadable as trouble:
        return [Complaint(place.name, trouble.line or 1, "unreadable", trouble.reason)]
    found = [Complaint(place.name, line, rule, message) for rule, check in _RULES.items() for line, message in check(sheet)]
    title = " ".join(sheet.parts.text("title").casefold().split())
    if title and (first := titles.setdefault(title, place.name)) != place.name:
        found.append(Complaint(place.name, sheet.parts.lines["title"], "title-unique", f"{first} has the same title"))
    return sorted(found, key=lambda complaint: complaint.line)


def _sheet(place: Place) -> _Sheet:
    """The article taken apart. Raise Unreadable where reading it as an article does."""
    text = files.decoded(files.content(place.path, markdown.CAP))
    markdown.read(place.name, text)
    parts = parted(text)
    return _Sheet(parts, outline(parts.body, parts.body_line), partial(_broken, place))


def _front_matter(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    for key in ("title", "section", "summary"):
        if not str(sheet.parts.values.get(key, "")).strip():
            yield sheet.parts.lines.get(key, 1), f"the front matter has no {key}"


def _title_length(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    length = len(sheet.parts.text("title"))
    if length > LONGEST_TITLE:
        yield sheet.parts.lines["title"], f"the title has {length} characters; {LONGEST_TITLE} are the most"


def _opening(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    """A FAQ begins with its answer; phrases of other languages are not known here."""
    if sheet.is_faq:
        return
    if not sheet.outline.begins_with_paragraph:
        yield sheet.first_line, "begin with a paragraph that says what the reader will achieve"
    elif sheet.is_english and not _PROMISE.search(sheet.outline.paragraphs[0].text.casefold().replace("\u2019", "'")):
        yield sheet.outline.paragraphs[0].line, "the first paragraph does not say what the reader will achieve (“You will …”)"


def _steps(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    excused = sheet.is_faq or sheet.parts.values.get("style") == "reference"
    if not excused and not sheet.outline.has_numbered_list:
        yield sheet.first_line, "there are no numbered steps; an article without any says “style: reference” in its front matter"


def _whats_next(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    """The last heading is “What's next”, and a link follows it."""
    last = sheet.outline.headings[-1] if sheet.outline.headings else None
    if last is None or (sheet.is_english and not _NEXT.fullmatch(last.text.strip().casefold().replace("\u2019", "'"))):
        end = sheet.parts.body_line + sheet.parts.body.rstrip().count("\n")
        yield last.line if last else end, "the last heading must be “What's next”"
    elif not any(link.place > last.place and not link.is_picture for link in sheet.outline.links):
        yield last.line, f"no link follows “{last.text}”"


def _links(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    for link in sheet.outline.links:
        if link.target and not _ELSEWHERE.match(link.target) and (reason := sheet.broken(link)):
            yield link.line, f"the {'picture' if link.is_picture else 'link'} {unquote(link.target)} {reason}"


def _broken(place: Place, link: Link) -> str:
    """Why a relative link leads to no file; empty when it does."""
    name = unquote(re.split(r"[?#]", link.target)[0])
    base = place.root if name.startswith("/") else place.root / Path(place.name).parent
    try:
        path = (base / name.lstrip("/")).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return "leads to no file"
    if not inside(path, place.root):
        return "leads out of the folder"
    return "" if path.is_file() else "leads to a folder, not to a file"


def _alt_text(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    for link in sheet.outline.links:
        if link.is_picture and not link.is_described:
            yield link.line, "the picture has no text for those who cannot see it: ![what it shows](…)"


def _no_h1(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    for heading in sheet.outline.headings:
        if heading.level == 1:
            yield heading.line, "the title is the only heading of level 1; use ## here"


def _heading_levels(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    above = 1  # the title
    for heading in sheet.outline.headings:
        if heading.level > above + 1:
            yield heading.line, f"a heading of level {heading.level} stands under one of level {above}; no level may be skipped"
        above = heading.level


def _paragraph_length(sheet: _Sheet) -> Iterator[tuple[int, str]]:
    for paragraph in sheet.outline.paragraphs:
        words = len(paragraph.text.split())
        if words > LONGEST_PARAGRAPH:
            yield paragraph.line, f"the paragraph has {words} words; {LONGEST_PARAGRAPH} are the most"


_RULES: dict[str, Callable[[_Sheet], Iterator[tuple[int, str]]]] = {
    "front-matter": _front_matter,
    "title-length": _title_length,
    "opening": _opening,
    "steps": _steps,
    "whats-next": _whats_next,
    "broken-link": _links,
    "alt-text": _alt_text,
    "no-h1": _no_h1,
    "heading-levels": _heading_levels,
    "paragraph-length": _paragraph_length,
}
