"""What reading a source gives besides articles: the file or row that could not be read, and what was left out."""

from dataclasses import dataclass
from typing import TypeAlias

from knowledge.articles import ArticleText


@dataclass(frozen=True)
class Failure:
    """A file, or one row of it, that gave no article; `file` is its path inside the folder, `line` counts from 1."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return _sentence(self.file, self.line, self.reason)


@dataclass(frozen=True)
class Caution:
    """Something was left out, but nothing failed because of it: a picture, a link, a column."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return _sentence(self.file, self.line, self.reason)


Reading: TypeAlias = ArticleText | Failure | Caution


class Unreadable(Exception):
    """Why a file or row gives no article; whoever knows the file turns it into a Failure."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def _sentence(file: str, line: int | None, reason: str) -> str:
    place = file if line is None else f"{file}, line {line}"
    return f"{place}: {reason}"
