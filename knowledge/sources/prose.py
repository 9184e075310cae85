"""The lines of a Markdown text that are not code: where headings and pictures are looked for."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Number (from 0) and text of each line outside fenced code; the fences themselves are left out too."""
    mark = ""
    for number, line in enumerate(text.split("\n")):
        fence = _FENCE.match(line)
        if mark:
            if line.strip().startswith(mark) and not line.strip().strip(mark[0]):
                mark = ""
        elif fence:
            mark = fence[1]
        else:
            yield number, line
