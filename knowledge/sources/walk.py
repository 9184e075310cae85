"""Which files of a folder may hold articles: in a stable order, hidden ones and links that lead out left aside."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from knowledge.sources import records
from knowledge.sources.files import told
from knowledge.sources.reading import Caution, Failure

MARKDOWN = frozenset({".md", ".markdown"})
HTML = frozenset({".html", ".htm"})
TEXT = frozenset({".txt", ".text"})
READABLE = MARKDOWN | HTML | TEXT | records.SUFFIXES
_NOT_YET = frozenset({".pdf", ".docx", ".doc", ".odt", ".rtf", ".xlsx", ".xls", ".pptx", ".rst", ".adoc"})


@dataclass(frozen=True)
class Place:
    """A file to read: where it truly is, its name inside the folder, and the folder, which nothing may leave."""

    path: Path
    name: str
    root: Path

    @property
    def suffix(self) -> str:
        """The ending of the name, in lower case."""
        return Path(self.name).suffix.lower()


def walk(path: Path) -> Iterator[Place | Failure | Caution]:
    """The readable files of a folder, or the one file; what is in the way is told, and the walk goes on."""
    try:
        root = path.resolve(strict=True)
        is_folder = root.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        yield Failure(shown(path.name or str(path)), None, f"cannot be opened: {told(error)}")
        return
    if is_folder:
        yield from _folder(root, "", root)
    elif Path(path.name).suffix.lower() not in READABLE:
        yield Failure(shown(path.name), None, f"is of no kind that can be read; known are {', '.join(sorted(READABLE))}")
    else:
        yield Place(root, path.name, root.parent)


def inside(path: Path, root: Path) -> bool:
    """Whether a resolved path stands in the folder and no part of it below the folder is hidden."""
    return path.is_relative_to(root) and not any(part.startswith(".") for part in path.relative_to(root).parts)


def shown(name: str) -> str:
    """A file's name as it may be printed: bytes that are no text and control characters are written as codes."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _folder(folder: Path, prefix: str, root: Path) -> Iterator[Place | Failure | Caution]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield Failure(prefix.rstrip("/") or ".", None, f"the folder cannot be read: {told(error)}")
        return
    for entry in entries:
        name = prefix + entry.name
        try:
            if not entry.name.startswith("."):
                yield from _entry(entry, name, root)
        except OSError as error:
            yield Failure(shown(name), None, f"cannot be looked at: {told(error)}")


def _entry(entry: os.DirEntry[str], name: str, root: Path) -> Iterator[Place | Failure | Caution]:
    path = Path(entry.path)
    if shown(entry.name) != entry.name:
        yield Failure(shown(name), None, "its name holds control characters or is not UTF-8")
    elif entry.is_symlink():
        yield from _link(path, name, root)
    elif entry.is_dir(follow_symlinks=False) and path.suffix.lower() not in READABLE:
        yield from _folder(path, name + "/", root)
    else:
        yield from _file(path, name, root)


def _link(path: Path, name: str, root: Path) -> Iterator[Place | Failure | Caution]:
    """A link is followed to a file inside the folder; folders are read where they stand."""
    is_readable = Path(name).suffix.lower() in READABLE
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        if is_readable:
            yield Caution(name, None, f"is a link that leads nowhere: {told(error)}")
        return
    if target.is_dir():
        yield Caution(name, None, "is a link to a folder; it was not followed")
    elif inside(target, root):
        yield from _file(target, name, root)
    elif is_readable:
        yield Caution(name, None, "is a link that leads out of the folder or to a hidden file; it was not followed")


def _file(path: Path, name: str, root: Path) -> Iterator[Place | Failure | Caution]:
    suffix = Path(name).suffix.lower()
    if suffix in _NOT_YET:
        yield Caution(name, None, f"{suffix} files cannot be read yet")
    if suffix not in READABLE:
        return
    if path.is_file():
        yield Place(path, name, root)
    else:
        yield Failure(name, None, "is a folder, although its name ends like an article's" if path.is_dir() else "is not a regular file")
