"""Every decision is kept, and a changed or missing one shows."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, delete, update
from sqlalchemy.orm import Session

from guardrails.findings import Action, Finding, Stage, Verdict
from guardrails.ledger import Entry, UnknownDecision, append, erase, export, head, judge, judged_examples, precision, verify
from guardrails.tables import Base, GuardDecision

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def _entry(text: str, action: Action | None = None, conversation: str = "c1") -> Entry:
    findings = (Finding("legal_advice", Stage.INCOMING, action, 0.9, (0, len(text)), enforced=True, reason="x"),) if action else ()
    verdict = Verdict(findings, action, "" if action else text, "legal_advice" if action else None, {"legal_advice": 0.9123456})
    return Entry(Stage.INCOMING, verdict, text, f"salt-{text}", "v1", 1.2345, conversation, "t1", "en")


@pytest.fixture
def filled(session):
    append(session, [_entry("hello"), _entry("can I sue", Action.REFUSE), _entry("bye", conversation="c2")], NOW)
    append(session, [_entry("again")], NOW)
    session.commit()
    return session


def test_passes_are_recorded_too_and_the_chain_is_whole(filled):
    assert verify(filled) == []
    assert head(filled)[0] == 4


@pytest.mark.parametrize("column", ["action", "policy", "blocked", "version", "milliseconds", "scores", "findings"])
def test_a_changed_row_shows(filled, column):
    changed = {"blocked": False, "milliseconds": 9.0, "scores": {}, "findings": []}.get(column, "other")
    filled.execute(update(GuardDecision).where(GuardDecision.number == 2).values({column: changed}))
    filled.expire_all()
    assert "decision 2 was changed" in verify(filled)


def test_a_changed_text_shows(filled):
    filled.execute(update(GuardDecision).where(GuardDecision.number == 2).values(text="other"))
    filled.expire_all()
    assert verify(filled) == ["the text of decision 2 was changed"]


def test_a_missing_row_and_a_cut_tail_show(filled):
    filled.execute(delete(GuardDecision).where(GuardDecision.number == 2))
    filled.expire_all()
    assert "decisions 2 to 2 are missing" in verify(filled)
    filled.rollback()
    filled.execute(delete(GuardDecision).where(GuardDecision.number == 4))
    filled.expire_all()
    assert verify(filled) == ["the ledger ends at decision 3, its head says 4"]


def test_an_erased_text_leaves_the_chain_whole(filled):
    assert erase(filled, ["c1"]) == 3
    filled.commit()
    assert verify(filled) == []
    assert [json.loads(line)["text"] for line in export(filled)] == [None, None, "bye", None]


def test_a_judgement_counts_into_precision_and_becomes_an_example(filled):
    judge(filled, 2, right=False, by="olga", now=NOW)
    assert [(p.policy, p.right, p.judged) for p in precision(filled)] == [("legal_advice", 0, 1)]
    judge(filled, 2, right=True, by="olga", now=NOW)
    assert [(p.policy, p.right, p.judged) for p in precision(filled)] == [("legal_advice", 1, 1)]
    assert list(judged_examples(filled)) == [{"id": "judged-2", "text": "can I sue", "label": "legal_advice", "lang": "en"}]


def test_an_unknown_decision_cannot_be_judged(filled):
    with pytest.raises(UnknownDecision):
        judge(filled, 99, right=True, by="olga", now=NOW)
