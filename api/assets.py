"""Files for browsers under an address that changes with their content, compressed once.

A browser may keep them for ever: `/assets/3f2a…/panel/main.js`. Modules import each other by relative
addresses, so all stand under one version, made from everything in the folder. Comments and indentation
of scripts and style sheets stay here: they are a quarter of what a visitor would have to load.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
COMMENT = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*\n|^[ \t]*//[^\n]*\n|/\*\* @\w.*?\*/ ?", re.MULTILINE | re.DOTALL)
INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    zipped: bytes
    media_type: str


@cache
def assets() -> dict[str, Asset]:
    """Every file by its path under static/."""
    files = sorted(file for file in STATIC.rglob("*") if file.suffix in KINDS)
    return {str(file.relative_to(STATIC)): asset(_lean(file), KINDS[file.suffix]) for file in files}


@cache
def version() -> str:
    """The version of all files together."""
    digest = hashlib.sha256()
    for path, found in assets().items():
        digest.update(path.encode() + b"\0" + found.content + b"\0")
    return digest.hexdigest()[:16]


def asset(content: bytes, media_type: str) -> Asset:
    """A file with its compressed form."""
    return Asset(content, gzip.compress(content, 9, mtime=0), media_type)


def address(path: str) -> str:
    """Where a browser gets a file now."""
    return f"/assets/{version()}/{path}"


def _lean(file: Path) -> bytes:
    """A file without its comments and indentation; no string of ours holds what looks like either at the beginning of a line."""
    return INDENTATION.sub("", COMMENT.sub("", file.read_text(encoding="utf-8"))).encode()
