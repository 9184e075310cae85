"""Bytes and text of a file that nobody vouched for: regular files only, up to a cap, in an encoding we can name."""

import codecs
import io
import os
import re
import stat
from pathlib import Path

from knowledge.sources.reading import Unreadable

_DECLARED = re.compile(rb"""<meta[^<>]{0,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE)
_OLD_ENCODING = re.compile(r"iso-8859-\d{1,2}|windows-125\d|koi8-[ru]|shift_jis|euc-jp|euc-kr|gb2312|gbk|gb18030|big5", re.IGNORECASE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def opened(path: Path, cap: int) -> io.BufferedReader:
    """The regular file, open for reading. Raise Unreadable when it is none, may not be read, is empty or exceeds the cap."""
    try:
        # NONBLOCK: opening a named pipe must not wait for a writer. NOFOLLOW: the path was resolved before.
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be opened: {told(error)}") from error
    stream = os.fdopen(number, "rb") if stat.S_ISREG(os.fstat(number).st_mode) else None
    if stream is None:
        os.close(number)
        raise Unreadable("is not a regular file")
    size = os.fstat(number).st_size
    if size == 0 or size > cap:
        stream.close()
        raise Unreadable("is empty" if size == 0 else f"is larger than {shown(cap)}")
    return stream


def opened_text(path: Path, cap: int) -> io.TextIOWrapper:
    """The file as text, to be read in parts. Raise Unreadable as `opened` does.

    Bytes that are not UTF-8 become lone surrogates, so that only the row they stand in need fail.
    """
    stream = opened(path, cap)
    return io.TextIOWrapper(stream, encoding=_encoding(stream.peek(4)), errors="surrogateescape", newline="")


def content(path: Path, cap: int) -> bytes:
    """All bytes of the file. Raise Unreadable as `opened` does."""
    with opened(path, cap) as stream:
        try:
            read = stream.read(cap + 1)
        except OSError as error:
            raise Unreadable(f"cannot be read: {told(error)}") from error
    if len(read) > cap:
        raise Unreadable(f"is larger than {shown(cap)}")
    return read


def decoded(raw: bytes, *, html: bool = False) -> str:
    r"""The text, lines ending in \\n. Raise Unreadable for bytes that are no text; a page may declare an older encoding."""
    try:
        text = raw.decode(_encoding(raw))
    except UnicodeDecodeError as error:
        declared = _DECLARED.search(raw[:2048]) if html else None
        name = declared[1].decode("ascii") if declared else ""
        if not _OLD_ENCODING.fullmatch(name):
            line = raw[: error.start].count(b"\n") + 1
            raise Unreadable("holds bytes that are not UTF-8; save the file as UTF-8", line) from error
        text = raw.decode(name, "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise Unreadable("holds a NUL character", text[: text.index("\0")].count("\n") + 1)
    if not text.strip():
        raise Unreadable("is empty")
    return text


def told(error: Exception) -> str:
    """What the system says about a file, in lower case and without the path."""
    return (getattr(error, "strerror", None) or str(error) or "unknown error").lower()


def shown(size: int) -> str:
    """A size as an operator would write it."""
    return f"{size // (1024 * 1024)} MB" if size >= 1024 * 1024 else f"{size // 1024} kB"


def _encoding(start: bytes) -> str:
    """UTF-16 where the first bytes say so, else UTF-8 with or without its mark."""
    return "utf-16" if start.startswith(_UTF16) else "utf-8-sig"
