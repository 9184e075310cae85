"""Nothing is promised that no article states, nothing is claimed that did not happen, and no secret is asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from guardrails.drafts import DraftToScreen

POLICY = "promises"


@dataclass(frozen=True)
class Claim:
    """A kind of statement, how it sounds in the shipped languages, and the events of which one must have happened."""

    what: str
    pattern: re.Pattern[str]
    events: frozenset[str]


def _claim(what: str, events: str, *patterns: str) -> Claim:
    return Claim(what, re.compile("|".join(patterns), re.IGNORECASE), frozenset(events.split()))


_WE = r"\b(?:i|we)(?:'ve| have|'ll| will| am| are|'m|'re)? (?:just |already |now |also |gladly |happily |can |going to )?"
_PROMISED = re.compile(
    _WE + r"(?:promise|guarantee|assure|refund|reimburse|compensate|credit|waive|grant|offer you)\b"
    r"|\byou(?:'ll| will| are going to|'re going to)? (?:get|receive|be (?:given|sent|refunded|credited)) (?:a |the |your |full )*(?:refund|money back|compensation|discount|credit|voucher|replacement)\b"
    r"|\b(?:guaranteed?|we promise|for free as an apology|\d{1,3} ?% (?:off|discount))\b"
    r"|\b(?:wir|ich) (?:versprechen?|garantieren?|erstatten?|gewähren?)\b|\b(?:sie|du) (?:bekommen|erhalten|bekommst|erhältst) (?:\w+ ){0,3}(?:geld zurück|erstattung|rabatt|gutschein)"
    r"|\b(?:nous|je) (?:vous |te )?(?:promet\w*|garanti\w*|rembours\w*|offr\w*)\b|\bvous (?:serez remboursé|recevrez (?:\w+ ){0,3}(?:remboursement|remise|bon))"
    r"|\b(?:le |te )?(?:prometemos|prometo|garantizamos|garantizo|reembolsaremos|devolveremos|reembolsamos)\b|\brecibirá (?:\w+ ){0,3}(?:reembolso|descuento|vale)"
    r"|\b(?:prometemos|garantimos|garanto|reembolsaremos|vamos reembolsar|devolveremos)\b|\bvai receber (?:\w+ ){0,3}(?:reembolso|desconto|vale)",
    re.IGNORECASE,
)
CLAIMS = (
    _claim(
        "handed over to a person",
        "handed_over ticket_opened",
        _WE + r"(?:escalat|forward|transferr?|hand|pass|connect)(?:ed|ing)?\b[^.!?\n]{0,40}\b(?:you|this|it|your)\b",
        r"\b(?:ich habe|wir haben)\b[^.!?\n]{0,60}\b(?:weitergeleitet|übergeben|eskaliert)\b",
        r"\b(?:j'ai|nous avons)\b[^.!?\n]{0,20}\b(?:transmis|transféré|escaladé)\b",
        r"\b(?:he|hemos) (?:transferido|escalado|pasado|reenviado)\b|\b(?:transferi|encaminhei|encaminhámos|encaminhamos)\b",
    ),
    _claim(
        "opened a ticket",
        "ticket_opened handed_over",
        _WE + r"(?:open|creat|fil|log|rais)(?:e|ed|ing)? (?:a |your |the )*(?:ticket|case|request|complaint)\b",
        r"\b(?:ticket|fall|vorgang)\b[^.!?\n]{0,20}\b(?:erstellt|angelegt|eröffnet)\b|\b(?:j'ai|nous avons) (?:créé|ouvert) un ticket\b|\b(?:he|hemos) (?:creado|abierto) un (?:ticket|caso)\b|\b(?:criei|abri|abrimos|criámos) um (?:ticket|chamado|pedido)\b",
    ),
    _claim(
        "sent something",
        "mail_sent",
        _WE + r"(?:sent|e-?mailed|notified|texted|called|informed)\b",
        r"\b(?:ich habe|wir haben)\b[^.!?\n]{0,60}\b(?:gesendet|geschickt|benachrichtigt|informiert)\b",
        r"\b(?:j'ai|nous avons)\b[^.!?\n]{0,20}\b(?:envoyé|prévenu|notifié)\b|\b(?:he|hemos) (?:enviado|avisado|notificado)\b|\b(?:enviei|enviámos|enviamos|avisei)\b",
    ),
    _claim(
        "changed something in the account",
        "account_changed",
        _WE
        + r"(?:refunded|credited|cancell?ed|reset|updated|changed|deleted|removed|unlocked|blocked|frozen|closed|activated|deactivated|processed|approved|extended|applied|booked|fixed|resolved)\b",
        r"\byour (?:\w+ ){1,3}(?:has|have) (?:now |just |already |successfully )?been (?:refunded|credited|cancell?ed|reset|updated|changed|deleted|unlocked|blocked|closed|processed|approved)\b",
        r"\b(?:ich habe|wir haben)\b[^.!?\n]{0,60}\b(?:erstattet|storniert|zurückgesetzt|geändert|gelöscht|entsperrt|gesperrt|gekündigt)\b",
        r"\b(?:j'ai|nous avons)\b[^.!?\n]{0,20}\b(?:remboursé|annulé|réinitialisé|modifié|supprimé|débloqué|résilié)\b",
        r"\b(?:he|hemos) (?:reembolsado|cancelado|restablecido|cambiado|eliminado|desbloqueado)\b|\b(?:reembolsei|cancelei|redefini|alterei|apaguei|desbloqueei)\b",
    ),
)
ASKS_FOR_SECRET = re.compile(
    r"\b(?:tell|give|send|provide|share|enter|type|confirm|reply with|what(?:'s| is)|nennen sie|geben sie|senden sie|schicken sie|teilen sie|wie lautet|donnez|envoyez|indiquez|communiquez|quel est|dígame|envíe|indique|comparta|cuál es|diga|envie|informe|qual é)\b"
    r"[^.!?\n]{0,40}\b(?:your|ihr|ihre|ihren|dein|deine|deinen|votre|ton|su|tu|sua|seu|a sua|o seu)\b[^.!?\n]{0,16}"
    r"\b(?:password|passcode|pin|cvv|cvc|card number|credit card|one-time code|security code|passwort|kennwort|kartennummer|mot de passe|numéro de carte|contraseña|número de (?:su )?tarjeta|senha|palavra-passe|número do cartão)\b"
    r"(?=[^.!?\n]{0,60}\b(?:here|in (?:this|the) chat|to (?:me|us)|with me|with us|so (?:i|we) can|hier|im chat|mir|uns|ici|dans (?:ce|le) chat|aquí|en (?:este|el) chat|aqui|neste chat|no chat)\b|\s{0,3}[?.!]|$)",
    re.IGNORECASE,
)


def broken_promises(draft: DraftToScreen) -> Iterator[str]:
    """Promises without a passage, claims without an event, requests for secrets."""
    written = draft.written
    evidence = _words(draft.evidence)
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", written):
        if not sentence.strip() or _words(sentence) in evidence:
            continue
        if match := _PROMISED.search(sentence):
            yield f"promises what no cited passage states: {match.group()!r}"
        if match := ASKS_FOR_SECRET.search(sentence):
            yield f"asks for a secret: {match.group()!r}"
        for claim in CLAIMS:
            if not claim.events & draft.events and (match := claim.pattern.search(sentence)):
                yield f"claims to have {claim.what}, which did not happen in this turn: {match.group()!r}"


def _words(text: str) -> str:
    """Words only, so that markup and line breaks do not hide that a sentence is quoted."""
    words = " ".join(re.findall(r"[^\W_]+", text.lower()))
    return f" {words} "
