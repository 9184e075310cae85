"""Numbers, dates, prices, addresses: what a reader would act on must stand literally in a cited passage."""

import re
import unicodedata
from collections.abc import Iterator

from guardrails.drafts import DraftToScreen

POLICY = "grounding"

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember"
    "|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    "|septiembre|octubre|noviembre|diciembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|novembro|dezembro"
)
_NUMBER_WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty|sixty|ninety|hundred|thousand"
    "|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|vierzehn|dreißig|deux|trois|quatre|cinq|sept|huit|neuf|dix|quinze|trente"
    "|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|quince|treinta|dois|duas|três|quatro|sete|oito|nove|dez|trinta"
)
LITERAL = re.compile(
    rf"(?<![\w.+%-])[\w.+%-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,6}}|(?<![\w.,])\d[\d.,:/-]{{0,24}}\d(?!\w)|(?<![\w.,])\d(?!\w)|\b(?:{_MONTHS})\b(?= \d)|(?<=\d )\b(?:{_MONTHS})\b"
    rf"|\b(?:{_NUMBER_WORDS})\b(?= (?:days?|weeks?|months?|years?|hours?|minutes?|percent|euros?|dollars?|tage?n?|wochen?|monate?n?|stunden?|prozent|jours?|semaines?|mois|heures?|días?|semanas?|mes(?:es)?|horas?|dias?))",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"(?m)^\s{0,6}(?:\[?\d{1,2}\]?[.)]|\[\d{1,2}\])\s|\[\d{1,2}\]")


def unsupported(draft: DraftToScreen) -> Iterator[str]:
    """Every literal of the draft that no cited passage holds."""
    evidence = {_plain(match.group()) for match in LITERAL.finditer(draft.evidence)}
    text = _LIST_NUMBER.sub(" ", draft.written)
    for match in LITERAL.finditer(text):
        if _plain(match.group()) not in evidence:
            yield f"{match.group()!r} stands in no cited passage"


def _plain(text: str) -> str:
    """The same number however it is grouped: 1,000 and 1.000 and 1000."""
    text = unicodedata.normalize("NFKC", text).lower().strip(".,:/-")
    return re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text)
