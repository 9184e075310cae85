"""What a draft says must stand in the passages it cites: literally where a reader would act on it, in meaning for the rest.

Two promises. `unsupported(draft)` finds the literals (numbers, dates, prices, addresses) of any draft, quoted ones too, that no
cited passage holds. `Grounding.check(statements)` judges each sentence of a *written* draft against its own passages:

    grounding = Grounding(encoders)                          # {"main": …, "multilingual": …}, as the guard has them
    found = grounding.check([Statement("It takes a week.", (passage,)), …])    # one embedding batch per encoder for all of them
    found[0].ok, found[0].score, found[0].reasons            # Support: pass or cut, 0 to 1, sentences for the trace

and `supported(sentence, passages, encoders)` is the same for one sentence. A sentence repeated word for word passes; a number, date,
price, name, menu or link that stands in no cited passage cuts it; the rest is a fitted sum of what speaks for and against it
(guardrails/support): meaning by both encoders, the counterpart of each word, negation, opposites, quantifiers, conditions, order.
`caught` is the share of our own wrong sentences, held out, that the threshold must catch. With an `Entailment` both must agree; a
chat model may judge after that (assistant/judging.py). No judge lets pass what a literal or the sum has cut.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from langchain_core.embeddings import Embeddings

from guardrails.drafts import CitedPassage, DraftToScreen
from guardrails.support.alignment import Numbers, align
from guardrails.support.cues import cues
from guardrails.support.entailment import Entailment
from guardrails.support.features import Likeness, features
from guardrails.support.fitted import Fitted, shipped
from guardrails.support.words import Text, read

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

CAUGHT = 0.95  # of our own wrong sentences, held out: a wrong sentence reaching a visitor is worse than a good one that is cut
CAUGHT_BESIDE_A_JUDGE = 0.3  # what literals alone catch: then the sum cuts nothing, and the judge decides about meaning
UNRELATED = {"main_pair": 0.4, "multilingual_pair": 0.3}  # cosines with the nearest sentences below which nothing is said of the matter
KEPT = 50_000  # vectors of words and sentences kept in memory; about 100 MB with the packaged encoders
MAX_WORDS = 1500  # of evidence that are read; a draft cites a few passages of some hundred words
FOREIGN_WORDS = 2  # function words of another language from which a claim counts as foreign to English passages
COPIED = 0.8  # share of a claim's words that stand in one sentence in this order, from which it counts as a copy; .7 cuts more good ones
FOLLOWS_FROM = 0.5  # probability of an entailment model


@dataclass(frozen=True)
class Statement:
    """A sentence of a draft and the passages that the draft names for it."""

    sentence: str
    passages: tuple[CitedPassage, ...]


@dataclass(frozen=True)
class Support:
    """Whether a sentence may be shown; `score` from 0 to 1; `reasons` say in words what spoke against it.

    `quoted`: it stands in its passages word for word, so that nobody needs to judge what it means.
    """

    ok: bool
    score: float
    reasons: tuple[str, ...] = ()
    quoted: bool = False


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


def supported(sentence: str, passages: Sequence[CitedPassage], encoders: Mapping[str, Embeddings]) -> Support:
    """One sentence against its passages, by the shipped fit."""
    return Grounding(encoders).check([Statement(sentence, tuple(passages))])[0]


class Grounding:
    """The checker of written drafts; remembers the vectors of words and sentences. Safe to share between threads."""

    def __init__(
        self,
        encoders: Mapping[str, Embeddings],
        *,
        fitted: Fitted | None = None,
        caught: float = CAUGHT,
        entailment: Entailment | None = None,
    ) -> None:
        """`encoders` by the names `main` and `multilingual`; either may be missing."""
        self._encoders = dict(encoders)
        self._fitted = fitted  # the shipped one is read when first asked for
        self._caught = caught
        self._entailment = entailment
        self._kept: dict[tuple[str, str], Numbers] = {}
        self._lock = threading.Lock()

    def check(self, statements: Sequence[Statement]) -> list[Support]:
        """One Support per statement, in order; every encoder embeds once."""
        found = self.measure(statements)
        judged = [self._judge(*measured) for measured in found]
        passed = [n for n, support in enumerate(judged) if support.ok and not support.quoted]
        if self._entailment is not None and passed:
            pairs = [(_evidence(statements[n].passages), statements[n].sentence) for n in passed]
            for n, follows in zip(passed, self._entailment.scores(pairs), strict=True):
                judged[n] = _follows(float(follows), judged[n])
        return judged

    def measure(self, statements: Sequence[Statement]) -> list[tuple[Text, Text, dict[str, float]]]:
        """Claim, evidence and features of each statement: what a fit is made from."""
        texts = {text: read(text) for one in statements for text in (one.sentence, _evidence(one.passages))}
        pairs = [(texts[one.sentence], texts[_evidence(one.passages)]) for one in statements]
        rows = self._embedded(pairs)
        out = []
        for claim, evidence in pairs:
            voice = _voice(claim, self._encoders)
            words = (
                {word: rows[voice][word] for text in (claim, evidence) for word in _content(text)} if voice else _letters(claim, evidence)
            )
            likeness = {name: _likeness(claim, evidence, vectors) for name, vectors in rows.items()}
            out.append((claim, evidence, features(align(claim, evidence, words), likeness)))
        return out

    def _judge(self, claim: Text, evidence: Text, found: Mapping[str, float]) -> Support:
        if not claim.words or _quoted(claim, evidence):
            return Support(ok=True, score=1.0, quoted=True)
        literal = tuple(_literals(claim, found))
        if literal:
            return Support(ok=False, score=0.0, reasons=literal)
        if unrelated(found, other_language=foreign(claim)):
            return Support(ok=False, score=0.0, reasons=("it is about something else than its passages",))
        fitted = self._fitted or shipped()
        curve = fitted.across if foreign(claim) else fitted.same
        score = curve.score(found)
        if score >= curve.threshold(self._caught):
            return Support(ok=True, score=score)
        return Support(ok=False, score=score, reasons=tuple(_reasons(found)) or ("its meaning is not near enough to any cited passage",))

    def _embedded(self, pairs: Sequence[tuple[Text, Text]]) -> dict[str, dict[str, Numbers]]:
        """By encoder the vectors of all words and texts of these pairs."""
        words = {word for pair in pairs for text in pair for word in _content(text)}
        texts = {text for claim, evidence in pairs for text in (claim.text, *_units(evidence))}
        found: dict[str, dict[str, Numbers]] = {}
        for name, encoder in self._encoders.items():
            with self._lock:
                known = {text: self._kept[name, text] for text in words | texts if (name, text) in self._kept}
            new = [*((words | texts) - known.keys())]
            vectors = dict(zip(new, np.asarray(encoder.embed_documents(new), dtype=np.float32), strict=True)) if new else {}
            with self._lock:
                if len(self._kept) > KEPT:
                    self._kept.clear()
                self._kept |= {(name, text): vector.copy() for text, vector in vectors.items()}
            found[name] = known | vectors
        return found


def _follows(probability: float, support: Support) -> Support:
    """What an entailment model makes of a sentence that passed; whatever is no number of at least a half cuts it."""
    score = min(support.score, probability) if probability >= 0 else 0.0
    if probability >= FOLLOWS_FROM:
        return replace(support, score=score)
    return Support(ok=False, score=score, reasons=("the entailment model says it does not follow",))


def foreign(claim: Text) -> bool:
    """Whether a claim is in German, French, Spanish or Portuguese rather than English, by its function words."""
    lower = [word.lower for word in claim.words]
    english = sum(word in cues().stop for word in lower)
    return any(sum(word in words for word in lower) >= max(FOREIGN_WORDS, english + 1) for words in cues().foreign.values())


def _voice(claim: Text, encoders: Mapping[str, Embeddings]) -> str | None:
    """The encoder whose word vectors align this claim."""
    order = ("multilingual", "main") if foreign(claim) else ("main", "multilingual")
    return next((name for name in order if name in encoders), None)


def _evidence(passages: Sequence[CitedPassage]) -> str:
    text = "\n".join(f"{passage.title}\n{passage.text}\n{passage.url}".strip() for passage in passages)
    return " ".join(text.split(" ")[:MAX_WORDS])


def _content(text: Text) -> set[str]:
    return {text.words[place].lower for place in text.content}


def _letters(claim: Text, evidence: Text) -> dict[str, Numbers]:
    """Without an encoder words are alike only when they are the same."""
    words = sorted(_content(claim) | _content(evidence))
    return dict(zip(words, np.eye(len(words), dtype=np.float32), strict=True))


def _units(evidence: Text) -> list[str]:
    sentences = [evidence.said(*one) for one in evidence.sentences]
    pairs = [evidence.said(a[0], b[1]) for a, b in zip(evidence.sentences, evidence.sentences[1:], strict=False)]
    return [*sentences, *pairs, evidence.text]


def _likeness(claim: Text, evidence: Text, vectors: Mapping[str, Numbers]) -> Likeness:
    rows = np.stack([vectors[text] for text in _units(evidence)]) @ vectors[claim.text]
    count = len(evidence.sentences)
    return Likeness(rows[:count], rows[count:-1], float(rows[-1]))


def _quoted(claim: Text, evidence: Text) -> bool:
    """Whether the claim is one or more whole sentences of the evidence, word for word: a part may lack its “unless”."""
    mine, theirs = ([word.lower for word in text.words] for text in (claim, evidence))
    ends = {end for _, end in evidence.sentences}
    return any(start + len(mine) in ends and theirs[start : start + len(mine)] == mine for start, _ in evidence.sentences)


def _literals(claim: Text, found: Mapping[str, float]) -> Iterator[str]:
    """What must stand in a passage as it is."""
    if found["numbers_missing"]:
        yield "a number, date or price stands in no cited passage"
    if found["addresses_missing"]:
        yield "an address stands in no cited passage"
    if found["menus_missing"]:
        yield "a menu or button stands in no cited passage"
    if found["names_missing"] and not foreign(claim):
        yield "a name stands in no cited passage"
    if edited(found):
        yield "it repeats a sentence, but for a word such as not, only, all, if or even"


def unrelated(found: Mapping[str, float], *, other_language: bool) -> bool:
    """Whether no encoder sees a claim near to any sentences of its passages; the main one sees English alone.

    Of right sentences paired with strange passages .90 are cut, of good development pairs .005.
    """
    known = [name for name in UNRELATED if name in found and not (other_language and name == "main_pair")]
    return bool(known) and all(found[name] < UNRELATED[name] for name in known)


def edited(found: Mapping[str, float]) -> bool:
    """Whether a claim repeats a sentence nearly word for word and adds or drops what turns its meaning; no judge may let that pass.

    Of our development pairs it cuts 73 of 618 wrong sentences and 2 of 222 good ones.
    """
    return found["copied"] >= COPIED and found["cues_changed"] > 0


SAID = {
    "parity": "one of the two is negated",
    "opposite": "it says the opposite of a word of the passage",
    "invents_all": "it says “all” or “always”, the passage does not",
    "drops_only": "the passage says “only”, it does not",
    "drops_if": "the passage names a condition, it does not",
    "invents_we": "it speaks for the company, the passage does not",
    "without": "a word of it has no counterpart in the passage",
}
LOUD = 0.5


def _reasons(found: Mapping[str, float]) -> Iterator[str]:
    yield from (words for name, words in SAID.items() if found.get(name, 0.0) >= LOUD)
