"""What happened in a turn, kept with it and in the guards' ledger."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from assistant.conversation import Received, Reply
from assistant.hearing import Heard
from assistant.looking import Seen
from assistant.replying import Screened
from guardrails.findings import Finding, Stage
from guardrails.ledger import Entry
from knowledge.search import Found


def traced(reply: Reply, heard: Heard, seen: Seen | None, milliseconds: float, model: Mapping[str, Any]) -> Reply:
    """The reply with the record of how it came about; `model` is what a chat model did for it, if anything."""
    trace: dict[str, Any] = {
        "milliseconds": round(milliseconds, 1),
        "guard": {
            "action": heard.verdict.action,
            "policy": heard.verdict.policy,
            "findings": [_finding(f) for f in heard.verdict.findings],
        },
        **model,
    }
    if seen is None:
        return replace(reply, trace=trace)
    found = seen.found
    trace |= {"features": _rounded(found.explanation.features), "leans_on": seen.question.leans_on, "hits": _hits(found)}
    return replace(reply, question=seen.question.text, probability=found.probability, trace=trace)


def entries(received: Received, heard: Heard, outgoing: Sequence[Screened], version: str, new_salt: Callable[[], str]) -> list[Entry]:
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
    of_drafts = [
        replace(
            incoming,
            stage=Stage.OUTGOING,
            verdict=one.verdict,
            text=one.text,
            salt=new_salt(),
            milliseconds=round(one.milliseconds, 2),
        )
        for one in outgoing
    ]
    return [incoming, *of_drafts]


def _finding(finding: Finding) -> dict[str, Any]:
    return {"policy": finding.policy, "action": finding.action, "score": round(finding.score, 3), "reason": finding.reason}


def _hits(found: Found) -> list[dict[str, Any]]:
    return [{"passage": hit.passage_id, "article": hit.article_id, "score": round(hit.score, 4)} for hit in found.passages]


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
