"""Attempts to steer the assistant, found in what a text says once its disguise is taken off."""

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator

MAX_DECODED = 2000  # characters of a decoded payload that are looked at
MAX_PAYLOADS = 3  # decoded payloads of one text that are looked at

# Letters of other scripts that look like Latin ones (Unicode TR 39, the ones found in attacks).
CONFUSABLES = str.maketrans(
    "аеорсухіјѕһԁԛԝѵкмнтвАВЕКМНОРСТХІЈЅԌαεορνικτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧɡɩıⅼ",
    "aeopcyxijshdqwvkmhtbABEKMHOPCTXIJSGaeopvikTuxABEZHIKMNOPTYXgiil",
)
INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
TAGS = re.compile("[\U000e0020-\U000e007e]+")
SPACED = re.compile(r"(?<![^\W\d_])(?:[^\W\d_][ .*_-]){4,200}[^\W\d_](?![^\W\d_])")
LEET = str.maketrans("0134578@$!|", "oieastbasil")
LEET_WORD = re.compile(r"(?<!\S)(?=\S{0,20}[A-Za-z])(?=\S{0,20}[0134578@$!|])[A-Za-z0134578@$!|]{3,20}(?![^\s.,;:?!])")
BASE64 = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{16,4000}={0,2}(?![\w+/=])")
HEX = re.compile(r"(?<![\w])(?:0x)?(?:[0-9A-Fa-f]{2}[ :,]?){8,2000}(?!\w)")
PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}[A-Za-z0-9._-]{0,20}){4,400}")
WORDS = frozenset(
    [
        "the",
        "you",
        "your",
        "all",
        "and",
        "ignore",
        "instructions",
        "previous",
        "prompt",
        "system",
        "reveal",
        "show",
        "me",
        "tell",
        "rules",
        "now",
        "are",
        "is",
        "what",
        "of",
        "to",
        "in",
        "forget",
        "print",
        "act",
        "as",
        "secret",
        "password",
        "hidden",
        "du",
        "deine",
        "alle",
        "und",
        "ist",
        "die",
        "der",
        "ignoriere",
        "anweisungen",
        "vos",
        "les",
        "et",
        "ignore",
        "tu",
        "tes",
        "toutes",
        "instrucciones",
        "las",
        "todas",
        "tus",
        "suas",
        "todas",
        "as",
        "instruções",
    ]
)
MIN_SHARE = 0.25  # of the words of a decoded text must be common ones, else it is noise

# Linear by construction: bounded gaps, no nested repetition. Each alone suffices, so each is narrow.
_RULES = (
    # English
    (
        r"\b(?:ignore|disregard|forget|override|bypass|drop|discard|neglect)\b[^.?!\n]{0,30}\b(?:previous|prior|above|earlier|preceding|existing|original|initial|all (?:of )?(?:your|the)|your|ur|any (?:other|of))\b"
        r"[^.?!\n]{0,24}\b(?:instructions?|instruktions?|guidelines?|directions?|directives?|commands?|prompts?|programming|training|restrictions|rules?|filters?|policies|context)\b"
    ),
    (
        r"\b(?:reveal|show|print|output|repeat|display|leak|dump|give|tell|share|paste|expose|recite|spell out|what(?:'s| is| are| was| were))\b[^.?!\n]{0,24}\b(?:your|ur|the)\b[^.?!\n]{0,20}"
        r"\b(?:system|initial|hidden|secret|original|internal|developer|pre)[ -]?(?:prompt|instructions?|message|guidelines|rules)\b"
    ),
    r"\byou are (?:now|no longer)\b[^.?!\n]{0,40}\b(?:unrestricted|unfiltered|uncensored|jailbroken|dan\b|evil|free from|without (?:any )?(?:rules|restrictions|limits|filters)|an? (?:assistant|ai|bot))",
    r"\b(?:enable|enter|activate|switch (?:in)?to|turn on)\b[^.?!\n]{0,16}\b(?:developer|debug|god|admin|dan|jailbreak|unrestricted|sudo|maintenance)[ -]mode\b",
    r"\bdo anything now\b|\bno (?:ethical|moral) (?:guidelines|restrictions|constraints)\b|\b(?:stay|remain) in character\b[^.?!\n]{0,60}\b(?:never|no matter|always)\b",
    r"\b(?:repeat|print|output|say)\b[^.?!\n]{0,20}\b(?:everything|all(?: the)? (?:text|words)|the (?:words|text|lines?)) (?:above|before|preceding)\b",
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext)\|>|\[/?INST\]|<</?SYS>>|^\s{0,4}#{2,4} ?(?:system|instruction)s?:|\]\(https?://[^)\s]{0,200}\{",
    r"\bnew (?:system )?(?:instructions?|prompt|rules?) ?(?:for (?:you|the (?:assistant|ai|bot)))? ?:",
    # German
    (
        r"\b(?:ignorier\w{0,3}|vergiss|vergessen sie|missachte\w{0,2}|umgeh\w{0,2}|überschreib\w{0,2})\b[^.?!\n]{0,40}\b(?:vorherig\w{0,2}|bisherig\w{0,2}|obig\w{0,2}|früher\w{0,2}|all\w{0,2}|dein\w{0,2}|ihr\w{0,2})\b"
        r"[^.?!\n]{0,24}\b(?:anweisung\w{0,2}|instruktion\w{0,2}|regeln?|vorgaben?|befehle?|richtlinien?|einschränkungen?)\b"
    ),
    # French
    r"\b(?:ignore[rz]?|oublie[rz]?|contourne[rz]?|néglige[rz]?)\b[^.?!\n]{0,30}\b(?:toutes|les|tes|vos|ces)\b[^.?!\n]{0,20}\b(?:instructions|consignes|règles|directives|restrictions)\b",
    # Spanish and Portuguese
    r"\b(?:ignora|ignore|olvida|olvide|esquece|esqueça|omite|desconsidere|desobedece)\b[^.?!\n]{0,30}\b(?:todas|las|los|tus|sus|as|suas|tuas|os)\b[^.?!\n]{0,20}\b(?:instrucciones|reglas|normas|directrices|restricciones|instruções|regras|orientações|diretrizes|restrições)\b",
)
STEERING = tuple(re.compile(rule, re.IGNORECASE | re.MULTILINE) for rule in _RULES)

_ANSWER = r"(?:response|reply|answer|output|summary|next message|responses|replies|answers|antwort|réponse|respuesta|resposta)"
_TO_THE_ASSISTANT = (
    # an order about the answer that is being written: only an assistant can obey it
    (
        r"(?:^|[.!?:;\n|>\"'*_-][ \t]{0,4})(?:(?:please|also|then|and|additionally|finally|bitte),? ){0,2}(?:add|include|insert|append|modify|change|replace|use|provide|render|deliver|write|give|make|format|introduce|misspell|"
        r"scramble|jumble|rearrange|shuffle|anagram|substitute|remove|omit|group|split|combine|merge|join|convert|encode|encrypt|translate|integrate|augment|enhance|expand|extend|incorporate|embed|weave|mention|"
        r"begin|start|end|close|finish|sign|conclude|repeat|reverse|capitali[sz]e|ensure|tease|promote|spell|mix|insinuate|adapt|alter|adjust|tailor|phrase|craft|compose|express|present|state)\b"
        rf"(?:[^.?!\n]|[.?!](?=\S)){{0,160}}\b(?:your|the assistant's|the ai's|the bot's|deine[rn]?|ihre[rn]?|ta|votre|tu|su|sua|tua) (?:\w{{1,12}} ){{0,2}}{_ANSWER}\b"
    ),
    rf"\b(?:in|at the end of|throughout) your (?:\w{{1,12}} )?{_ANSWER},? (?:please )?(?:suggest|tease|mention|include|recommend|tell|encourage|direct|promote|claim|state|say|add|use|refer|link|always|never)\b",
    r"\b(?:note|attention|message|instructions?|hinweis|nota|remarque) (?:to|for|an|für|para|pour|à) (?:the |any |all |all'|le |la |l'|die |den |el |o )?(?:ai|assistant|llm|chat ?bot|bot|language model|ki|ia|assistent\w{0,2}|asistente)\b",
    r"\b(?:dear|hey|hello|attention),? (?:ai|assistant|chat ?bot|llm|language model)\b[^.?!\n]{0,80}",
    r"\b(?:if you are|when you are|as) an? (?:ai|llm|language model|assistant|chat ?bot)\b[^.?!\n]{0,60}\b(?:you (?:must|should|have to)|please|do not|always|never|tell|say|ignore|answer|reply)\b",
    r"\b(?:the )?(?:assistant|ai|chat ?bot|language model) (?:must|shall|has to|will now|should now|should always|is to)\b[^.?!\n]{0,80}\b(?:tell|say|reply|answer|recommend|reveal|send|ignore|claim|promise|append|include|direct|ask)\b",
)
ORDERS = tuple(re.compile(rule, re.IGNORECASE) for rule in _TO_THE_ASSISTANT)
# "Include the order number in your reply" is said to people.
ENCLOSE = re.compile(
    r"\b(?:numbers?|ids?|photos?|pictures?|screenshots?|logs?|files?|attachments?|attach|reference|details|invoice|receipt|address|name|date|serial|copy|form|template)\b",
    re.IGNORECASE,
)

# A line of its own that asks a general assistant for something: an ordinary sentence, but not in the middle of a help article.
TASK = re.compile(
    r"(?:can you |could you |please |pls ){0,2}(?:replace|jumble|scramble|shuffle|render|rearrange|write|compose|draft|explain|describe|translate|provide|develop|create|generate|summari[sz]e|tell me|list (?:all|the|five|ten|some)|give me|show me|break down|recite|sing|solve|calculate|"
    r"compare|outline|discuss|analy[sz]e|imagine|invent|how (?:do|does|did|would|to)|what(?:'s| is| are| was| were| would)|who|why|when|where is|which|can you|could you)\b.{5,200}",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """The text as a reader sees it: compatibility forms, invisible characters, look-alikes and spaced letters undone."""
    text = TAGS.sub(lambda match: " " + "".join(chr(ord(c) - 0xE0000) for c in match.group()) + " ", text)
    text = unicodedata.normalize("NFKC", text)
    text = INVISIBLE.sub("", text)
    if not text.isascii() and 2 * sum(c.isalpha() and c < "\u0250" for c in text) > sum(c.isalpha() for c in text):
        text = re.sub(r"\w+", _latin, text)
    return SPACED.sub(_joined, text)


def payloads(text: str) -> list[str]:
    """What the text says in base64, hex, percent code, rot13, leetspeak or backwards; only where words come out."""
    found: list[str] = []
    for candidate in _decoded(text):
        readable = candidate[:MAX_DECODED].strip()
        if readable and readable not in found:
            found.append(readable)
        if len(found) == MAX_PAYLOADS:
            break
    return found


def steering(text: str) -> tuple[int, int] | None:
    """Where the text tells the assistant to leave its rules or to show them; None when it does not."""
    return next((match.span() for rule in STEERING if (match := rule.search(text))), None)


def orders(text: str) -> tuple[int, int] | None:
    """Where a document speaks to an assistant instead of to its readers."""
    for rule in (*ORDERS, *STEERING):
        for match in rule.finditer(text):
            if not ENCLOSE.search(match.group()):
                return match.span()
    return None


def _latin(match: re.Match[str]) -> str:
    """A word that hides look-alikes, in Latin letters; a word that is really of another script stays."""
    word = match.group()
    folded = word.translate(CONFUSABLES)
    return folded if folded != word and folded.isascii() else word


def _joined(match: re.Match[str]) -> str:
    """`i g n o r e` → `ignore`; letters of a list stay apart when they are not a word's length."""
    return re.sub(r"[ .*_-]", "", match.group())


def _decoded(text: str) -> Iterator[str]:
    for match in BASE64.finditer(text):
        yield from _if_words(_base64(match.group()))
    for match in HEX.finditer(text):
        digits = re.sub(r"[^0-9A-Fa-f]", "", match.group().removeprefix("0x"))
        if len(digits) % 2 == 0:
            yield from _if_words(_text(bytes.fromhex(digits)))
    for match in PERCENT.finditer(text):
        yield from _if_words(_text(re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), match.group().encode())))
    if len(LEET_WORD.findall(text)) > 1:
        plain = LEET_WORD.sub(lambda match: match.group().replace("11", "ll").translate(LEET), text)
        if _common(plain) > _common(text):
            yield plain
    if _common(text) < MIN_SHARE:
        yield from _if_words(codecs.decode(text, "rot13"))
        yield from _if_words(text[::-1])


def _if_words(text: str) -> Iterator[str]:
    if _common(text) >= MIN_SHARE:
        yield text


def _common(text: str) -> float:
    """Share of the words that are common ones; 0 for fewer than three words."""
    words = re.findall(r"[^\W\d_]+", text[:MAX_DECODED].lower())
    return sum(word in WORDS for word in words) / len(words) if len(words) > 2 else 0.0  # noqa: PLR2004


def _base64(text: str) -> str:
    try:
        return _text(base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _text(content: bytes) -> str:
    try:
        decoded = content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return decoded if all(c.isprintable() or c.isspace() for c in decoded) else ""
