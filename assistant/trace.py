"""What happened in a turn, kept with it and in the guards' ledger."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from assistant.conversation import Received, Reply
from assistant.hearing import Heard
from assistant.looking import Seen
from assistant.replying import Screened
from guardrails.findings import Finding, Stage
from guardrails.ledger import Entry
from knowledge.search import Found


def traced(reply: Reply, heard: Heard, seen: Seen | None, milliseconds: float) -> Reply:
    """The reply with the record of how it came about."""
    trace: dict[str, Any] = {
        "milliseconds": round(milliseconds, 1),
        "guard": {
            "action": heard.verdict.action,
            "policy": heard.verdict.policy,
            "findings": [_finding(f) for f in heard.verdict.findings],
        },
    }
    if seen is None:
        return replace(reply, trace=trace)
    found = seen.found
    trace |= {"features": _rounded(found.explanation.features), "leans_on": seen.question.leans_on, "hits": _hits(found)}
    return replace(reply, question=seen.question.text, probability=found.probability, trace=trace)


def entries(received: Received, heard: Heard, outgoing: Screened | None, version: str, new_salt: Callable[[], str]) -> list[Entry]:
    """The guards' decisions of this turn, passes included, for the ledger."""
    incoming = Entry(
        stage=Stage.INCOMING,
        verdict=heard.verdict,
        text=heard.masked,
        salt=new_salt(),
        version=version,
        milliseconds=round(heard.milliseconds, 2),
        conversation_id=received.conversation_id,
        turn_id=received.turn_id,
        language=heard.code,
    )
    if outgoing is None:
        return [incoming]
    verdict, text, milliseconds = outgoing.verdict, outgoing.text, round(outgoing.milliseconds, 2)
    return [incoming, replace(incoming, stage=Stage.OUTGOING, verdict=verdict, text=text, salt=new_salt(), milliseconds=milliseconds)]


def _finding(finding: Finding) -> dict[str, Any]:
    return {"policy": finding.policy, "action": finding.action, "score": round(finding.score, 3), "reason": finding.reason}


def _hits(found: Found) -> list[dict[str, Any]]:
    return [{"passage": hit.passage_id, "article": hit.article_id, "score": round(hit.score, 4)} for hit in found.passages]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
