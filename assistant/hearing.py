"""What a message says before anything is looked up: language, small talk, what the guards think of it, what it asks."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from assistant.conversation import Received
from assistant.question import Question, restate
from assistant.smalltalk import Smalltalk, smalltalk
from assistant.wording import shipped
from guardrails.findings import Verdict
from guardrails.screen import Guard, prepare
from knowledge.embedding import Vectors
from knowledge.language import detect

Embed = Callable[[list[str]], dict[str, Vectors]]
Identify = Callable[[str], tuple[str, float]]
"""A text → the two-letter code of its most probable language, of very many, and that probability."""


@dataclass(frozen=True)
class Heard:
    """A message, understood as far as that needs no articles. `language` is the one the visitor is answered in.

    `question` is None when nothing of the message may be answered, or when there is nothing to look up.
    """

    language: str
    smalltalk: Smalltalk | None
    verdict: Verdict
    question: Question | None
    vectors: Mapping[str, Vectors]
    """The question's vector by encoder, as the only row; empty without a question."""
    whole: Mapping[str, Vectors]
    """The whole message's vector by encoder, as the only row."""
    masked: str
    """The text that was screened: personal data masked, as the ledger keeps it."""
    code: str | None
    milliseconds: float
    """What the incoming checks took on top of the embedding."""

    @property
    def off_topic(self) -> bool:
        """Whether a guard flagged it as nothing this help centre is about: then no titles are offered, search may still answer."""
        return any(finding.policy == OFF_TOPIC for finding in self.verdict.findings)


OFF_TOPIC = "off_topic"
SURE = 0.95  # a guess below this would send away people who only write briefly or with errors
ENOUGH_WORDS = 4  # fewer show no language


def hear(received: Received, embed: Embed, guard: Guard, identify: Identify, mask: Callable[[str], str]) -> Heard:
    """Embed the message, its sentences and its question in one batch, and screen it."""
    text = mask(received.text)
    detected = detect(text)
    code = detected or _surely(identify, text)
    message = prepare(text)
    question = restate(received.history, text)
    rows = [*message.rows] if question.text == message.rows[0] else [*message.rows, question.text]
    vectors = embed(rows)
    started = time.perf_counter()
    verdict = guard.incoming(message, {name: of_all[: len(message.rows)] for name, of_all in vectors.items()}, code)
    milliseconds = 1000 * (time.perf_counter() - started)
    whole = {name: of_all[:1] for name, of_all in vectors.items()}
    heard = Heard(shipped(detected or received.locale), smalltalk(text), verdict, None, {}, whole, text, code, milliseconds)
    if heard.smalltalk is not None or not verdict.allowed:
        return heard
    if verdict.allowed != text:
        question = restate(received.history, verdict.allowed)
        return replace(heard, question=question, vectors=embed([question.text]))
    at = 0 if len(rows) == len(message.rows) else len(rows) - 1
    return replace(heard, question=question, vectors={name: of_all[at : at + 1] for name, of_all in vectors.items()})


def _surely(identify: Identify, text: str) -> str | None:
    """The language of a text that shows no sign of those we know well, when it is certain."""
    if len(text.split()) < ENOUGH_WORDS:
        return None
    code, probability = identify(text)
    return code if probability >= SURE else None
