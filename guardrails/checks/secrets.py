"""Secrets in running text: passwords, PINs, card codes, keys, tokens; found by their shape or by the words before them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Spotted:
    """Something personal or secret in a text, at [start, end)."""

    kind: str
    start: int
    end: int


# Shapes that issuers chose so that scanners can find them; the length bounds keep every search linear.
KEY_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:\s{0,4}Proc-Type[^\n]{0,80}\n(?:DEK-Info[^\n]{0,120}\n)?)?[^-]{0,8000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    r"|(?<![A-Za-z0-9_-])(?:"
    r"(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|sk-(?:[a-z]{2,8}-)?[A-Za-z0-9_-]{16,200}"
    r"|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,100}"
    r"|whsec_[A-Za-z0-9+/=]{16,100}"
    r"|gh[pousr]_[A-Za-z0-9]{20,100}|github_pat_[A-Za-z0-9_]{20,100}"
    r"|glpat-[A-Za-z0-9_-]{16,60}|npm_[A-Za-z0-9]{30,40}|hf_[A-Za-z0-9]{20,40}|dop_v1_[a-f0-9]{60,64}"
    r"|xox[abposr]-[A-Za-z0-9-]{10,200}|AIza[A-Za-z0-9_-]{30,40}|ya29\.[A-Za-z0-9_-]{20,400}"
    r"|SG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,60}|pypi-[A-Za-z0-9_-]{40,300}"
    r")(?![A-Za-z0-9_])"
)
JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}(?:\.[A-Za-z0-9_-]{0,2000})?")
BEARER = re.compile(r"\b(?:Bearer|Basic)\s{1,3}(?P<value>[A-Za-z0-9+/_.=-]{16,4000})")
URL_LOGIN = re.compile(r"(?<=://)[^\s/:@]{1,100}:(?P<value>[^\s/@]{1,200})@")

_KEY_WORDS = (
    r"api[ _-]?keys?|api[ _-]?secret|secret[ _-]?(?:access[ _-]?)?key|client[ _-]?secret|access[ _-]?(?:key|token)|auth[ _-]?token"
    r"|refresh[ _-]?token|private[ _-]?key|recovery[ _-]?(?:code|key|phrase)|bot[ _-]?token|token|secret"
    r"|api-schl[uü]ssel|cl[eé] api|clave (?:de la )?api|chave (?:da )?api"
)
NAMED_KEY = re.compile(
    rf"(?<![\w-])(?:{_KEY_WORDS})['\"]?(?:\s{{0,3}}[:=]\s{{0,3}}|\s{{1,3}}(?:is|ist|lautet|est|es|é)\s{{1,3}})['\"]?(?P<value>[A-Za-z0-9+/_.=~-]{{12,500}})",
    re.IGNORECASE,
)
_LOGIN_WORDS = (
    r"pass\s?words?|passwd|pass\s?code|pass\s?phrase|pwd|passwort|kennwort|passwörter|mots? de passe|mdp"
    r"|contrase(?:ñ|n)as?|clave(?: de acceso)?|palavra[- ]passe|senhas?"
)
PASSWORD = re.compile(
    rf"(?<![\w-])(?:{_LOGIN_WORDS})(?P<owner>\s{{1,2}}(?:for|to|of|für|pour|para|de|do|da)\s{{1,2}}[\w@.-]{{1,40}}(?:\s[\w@.-]{{1,40}})?)?['\"]?"
    r"(?P<link>\s{0,3}(?::|=|->)\s{0,3}|\s{1,3}(?:is|was|ist|war|lautet|est|était|es|era|é)\s{0,2}:?\s{1,3})"
    r"(?P<quote>[\"'`“”‘’«]?)(?P<value>\S{3,64})",
    re.IGNORECASE,
)
PIN = re.compile(
    r"(?<![\w-])(?P<name>pin(?:[ -]?(?:code|number|nummer))?|cvv2?|cvc2?|cv2|security code|prüfziffer|kartenprüfnummer"
    r"|code secret|c[oó]digo de seguran[cç]a|c[oó]digo de seguridad|cryptogramme)"
    r"(?:\s{0,3}[:=#]\s{0,3}|\s{1,3}(?:is|was|ist|lautet|est|es|é|number|nr\.?)\s{0,2}:?\s{0,3}|\s{1,2})(?P<value>\d{3,8})(?![\w.,]?\d)",
    re.IGNORECASE,
)
ONE_TIME_CODE = re.compile(
    r"(?<![\w-])(?:otp|one[- ]time (?:code|password|pin)|(?:verification|confirmation|sms|2fa|tan|login|authenticator)[- ]code"
    r"|bestätigungscode|code de (?:vérification|confirmation)|c[oó]digo de (?:verificaci[oó]n|verificação|confirma[cç][aã]o))"
    r"(?:\s{0,3}[:=]\s{0,3}|\s{1,3}(?:is|was|ist|lautet|est|es|é)\s{0,2}:?\s{0,3}|\s{1,2})(?P<value>\d{4,8}|[A-Z0-9]{3}-[A-Z0-9]{3})(?![\w.,]?\d)",
    re.IGNORECASE,
)
# After "password is" these say something about the password and are not one.
NOT_A_PASSWORD = frozenset(
    [
        "not",
        "no",
        "none",
        "wrong",
        "incorrect",
        "invalid",
        "correct",
        "right",
        "required",
        "needed",
        "expired",
        "empty",
        "blank",
        "the",
        "a",
        "an",
        "my",
        "your",
        "his",
        "her",
        "our",
        "too",
        "so",
        "very",
        "still",
        "also",
        "always",
        "never",
        "only",
        "just",
        "now",
        "being",
        "been",
        "set",
        "reset",
        "changed",
        "shown",
        "hidden",
        "encrypted",
        "hashed",
        "stored",
        "visible",
        "missing",
        "lost",
        "stolen",
        "compromised",
        "weak",
        "strong",
        "secure",
        "safe",
        "ok",
        "okay",
        "good",
        "fine",
        "bad",
        "accepted",
        "rejected",
        "refused",
        "denied",
        "unknown",
        "unavailable",
        "different",
        "same",
        "mandatory",
        "optional",
        "protected",
        "case",
        "sensitive",
        "sent",
        "asked",
        "working",
        "getting",
        "going",
        "used",
        "using",
        "one",
        "at",
        "least",
        "in",
        "on",
        "for",
        "to",
        "of",
        "as",
        "what",
        "where",
        "which",
        "that",
        "this",
        "it",
        "there",
        "then",
        "null",
        "true",
        "false",
        "yes",
        "nicht",
        "falsch",
        "richtig",
        "ungültig",
        "abgelaufen",
        "vergessen",
        "weg",
        "leer",
        "zu",
        "das",
        "mein",
        "dein",
        "bekannt",
        "erforderlich",
        "kein",
        "keine",
        "nie",
        "immer",
        "incorrecte",
        "incorrect",
        "faux",
        "mauvais",
        "expiré",
        "oublié",
        "perdu",
        "le",
        "la",
        "un",
        "une",
        "mon",
        "ma",
        "trop",
        "pas",
        "requis",
        "invalide",
        "incorrecta",
        "inválida",
        "errónea",
        "correcta",
        "caducada",
        "no",
        "el",
        "mi",
        "una",
        "muy",
        "demasiado",
        "obligatoria",
        "incorreta",
        "inválida",
        "errada",
        "correta",
        "expirada",
        "não",
        "o",
        "a",
        "minha",
        "uma",
        "muito",
        "obrigatória",
        "broken",
        "gone",
        "unchanged",
        "public",
        "private",
        "leaked",
        "must",
        "should",
        "can",
        "may",
        "will",
        "has",
        "have",
        "cannot",
        "please",
        "and",
        "or",
        "but",
        "if",
        "when",
        "i",
        "we",
        "you",
        "they",
    ]
)
_PLACEHOLDER = re.compile(r"[<\[{$%(].*|[*•.xX_-]+\W*|\.\.\.")
_END = re.compile(r"\s{0,3}(?:$|[\r\n,;.!?)]|(?:and|und|et|y|e|but|aber)\b)")


def secrets(text: str) -> Iterator[Spotted]:
    """Every secret, in no order; may overlap."""
    for kind, pattern in (("KEY", KEY_SHAPES), ("TOKEN", JWT)):
        for match in pattern.finditer(text):
            yield Spotted(kind, *match.span())
    for kind, pattern in (("TOKEN", BEARER), ("PASSWORD", URL_LOGIN), ("PIN", PIN), ("CODE", ONE_TIME_CODE)):
        for match in pattern.finditer(text):
            yield Spotted(kind, *match.span("value"))
    for match in NAMED_KEY.finditer(text):
        if _looks_random(match["value"]):
            yield Spotted("KEY", *match.span("value"))
    yield from _passwords(text)


def _passwords(text: str) -> Iterator[Spotted]:
    for match in PASSWORD.finditer(text):
        value = match["value"].rstrip("\"'`“”‘’»,;:).")
        value = value if re.search(r"\d", value) else value.rstrip("!?\"'")
        if len(value) < 3 or _PLACEHOLDER.fullmatch(value) or value.lower().strip("\"'") in NOT_A_PASSWORD:  # noqa: PLR2004
            continue
        start = match.start("value")
        if _like_a_password(
            value, match["quote"], match["link"] + (match["owner"] or ""), text[start + len(value) : start + len(value) + 12]
        ):
            yield Spotted("PASSWORD", start, start + len(value))


def _like_a_password(value: str, quote: str, link: str, rest: str) -> bool:
    """Digits, symbols or quotes give it away; a plain word only where the sentence ends behind it."""
    if re.search(r"\d", value) or re.search(r"[^\w'’/-]", value) or quote:
        return True
    if not re.search(r"[:=>]", link) and (re.search(r"(?:ed|ing|iert|ée?)$", value, re.IGNORECASE) or len(link.split()) > 1):
        return False
    return bool(_END.match(rest))


def _looks_random(value: str) -> bool:
    """Keys mix letters with digits; words and file names do not."""
    return bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value)) and "/" not in value[:2]
