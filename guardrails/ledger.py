"""Every decision of the guards, passes included, in a chain of digests that shows a changed or missing row."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, cast, func, select, update
from sqlalchemy.orm import Session

from guardrails.findings import Stage, Verdict
from guardrails.tables import GuardDecision, Judgement, LedgerHead

GENESIS = "0" * 64
HEAD = 1  # the id of the only head row
SCORE_DIGITS = 4


class UnknownDecision(Exception):
    """There is no decision of this number."""


@dataclass(frozen=True)
class Entry:
    """One decision to be recorded; `text` is the masked text that was judged, `salt` a random string of the caller's."""

    stage: Stage
    verdict: Verdict
    text: str
    salt: str
    version: str
    milliseconds: float
    conversation_id: str | None = None
    turn_id: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Precision:
    """How often people agreed with a policy's blocks."""

    policy: str
    right: int
    judged: int


def append(session: Session, entries: Sequence[Entry], now: datetime) -> list[int]:
    """Add decisions to the chain inside the caller's write transaction; their numbers."""
    if not entries:
        return []
    head = session.get(LedgerHead, HEAD, with_for_update=True)
    if head is None:
        head = LedgerHead(id=HEAD, count=0, digest=GENESIS)
        session.add(head)
        session.flush()
    numbers = []
    for entry in entries:
        row = _row(entry, head.count + 1, head.digest, now)
        session.add(row)
        head.count, head.digest = row.number, row.digest
        numbers.append(row.number)
    session.flush()
    return numbers


def verify(session: Session) -> list[str]:
    """What is wrong with the chain, in words; empty when it is whole."""
    troubles: list[str] = []
    previous, expected = GENESIS, 1
    for row in session.scalars(select(GuardDecision).order_by(GuardDecision.number).execution_options(yield_per=1000)):
        if row.number != expected:
            troubles.append(f"decisions {expected} to {row.number - 1} are missing")
        elif row.previous != previous:
            troubles.append(f"decision {row.number} does not follow the one before it")
        if _digest(row) != row.digest:
            troubles.append(f"decision {row.number} was changed")
        if row.text is not None and _text_digest(row.text, row.salt or "") != row.text_digest:
            troubles.append(f"the text of decision {row.number} was changed")
        previous, expected = row.digest, row.number + 1
    head = session.get(LedgerHead, HEAD, populate_existing=True)
    if head is not None and (head.count, head.digest) != (expected - 1, previous):
        troubles.append(f"the ledger ends at decision {expected - 1}, its head says {head.count}")
    if head is None and expected > 1:
        troubles.append("the head of the ledger is missing")
    return troubles


def head(session: Session) -> tuple[int, str]:
    """How many decisions there are, and the digest of the last."""
    row = session.get(LedgerHead, HEAD)
    return (row.count, row.digest) if row else (0, GENESIS)


def erase(session: Session, conversation_ids: Iterable[str]) -> int:
    """Remove the texts of these conversations; the chain stays whole. How many rows had one."""
    ids = list(conversation_ids)
    chosen = GuardDecision.conversation_id.in_(ids) & GuardDecision.text.is_not(None)
    held = session.scalar(select(func.count()).select_from(GuardDecision).where(chosen)) or 0
    session.execute(update(GuardDecision).where(chosen).values(text=None, salt=None))
    return held


def export(session: Session, since: datetime | None = None) -> Iterator[str]:
    """Every decision as a line of JSON, oldest first."""
    query = select(GuardDecision).order_by(GuardDecision.number)
    if since is not None:
        query = query.where(GuardDecision.at >= since)
    for row in session.scalars(query.execution_options(yield_per=1000)):
        yield json.dumps({**_chained(row), "text": row.text, "digest": row.digest}, ensure_ascii=False, sort_keys=True)


def judge(session: Session, number: int, *, right: bool, by: str, now: datetime) -> None:
    """Keep a person's opinion of a decision; a second one replaces the first."""
    if session.get(GuardDecision, number) is None:
        raise UnknownDecision(f"no guard decision has the number {number}")
    session.merge(Judgement(number=number, right=right, by=by, at=now))


def precision(session: Session) -> list[Precision]:
    """Judged blocks per policy, by name."""
    query = (
        select(GuardDecision.policy, func.sum(cast(Judgement.right, Integer)), func.count())
        .join(Judgement, Judgement.number == GuardDecision.number)
        .where(GuardDecision.policy.is_not(None))
        .group_by(GuardDecision.policy)
        .order_by(GuardDecision.policy)
    )
    return [Precision(str(policy), int(right or 0), int(judged)) for policy, right, judged in session.execute(query)]


def judged_examples(session: Session) -> Iterator[dict[str, str]]:
    """Judged blocks whose text is still there, as rows for an eval set: `label` is the policy, or `benign` for a wrong block."""
    query = select(GuardDecision, Judgement.right).join(Judgement, Judgement.number == GuardDecision.number).order_by(GuardDecision.number)
    for row, right in session.execute(query):
        if row.text and row.policy:
            yield {"id": f"judged-{row.number}", "text": row.text, "label": row.policy if right else "benign", "lang": row.language or ""}


def _row(entry: Entry, number: int, previous: str, now: datetime) -> GuardDecision:
    verdict = entry.verdict
    row = GuardDecision(
        number=number,
        at=now,
        stage=entry.stage.value,
        conversation_id=entry.conversation_id,
        turn_id=entry.turn_id,
        version=entry.version,
        action=verdict.action.value if verdict.action else None,
        policy=verdict.policy,
        blocked=verdict.blocked,
        language=entry.language,
        milliseconds=round(entry.milliseconds, 3),
        findings=[
            {**asdict(finding), "span": list(finding.span), "score": round(finding.score, SCORE_DIGITS)} for finding in verdict.findings
        ],
        scores={name: round(score, SCORE_DIGITS) for name, score in sorted(verdict.scores.items())},
        text=entry.text,
        salt=entry.salt,
        text_digest=_text_digest(entry.text, entry.salt),
        previous=previous,
    )
    row.digest = _digest(row)
    return row


def _text_digest(text: str, salt: str) -> str:
    """Salted, so that an erased short text cannot be found by trying."""
    return hashlib.sha256(f"{salt}\x1f{text}".encode("utf-8", "replace")).hexdigest()


def _chained(row: GuardDecision) -> dict[str, Any]:
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)  # SQLite gives back naive times
    names = "number stage conversation_id turn_id version action policy blocked language milliseconds findings scores text_digest previous"
    return {"at": at.astimezone(UTC).isoformat(timespec="microseconds"), **{name: getattr(row, name) for name in names.split()}}


def _digest(row: GuardDecision) -> str:
    return hashlib.sha256(json.dumps(_chained(row), sort_keys=True, ensure_ascii=False).encode("utf-8", "replace")).hexdigest()
