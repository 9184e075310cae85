"""Links and images of a reply: only links that a cited source has, and no image at all."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from guardrails.drafts import DraftToScreen

POLICY = "links"

IMAGE = re.compile(
    r"!\[[^\]\n]{0,400}\]?\s?[(\[]|<(?:img|picture|svg|iframe|object|embed|video|audio|script|link|style|form)\b", re.IGNORECASE
)
ADDRESS = re.compile(
    r"(?:https?|ftp|data|javascript|vbscript|file|mailto|tel):[^\s<>()\[\]\"']{1,2000}|(?<![\w@.])(?://|www\.)[^\s<>()\[\]\"']{3,2000}"
    r"|(?<![\w@.-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|net|org|io|co|app|dev|info|biz|xyz|top|site|online|shop|club|link|click|ru|cn|de|fr|es|pt|uk|eu|us|ai|me|tk|example)(?:/[^\s<>()\[\]\"']{0,1000})?(?![\w-])",
    re.IGNORECASE,
)


def foreign(draft: DraftToScreen) -> Iterator[str]:
    """Every image, and every address whose full form stands in no cited passage."""
    if IMAGE.search(draft.text):
        yield "holds an image or markup that loads something"
    evidence = {_plain(address) for address in addresses(draft.evidence)} | {_plain(passage.url) for passage in draft.cited if passage.url}
    for address in addresses(draft.written):
        if _plain(address) not in evidence:
            yield f"the address {address[:80]!r} is none of the cited sources'"


def addresses(text: str) -> Iterator[str]:
    """Everything in the text that a browser or mail program would open."""
    for match in ADDRESS.finditer(text):
        yield match.group().rstrip(".,;:!?*_`")


def _plain(address: str) -> str:
    address = address.lower().rstrip("/.,;:!?*_`")
    parts = urlsplit(address) if "://" in address else None
    if parts is None or parts.scheme not in ("http", "https"):
        return address.removeprefix("//").removeprefix("www.")
    return (parts.netloc.removeprefix("www.") + address.split(parts.netloc, 1)[1]).rstrip("/")
