"""Numbers that identify a person or an account: payment cards, IBANs, national ids; by checksum, or by the words before them."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module

from guardrails.checks.secrets import Spotted

CONTEXT = 48  # characters before a number in which a word says what it is

CARD = re.compile(
    r"(?<![\w./])(?<!\d[ -])(?:"
    r"\d{12,19}"
    r"|\d{4}(?P<s>[ .-])\d{4}(?P=s)\d{4}(?P=s)\d{1,7}"
    r"|\d{4}[ -]\d{6}[ -]\d{4,5}"
    r"|(?:\d{2,8}[ -]){2,5}\d{2,8}"
    r"|(?:\d[ -]){11,18}\d"
    r")(?![ -]?\d)(?!\w)"
)
# A card number beside other numbers ("E42 4111 1111 …"): every start is tried, and only issuer and sum together count.
CARD_AMONG_NUMBERS = re.compile(
    r"(?<![\w./])(?=(?P<number>\d{13,19}|\d{4}(?P<s>[ .-])\d{4}(?P=s)\d{4}(?P=s)\d{4}|\d{4}(?P<t>[ -])\d{6}(?P=t)\d{4,5})(?!\d)(?!\w))"
)
CARD_WORDS = re.compile(
    r"\b(?:credit|debit|card|cards|visa|mastercard|amex|american express|maestro|discover|diners|jcb|karte|kreditkarte|kartennummer"
    r"|carte|tarjeta|cart[aã]o|cb)\b|kredit|karten",
    re.IGNORECASE,
)
REFERENCE_WORDS = re.compile(
    r"\b(?:order|orders|ticket|case|tracking|track|parcel|shipment|invoice|reference|ref|booking|reservation|serial|imei|isbn|ean|gtin|sku"
    r"|article|item|policy|contract|customer|member|account|transaction|licen[cs]e|product|model|part|pmr|apar|build|version|id|bestellung"
    r"|bestellnummer|sendung|sendungsnummer|rechnung|kundennummer|auftrag|vorgang|commande|colis|facture|dossier|suivi|pedido|factura|env[ií]o"
    r"|encomenda|fatura|rastreio|referencia|refer[êe]ncia|nummer|timestamp)\b",
    re.IGNORECASE,
)
# Issuer prefixes with the lengths that network uses (ISO/IEC 7812, published ranges).
ISSUERS = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?|62\d{14,17}|35(?:2[89]|[3-8]\d)\d{12,15}|(?:2131|1800)\d{11}"
    r"|3(?:0[0-5]|[68]\d|9\d)\d{11}(?:\d{2,5})?"
)

IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,32}")
IBAN_LENGTHS = dict(
    pair.split(":")
    for pair in [
        "AD:24",
        "AE:23",
        "AL:28",
        "AT:20",
        "AZ:28",
        "BA:20",
        "BE:16",
        "BG:22",
        "BH:22",
        "BI:27",
        "BR:29",
        "BY:28",
        "CH:21",
        "CR:22",
        "CY:28",
        "CZ:24",
        "DE:22",
        "DJ:27",
        "DK:18",
        "DO:28",
        "EE:20",
        "EG:29",
        "ES:24",
        "FI:18",
        "FK:18",
        "FO:18",
        "FR:27",
        "GB:22",
        "GE:22",
        "GI:23",
        "GL:18",
        "GR:27",
        "GT:28",
        "HN:28",
        "HR:21",
        "HU:28",
        "IE:22",
        "IL:23",
        "IQ:23",
        "IS:26",
        "IT:27",
        "JO:30",
        "KW:30",
        "KZ:20",
        "LB:28",
        "LC:32",
        "LI:21",
        "LT:20",
        "LU:20",
        "LV:21",
        "LY:25",
        "MC:27",
        "MD:24",
        "ME:22",
        "MK:19",
        "MN:20",
        "MR:27",
        "MT:31",
        "MU:30",
        "NI:28",
        "NL:18",
        "NO:15",
        "OM:23",
        "PK:24",
        "PL:28",
        "PS:29",
        "PT:25",
        "QA:29",
        "RO:24",
        "RS:22",
        "RU:33",
        "SA:24",
        "SC:31",
        "SD:18",
        "SE:24",
        "SI:19",
        "SK:24",
        "SM:27",
        "SO:23",
        "ST:25",
        "SV:28",
        "TL:23",
        "TN:24",
        "TR:26",
        "UA:29",
        "VA:22",
        "VG:24",
        "XK:20",
        "YE:30",
    ]
)

# kind of id -> (shape, module of python-stdnum that checks it, words that must stand before it, or "" where the shape is telling enough)
NATIONAL_IDS: tuple[tuple[str, str, str], ...] = (
    (r"\d{3}-\d{2}-\d{4}", "", ""),
    (r"\d{3}[ ]\d{2}[ ]\d{4}|\d{9}", "", r"\bssn\b|social security"),
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]", "", ""),
    (r"\d{11}|\d{2} \d{3} \d{3} \d{3}", "de.idnr", r"steuer|\btin\b|\bidnr\b|identifikationsnummer"),
    (r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}", "fr.nir", ""),
    (r"\d{8}-?[A-Z]", "es.dni", ""),
    (r"[XYZ]-?\d{7}-?[A-Z]", "es.nie", ""),
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", "br.cpf", ""),
    (r"\d{11}", "br.cpf", r"\bcpf\b"),
    (r"\d{3} ?\d{3} ?\d{3}", "pt.nif", r"\bnif\b|contribuinte"),
    (r"\d{9}", "nl.bsn", r"\bbsn\b|burgerservice|sofi"),
    (r"[A-Z]{6}\d{2}[A-EHLMPR-T]\d{2}[A-Z]\d{3}[A-Z]", "it.codicefiscale", ""),
    (r"\d{4} \d{4} \d{4}|\d{12}", "in_.aadhaar", r"aadhaar|aadhar"),
    (r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", "", r"\bpan\b"),
    (r"\d{3}[ -]\d{3}[ -]\d{3}", "ca.sin", r"\bsin\b|social insurance"),
    (r"\d{11}", "pl.pesel", r"pesel"),
    (r"756\.\d{4}\.\d{4}\.\d{2}", "", ""),
)
DOCUMENT_NUMBER = re.compile(
    r"\b(?P<name>passport|reisepass|passeport|pasaporte|passaporte|driver'?s?'? ?licen[cs]e|driving licen[cs]e|führerschein|permis de conduire"
    r"|carnet de conducir|carta de condu[cç][aã]o|personalausweis|id card|identity card|carte d'identité|national id)"
    r"(?:[ -]?(?:number|no\.?|nr\.?|nummer|numéro|número|n°|#)){0,2}(?:\s{0,2}[:=#]\s{0,2}|\s{1,2}(?:is|ist|lautet|est|es|é)\s{0,2}:?\s{0,2}|\s{1,2})"
    r"(?P<value>(?=[A-Z-]{0,4}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){5,18})(?!\w)",
    re.IGNORECASE,
)


def cards(text: str) -> Iterator[Spotted]:
    """Payment card numbers: an issuer's prefix and the Luhn sum, or the word card before the number."""
    for match in CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if not 12 <= len(digits) <= 19:  # noqa: PLR2004 - ISO/IEC 7812
            continue
        before = text[max(0, match.start() - CONTEXT) : match.start()]
        named = _last(CARD_WORDS, before) > _last(REFERENCE_WORDS, before)
        grouped = match["s"] is not None
        if _is_card(digits, named=named, other=not named and not grouped and bool(REFERENCE_WORDS.search(before))):
            yield Spotted("CARD", *match.span())
    for match in CARD_AMONG_NUMBERS.finditer(text):
        digits = re.sub(r"\D", "", match["number"])
        before = text[max(0, match.start() - CONTEXT) : match.start()]
        grouped = len(digits) != len(match["number"])
        if _is_card(digits, named=False, other=not grouped and bool(REFERENCE_WORDS.search(before))):
            yield Spotted("CARD", *match.span("number"))


def _is_card(digits: str, *, named: bool, other: bool) -> bool:
    sum_holds = luhn(digits)
    if named:  # a mistyped card number is one still, when it is called one and looks like one
        return sum_holds or bool(ISSUERS.fullmatch(digits))
    return sum_holds and not other and bool(ISSUERS.fullmatch(digits))


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    odd = sum(int(d) for d in digits[-1::-2])
    even = sum(int(d) * 2 - 9 * (int(d) > 4) for d in digits[-2::-2])  # noqa: PLR2004
    return (odd + even) % 10 == 0


def ibans(text: str) -> Iterator[Spotted]:
    """IBANs of any country: its length and mod 97; a wrong sum still counts behind the word IBAN."""
    for match in IBAN.finditer(text):
        end = _iban_end(text, *match.span())
        if end is None:
            continue
        number = re.sub(r"[ -]", "", text[match.start() : end]).upper()
        if _mod97(number) == 1 or "iban" in text[max(0, match.start() - CONTEXT) : match.start()].lower():
            yield Spotted("IBAN", match.start(), end)


def _iban_end(text: str, start: int, limit: int) -> int | None:
    """Where an IBAN of its country's length that starts here ends; None when it does not end there."""
    length = int(IBAN_LENGTHS.get(text[start : start + 2].upper(), "0"))
    seen = 0
    for position in range(start, limit):
        seen += text[position].isalnum()
        if length and seen == length:
            following = text[position + 1 : position + 2]
            return None if following.isalnum() else position + 1
    return None


def _mod97(number: str) -> int:
    return int("".join(str(int(c, 36)) for c in number[4:] + number[:4])) % 97


def national_ids(text: str) -> Iterator[Spotted]:
    """National ids by shape and checksum, numbers of passports and licences by the words before them."""
    for pattern, checker, words in _national_patterns():
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - CONTEXT) : match.start()]
            if words is not None and not words.search(before):
                continue
            if checker is None or checker(match.group()):
                yield Spotted("NATIONAL_ID", *match.span())
    for match in DOCUMENT_NUMBER.finditer(text):
        yield Spotted("NATIONAL_ID", *match.span("value"))


@cache
def _national_patterns() -> list[tuple[re.Pattern[str], Callable[[str], bool] | None, re.Pattern[str] | None]]:
    found = []
    for shape, module, words in NATIONAL_IDS:
        checker = import_module(f"stdnum.{module}").is_valid if module else None
        pattern = re.compile(rf"(?<![\w.-])(?:{shape})(?![\w-])(?!\.\d)", re.IGNORECASE if words else 0)
        found.append((pattern, checker, re.compile(words, re.IGNORECASE) if words else None))
    return found


def _last(pattern: re.Pattern[str], text: str) -> int:
    """Where the last hit of `pattern` in `text` ends; -1 when there is none."""
    return max((match.end() for match in pattern.finditer(text)), default=-1)
