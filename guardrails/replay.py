"""Recorded messages against changed policies: what would be newly blocked, and what newly allowed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from guardrails.classifier import Rows
from guardrails.findings import Verdict
from guardrails.screen import Guard, Prepared, prepare

BATCH = 512  # rows embedded and scored at a time: bounds memory, keeps the encoders busy


@dataclass(frozen=True)
class Recorded:
    """A message as it was judged: its number in the ledger, the masked text, and the outcome."""

    number: int
    text: str
    action: str | None
    blocked: bool
    language: str | None = None


@dataclass(frozen=True)
class Change:
    """A message that would be decided otherwise."""

    number: int
    text: str
    before: str | None
    after: str | None
    policy: str | None


@dataclass(frozen=True)
class ReplayReport:
    """The difference that other policies make."""

    messages: int
    newly_blocked: tuple[Change, ...]
    newly_allowed: tuple[Change, ...]
    otherwise: tuple[Change, ...]

    @property
    def unchanged(self) -> int:
        """Messages that would be decided the same way."""
        return self.messages - len(self.newly_blocked) - len(self.newly_allowed) - len(self.otherwise)


def replay(recorded: Sequence[Recorded], guard: Guard) -> ReplayReport:
    """Judge every recorded message again with `guard`; the same input gives the same report."""
    groups: dict[str, list[Change]] = {"newly_blocked": [], "newly_allowed": [], "otherwise": []}
    for before, verdict in zip(recorded, verdicts([r.text for r in recorded], guard, [r.language for r in recorded]), strict=True):
        after = verdict.action.value if verdict.action else None
        if (before.action, before.blocked) == (after, verdict.blocked):
            continue
        kind = "otherwise"
        if verdict.blocked != before.blocked:
            kind = "newly_blocked" if verdict.blocked else "newly_allowed"
        groups[kind].append(Change(before.number, before.text, before.action, after, verdict.policy))
    return ReplayReport(len(recorded), **{kind: tuple(changes) for kind, changes in groups.items()})


def verdicts(texts: Sequence[str], guard: Guard, languages: Sequence[str | None] = ()) -> Iterator[Verdict]:
    """The incoming verdict of every text, embedded and scored in batches, each distinct line once."""
    messages = [prepare(text) for text in texts]
    known = list(languages) or [None] * len(messages)
    scores = _scores(messages, guard)
    for message, language in zip(messages, known, strict=True):
        yield guard.judge(message, np.stack([scores[row] for row in message.rows]), language)


def _scores(messages: Sequence[Prepared], guard: Guard) -> dict[str, Rows]:
    rows = sorted({row for message in messages for row in message.rows}, key=lambda row: (len(row), row))
    found: dict[str, Rows] = {}
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        found.update(zip(batch, guard.fitted.scores(embedded(guard.encoders, batch)), strict=True))
    return found


def embedded(encoders: Mapping[str, Embeddings], rows: Sequence[str]) -> dict[str, Rows]:
    """The rows' vectors by encoder."""
    return {name: np.asarray(encoder.embed_documents(list(rows)), dtype=np.float32) for name, encoder in encoders.items()}
