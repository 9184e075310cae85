"""Secrets become placeholders before anything is stored; addresses of people are masked before anything is logged or learned from."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import phonenumbers

from guardrails.checks.identifiers import CONTEXT, cards, ibans, national_ids
from guardrails.checks.secrets import Spotted, secrets
from guardrails.findings import Action, Finding, Stage

POLICY = "personal_data"

EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|\s?[\[(](?:at|@)[\])]\s?)[^\W_](?:[\w-]{0,62})(?:(?:\.|\s?[\[(]dot[\])]\s?)[\w-]{1,63}){1,6}",
    re.IGNORECASE,
)
IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]{0,38}:[0-9A-Fa-f:])[0-9A-Fa-f:]{7,39}(?:%\w{1,15})?(?![\w:])")
VERSION_WORDS = re.compile(
    r"(?:\bv|version|release|build|fix ?pack|\bfp|level|firmware|update|driver|\bif)\s{0,2}[:=]?\s{0,2}$", re.IGNORECASE
)
IP_WORDS = re.compile(r"\bip|address|host|server (?:at|ip)|subnet|gateway|\bdns\b|ping|://", re.IGNORECASE)

PHONE = re.compile(r"(?<![\w.,/-])(?<!\d[ :])[+(]{0,2}\d(?:[ ()./-]{0,2}\d){6,16}(?!\w|[ .,-]?\d)")
PHONE_WORDS = re.compile(
    r"\b(?:call|calls|phone|telephone|tel|mobile|cell|cellphone|whatsapp|fax|text me|sms|ring|reach me|dial|contact me|anrufen|ruf|rufen|telefon"
    r"|telefonnummer|handy|handynummer|mobil|rückruf|appeler|appelez|téléphone|portable|joindre|tél|teléfono|telefono|llamar|llamarme|llámeme"
    r"|móvil|celular|telefone|telemóvel|ligar|ligue|my number|meine nummer)\b",
    re.IGNORECASE,
)
NOT_PHONE_WORDS = re.compile(
    r"\b(?:order|ticket|case|invoice|tracking|parcel|reference|ref|booking|serial|bestellung|bestellnummer|rechnung|commande|facture|pedido"
    r"|factura|encomenda|fatura|account|customer|number of|port|error|code|version|pmr|apar)\b",
    re.IGNORECASE,
)
US_PHONE = re.compile(r"(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
DATE = re.compile(
    r"(?:19|20)\d\d[-./ ][01]?\d[-./ ][0-3]?\d(?: .*)?|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:(?:19|20)\d\d(?: .*)?|\d\d)|(?:19|20)\d\d ?- ?(?:19|20)\d\d"
)
DECIMAL = re.compile(r"\d{1,12}\.\d{1,16}")
REGIONS = ("GB", "DE", "FR", "ES", "PT", "IT", "NL", "BE", "CH", "AT", "AU")  # a number with a leading 0 is tried in these

_NAME = r"[^\W\d_][\w'’-]{0,30}"
ADDRESS = re.compile(
    r"(?<![\w.+-])(?:"
    rf"\d{{1,5}}[A-Za-z]? (?:{_NAME} ){{1,4}}?(?:street|avenue|road|lane|boulevard|blvd|square|(?-i:St|Ave|Rd|Ln|Dr|Drive|Ct|Court|Terrace|Close|Way))\b\.?"
    r"|[^\W\d_][\w-]{2,30}(?:straße|strasse|str\.|gasse|allee|platz) ?\d{1,4} ?[a-z]?\b"
    rf"|\d{{1,4}}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|place|chemin|impasse|allée|quai)(?: {_NAME}){{1,6}}"
    rf"|(?:calle|avenida|avda\.?|plaza|paseo|rua|travessa|praça|estrada)(?: {_NAME}){{1,6}},? (?:n[.º°o]{{1,2}} ?)?\d{{1,5}}\b"
    r"|p\.? ?o\.? box \d{1,6}"
    r"|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"
    r")"
    rf"(?:,?\s{{1,2}}(?:(?:apt|suite|unit|flat)\.? ?\w{{1,6}}|\d{{4,5}}(?:-\d{{3,4}})? {_NAME}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Redacted:
    """A text with its secrets replaced, and where the placeholders stand."""

    text: str
    findings: tuple[Finding, ...]


def redact_secrets(text: str) -> Redacted:
    """Cards, IBANs, national ids, passwords, keys and tokens become [CARD], [IBAN], …; idempotent; linear in the text."""
    return _replaced(text, find_secrets(text))


def mask_personal(text: str) -> str:
    """Secrets and also e-mail, phone, postal and IP addresses become placeholders."""
    return _replaced(text, find_personal(text)).text


def find_secrets(text: str) -> list[Spotted]:
    """What `redact_secrets` replaces, in order, without overlaps."""
    return _disjoint(_searched(text, (cards, ibans, national_ids, secrets)))


def find_personal(text: str) -> list[Spotted]:
    """What `mask_personal` replaces, in order, without overlaps."""
    return _disjoint(_searched(text, (cards, ibans, national_ids, secrets, emails, ip_addresses, phones, addresses)))


def emails(text: str) -> Iterator[Spotted]:
    """E-mail addresses, also written with (at) and (dot)."""
    for match in EMAIL.finditer(text):
        yield Spotted("EMAIL", *match.span())


def ip_addresses(text: str) -> Iterator[Spotted]:
    """IP addresses; four-part version numbers behind the word version are none, nor is the machine itself."""
    for pattern in (IPV4, IPV6):
        for match in pattern.finditer(text):
            if _is_version(match.group(), text[max(0, match.start() - CONTEXT) : match.start()]):
                continue
            if _is_address_of_a_machine(match.group()):
                yield Spotted("IP", *match.span())


def phones(text: str) -> Iterator[Spotted]:
    """Phone numbers: international, of a national plan, or any seven digits behind a word that says so."""
    for match in PHONE.finditer(text):
        number = match.group()
        digits = sum(c.isdigit() for c in number)
        if not 7 <= digits <= 15 or DATE.fullmatch(number) or DECIMAL.fullmatch(number):  # noqa: PLR2004 - E.164
            continue
        before = text[max(0, match.start() - CONTEXT) : match.start()]
        if _is_phone(number, before):
            yield Spotted("PHONE", *match.span())


def addresses(text: str) -> Iterator[Spotted]:
    """Street and post-box addresses as written in the shipped languages."""
    for match in ADDRESS.finditer(text):
        yield Spotted("ADDRESS", *match.span())


def _is_phone(number: str, before: str) -> bool:
    words = max((m.end() for m in PHONE_WORDS.finditer(before)), default=-1)
    others = max((m.end() for m in NOT_PHONE_WORDS.finditer(before)), default=-1)
    if others > words:
        return False
    if number.startswith(("+", "(+", "00")):
        return _valid("+" + number.replace("(", "").replace("+", "").removeprefix("00"), None)
    if words >= 0 or US_PHONE.fullmatch(number):
        return True
    spaced = any(c in " ./-" for c in number)
    return number.startswith(("0", "(0")) and spaced and any(_valid(number, region) for region in REGIONS)


def _is_version(number: str, before: str) -> bool:
    """8.5.0.3 is a version unless a word says address: all its parts are small."""
    if VERSION_WORDS.search(before):
        return True
    first, *rest = number.split(".")
    small = len(rest) == 3 and int(first) < 10 and all(int(part) < 20 for part in rest)  # noqa: PLR2004
    return small and not IP_WORDS.search(before)


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _is_address_of_a_machine(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _searched(text: str, finders: Iterable[Callable[[str], Iterator[Spotted]]]) -> list[Spotted]:
    return [spotted for find in finders for spotted in find(text)]


def _disjoint(found: list[Spotted]) -> list[Spotted]:
    """In order; of overlapping ones the longest, then the one of the earlier finder."""
    kept: list[Spotted] = []
    for _, spotted in sorted(enumerate(found), key=lambda x: (x[1].start, -x[1].end, x[0])):
        if kept and spotted.start < kept[-1].end:
            if spotted.end - spotted.start > kept[-1].end - kept[-1].start:
                kept[-1] = spotted
            continue
        kept.append(spotted)
    return kept


def _replaced(text: str, found: list[Spotted]) -> Redacted:
    parts: list[str] = []
    findings: list[Finding] = []
    at = length = 0
    for spotted in found:
        placeholder = f"[{spotted.kind}]"
        parts += [text[at : spotted.start], placeholder]
        start = length + spotted.start - at
        length = start + len(placeholder)
        at = spotted.end
        reason = spotted.kind.lower().replace("_", " ")
        findings.append(Finding(POLICY, Stage.INCOMING, Action.REDACT, 1.0, (start, length), enforced=True, reason=reason))
    return Redacted("".join([*parts, text[at:]]), tuple(findings))
