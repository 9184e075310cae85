"""What a long message asks, in few words: greetings and thanks off, and of several sentences those that ask or complain."""

import re

from knowledge.support import split

LONG = 40  # words from which only the telling sentences are kept
MOST = 2  # sentences of a long message that are kept

_GREETING = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|moin|servus|liebes?"
    r"|sehr geehrte[rs]?|bonjour|bonsoir|salut|ch[eè]re?s?|hola|buen[oa]s (?:d[ií]as|tardes|noches)|estimad[oa]s?|ol[aá]|bom dia"
    r"|boa (?:tarde|noite)|prezad[oa]s?)"
    r"(?:\s+(?:there|all|team|everyone|everybody|support|zusammen|ihr|à tous|a todos|[A-ZÀ-Þ][\w'’-]*)){0,4}\s*[,!.:–-]+\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:^|(?<=[.!?\n]))\s*(?:(?:many |kind |best |warm )?(?:thanks|thank you|thx|regards|wishes|cheers|sincerely)"
    r"|(?:vielen |danke|liebe |viele |mit freundlichen )\s*(?:dank|grüße[n]?)?|merci|cordialement|gracias|saludos|obrigad[oa]"
    r"|cumprimentos|please help|any help\b)[^?\n]{0,80}$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\?|^(?:how|what|why|where|when|which|who|can|could|do|does|is|are|will|would|should|may|i (?:can'?t|cannot|need|want))\b",
    re.IGNORECASE,
)


def gist(text: str) -> str:
    """The question of a message; the message itself where it is short."""
    bare = _CLOSING.sub("", _GREETING.sub("", text.strip())).strip() or text.strip()
    if len(bare.split()) <= LONG:
        return " ".join(bare.split())
    sentences = split(bare)
    asking = [sentence for sentence in sentences if _ASKS.search(sentence)]
    return " ".join((asking or sentences)[:MOST])
