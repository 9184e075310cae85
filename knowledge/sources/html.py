"""An HTML page as a help article; the page is parsed in a child process, because pages can be built to exhaust a parser."""

import json
import subprocess
import sys
from pathlib import Path

from knowledge.articles import ArticleText
from knowledge.sources import fields
from knowledge.sources.markdown import title_from
from knowledge.sources.reading import Unreadable

CAP = 2 * 1024 * 1024  # bytes
TIME_OUT = 20.0  # seconds on the clock; the child allows itself 8 of CPU, a real page takes 0.1

_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from knowledge.sources.page import main; main()"


def read(name: str, text: str) -> ArticleText:
    """The article on the page; `name` is its path inside the folder. Raise Unreadable."""
    page = _converted(text)
    body = page["body"]
    if not body.strip():
        raise Unreadable("holds no text besides menus and headings")
    found = fields.Fields(
        title=page["title"] or title_from(name),
        body=body,
        summary=page["summary"] if len(page["summary"]) <= fields.MAX_LINE else "",
        language=fields.language_code(page["language"]) or "",
        url=page["url"] if fields.is_web_address(page["url"]) and len(page["url"]) <= fields.MAX_URL else "",
    )
    return fields.article(name, found)


def _converted(text: str) -> dict[str, str]:
    """What page.py finds on the page. Raise Unreadable when it refuses or exceeds its limits."""
    home = Path(__file__).parents[2]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter on our own text
            [sys.executable, "-I", "-c", _PROGRAM, str(home)],
            input=text.encode("utf-8"),
            capture_output=True,
            timeout=TIME_OUT,
            check=False,
            env={},  # no secret of ours goes where a hostile page is parsed
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"took longer than {TIME_OUT:.0f} seconds to read") from error
    if done.returncode != 0:
        raise Unreadable("took more time or memory than a page may take")
    page: dict[str, str] = json.loads(done.stdout)
    if "error" in page:
        raise Unreadable(page["error"])
    return page
