"""The guard: every check of a stage over a text, and the verdict of the gravest finding."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from guardrails.checks import citations, grounding, injection, links, promises
from guardrails.checks.language import unknown_language
from guardrails.classifier import Fitted, Rows, prepared
from guardrails.documents import Suspect, suspects
from guardrails.drafts import DraftToScreen
from guardrails.findings import Action, Finding, Stage, Verdict, gravest
from guardrails.policies import Policy, load, version
from guardrails.sentences import sentences
from guardrails.settings import GuardSettings

INJECTION = "prompt_injection"
OFF_TOPIC = "off_topic"
OUTGOING = (
    (citations.POLICY, citations.uncited),
    (grounding.POLICY, grounding.unsupported),
    (links.POLICY, links.foreign),
    (promises.POLICY, promises.broken_promises),
)

# A sentence that asks or reports something we could answer, so that a mixed message is worth answering in part.
REQUEST = re.compile(
    r"\?|\b(?:how|what|where|when|which|why|who|can|could|need|want|would like|please|help|tell|show|explain|cannot"
    r"|can't|cant|won't|doesn't|does not|not working|error|fails?|problem|issue"
    r"|wie|was|wo|wann|welche\w?|warum|kann|könn\w+|brauche|möchte|bitte|hilfe|geht nicht|funktioniert|fehler|problem"
    r"|comment|quel\w*|où|quand|pourquoi|puis|peux|pouvez|besoin|voudrais|merci de|aide\w*|marche pas|erreur|problème"
    r"|cómo|como|qué|que|dónde|cuándo|cuál|puedo|puede\w*|necesito|quiero|ayuda|favor|no funciona|error"
    r"|onde|quando|qual|posso|pode\w*|preciso|quero|ajuda|não funciona|erro)\b",
    re.IGNORECASE,
)
MIN_ALLOWED_WORDS = 3  # a shorter rest is a greeting


@dataclass(frozen=True)
class Prepared:
    """A message ready to be embedded: `rows` are the whole as a reader sees it, its sentences when several, and decoded payloads."""

    text: str
    spans: tuple[tuple[int, int], ...]
    rows: tuple[str, ...]

    @property
    def payloads(self) -> int:
        """How many of the rows are decoded payloads; they come last."""
        return len(self.rows) - 1 - (len(self.spans) if len(self.spans) > 1 else 0)


def prepare(text: str) -> Prepared:
    """Sentences and disguises of a message; an ordinary short question gives one row, itself."""
    spans = tuple(sentences(text))
    rows = [injection.clean(text)]
    if len(spans) > 1:
        rows += [injection.clean(text[start:end]) for start, end in spans]
    return Prepared(text, spans, (*rows, *injection.payloads(rows[0])))


class Guard:
    """All policies over all stages; knows nothing of time, storage or people. Safe to share between threads."""

    def __init__(
        self, policies: Sequence[Policy], fitted: Fitted, settings: GuardSettings, encoders: Mapping[str, Embeddings] | None = None
    ) -> None:
        """`fitted` must have been made for these policies; `encoders` are needed only for documents and to explain."""
        self.policies = {policy.id: policy for policy in policies}
        self.fitted = fitted
        self.settings = settings
        self.encoders = dict(encoders or {})
        self._column = {name: n for n, name in enumerate(fitted.policies)}

    @classmethod
    def build(
        cls,
        encoders: Mapping[str, Embeddings],
        cache: Path | None = None,
        policies: Path | None = None,
        settings: GuardSettings | None = None,
    ) -> "Guard":
        """Load the policies (the shipped ones by default) and their fit; raise PolicyError or CannotTell.

        A policy that only flags and that these encoders cannot tell is left out; the log says so.
        """
        settings = settings or GuardSettings()
        loaded = load(policies) if policies else load()
        fitted = prepared(loaded, encoders, cache, settings)
        return cls([policy for policy in loaded if policy.id in fitted.policies], fitted, settings, encoders)

    @cached_property
    def version(self) -> str:
        """Changes when a decision could."""
        return f"{version(self.policies.values())}-{self.fitted.key}"

    def threshold(self, policy: str) -> float:
        """The probability from which a policy catches."""
        return float(self.fitted.thresholds[self._column[policy]])

    def incoming(self, message: Prepared, vectors: Mapping[str, Rows], language: str | None = None) -> Verdict:
        """Screen a visitor's message; `vectors` holds one row per row of `message.rows`, by encoder."""
        return self.judge(message, self.fitted.scores(vectors), language)

    def judge(self, message: Prepared, scores: Rows, language: str | None = None) -> Verdict:
        """`incoming` from ready scores, one row per row of the message."""
        findings: list[Finding] = []
        for policy in self._of(Stage.INCOMING):
            findings += self._by_score(policy, message, scores[:, self._column[policy.id]])
            findings += _by_pattern(policy, message)
        findings += self._steering(message)
        if (unknown := unknown_language(message.text, language, self.settings)) is not None:
            findings.append(unknown)
        whole = {name: float(scores[0, n]) for name, n in self._column.items()}
        return _verdict(message, findings, whole)

    def outgoing(self, draft: DraftToScreen, vectors: Mapping[str, Rows] | None = None) -> Verdict:
        """Screen an answer before anybody sees it; `vectors` of `prepare(draft.text).rows` are needed only when it is not quoted."""
        findings = [
            Finding(policy, Stage.OUTGOING, Action.REFUSE, 1.0, (0, len(draft.text)), enforced=True, reason=reason)
            for policy, check in OUTGOING
            for reason in check(draft)
        ]
        scores = dict(draft.kept_scores)
        if not draft.quoted and vectors is not None:
            best = self.fitted.scores(vectors).max(axis=0)
            scores |= {name: float(best[n]) for name, n in self._column.items()}
        for policy in self._of(Stage.OUTGOING):
            if scores.get(policy.id, 0.0) >= self.threshold(policy.id) + self.settings.outgoing_margin * (1 - self.threshold(policy.id)):
                span = (0, len(draft.text))
                findings.append(
                    Finding(
                        policy.id,
                        Stage.OUTGOING,
                        policy.action,
                        scores[policy.id],
                        span,
                        enforced=policy.enforced,
                        reason="the answer reads like what it refuses",
                    )
                )
        decisive = gravest(findings)
        action, name = (decisive.action, decisive.policy) if decisive else (None, None)
        return Verdict(tuple(findings), action, "" if decisive and decisive.action.blocks else draft.text, name, scores)

    def document(self, texts: Sequence[str]) -> list[str | None]:
        """For every passage why it must be held back, or None; only lines that could be orders are embedded."""
        found = [suspects(text) for text in texts]
        reasons: list[str | None] = [next((s.reason for s in of_text if s.certain), None) for of_text in found]
        doubtful = [(n, s) for n, of_text in enumerate(found) if reasons[n] is None for s in of_text]
        if doubtful and self.encoders:
            lines = [suspect.text for _, suspect in doubtful] + [suspect.rest for _, suspect in doubtful]
            vectors = {name: np.asarray(encoder.embed_documents(lines), dtype=np.float32) for name, encoder in self.encoders.items()}
            half = len(doubtful)
            scores = self.fitted.scores({name: rows[:half] for name, rows in vectors.items()})
            kin = np.max([(rows[:half] * rows[half:]).sum(axis=1) for rows in vectors.values()], axis=0)
            for (n, suspect), score, likeness in zip(doubtful, scores, kin, strict=True):
                reasons[n] = reasons[n] or self._doubt(suspect, score, float(likeness))
        return reasons

    def _doubt(self, suspect: Suspect, scores: Rows, likeness: float) -> str | None:
        """A line is out of place when it asks for something quite different from the passage around it."""
        injected = float(scores[self._column[INJECTION]]) if INJECTION in self._column else 0.0
        strayed = float(scores[self._column[OFF_TOPIC]]) if OFF_TOPIC in self._column else 0.0
        planted = likeness < self.settings.document_likeness and max(injected, strayed) >= self.settings.document_score
        if planted or (suspect.commission and likeness < self.settings.commission_likeness):
            return f"a line that has nothing to do with the passage asks for something: {suspect.text[:80]!r}"
        return None

    def _of(self, stage: Stage) -> list[Policy]:
        return [policy for policy in self.policies.values() if stage in policy.stages and policy.mode != "off"]

    def _by_score(self, policy: Policy, message: Prepared, scores: Rows) -> list[Finding]:
        """Findings of one classifier: in single sentences where they carry it, else in the whole."""
        threshold = self.threshold(policy.id)
        count = len(message.spans)
        whole = float(scores[0])
        found = []
        if count > 1:
            margin = self.settings.long_margin if count > self.settings.long_sentences else self.settings.sentence_margin
            alone = threshold if whole >= threshold else min(0.99, threshold + margin * (1 - threshold))
            for span, score in zip(message.spans, scores[1 : 1 + count], strict=True):
                if score >= alone:
                    found.append(_finding(policy, span, float(score), "a sentence reads like its examples"))
        if not found and whole >= threshold:
            found.append(_finding(policy, (0, len(message.text)), whole, "the message reads like its examples"))
        if policy.id == INJECTION and message.payloads:
            hidden = float(np.max(scores[-message.payloads :]))
            if hidden >= threshold:
                found.append(_finding(policy, (0, len(message.text)), hidden, "an encoded part reads like its examples"))
        return found

    def _steering(self, message: Prepared) -> list[Finding]:
        """What the injection patterns say about the message and everything decoded from it."""
        policy = self.policies.get(INJECTION)
        if policy is None or policy.mode == "off" or Stage.INCOMING not in policy.stages:
            return []
        hidden = message.rows[len(message.rows) - message.payloads :]
        if any(injection.steering(text) for text in (message.rows[0], *hidden)):
            return [_finding(policy, (0, len(message.text)), 1.0, "tries to change or show the assistant's instructions")]
        return []


def _by_pattern(policy: Policy, message: Prepared) -> list[Finding]:
    found = []
    for pattern in policy.compiled:
        if match := pattern.search(message.text) or pattern.search(message.rows[0]):
            span = next(((a, b) for a, b in message.spans if a <= match.start() < b), (0, len(message.text)))
            found.append(_finding(policy, span, 1.0, f"says {match.group()[:60]!r}"))
    return found


def _finding(policy: Policy, span: tuple[int, int], score: float, reason: str) -> Finding:
    return Finding(policy.id, Stage.INCOMING, policy.action, score, span, enforced=policy.enforced, reason=reason)


def _verdict(message: Prepared, findings: Sequence[Finding], scores: dict[str, float]) -> Verdict:
    decisive = gravest(findings)
    action, policy = (decisive.action, decisive.policy) if decisive else (None, None)
    blocked = [finding.span for finding in findings if finding.enforced and finding.action.blocks]
    return Verdict(tuple(findings), action, _allowed(message, blocked), policy, scores)


def _allowed(message: Prepared, blocked: Sequence[tuple[int, int]]) -> str:
    """The sentences that no blocking finding touches; nothing when they ask for nothing."""
    if not blocked:
        return message.text
    rest = [(a, b) for a, b in message.spans if not any(start < b and a < end for start, end in blocked)]
    text = " ".join(message.text[a:b] for a, b in rest)
    return text if len(text.split()) >= MIN_ALLOWED_WORDS and REQUEST.search(text) else ""
