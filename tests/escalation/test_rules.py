"""When a person is called or offered: the order of the rules, each rule alone, and the past that counts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.rules import (
    RULES,
    EarlierTurn,
    Escalate,
    Form,
    Offer,
    PolicyAction,
    Signals,
    Stay,
    decide,
    failed_in_a_row,
    since,
    times_asked,
)
from escalation.settings import EscalationSettings
from escalation.tables import Reason

LIMITS = EscalationSettings()
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

ALONE = [
    (Signals(policy="crisis", policy_action=PolicyAction.HANDOVER), Escalate, Reason.POLICY_HANDOVER),
    (Signals(form=Form.CONTACT), Escalate, Reason.FORM),
    (Signals(form=Form.BUG_REPORT), Escalate, Reason.FORM),
    (Signals(asked_for_person=True), Escalate, Reason.ASKED),
    (Signals(language_known=False), Escalate, Reason.UNKNOWN_LANGUAGE),
    (Signals(policy="legal_advice", policy_action=PolicyAction.REFUSE), Offer, Reason.POLICY_REFUSED),
    (Signals(policy="payment_dispute", policy_action=PolicyAction.ROUTE), Offer, Reason.POLICY_ROUTED),
    (Signals(not_solved=True), Offer, Reason.NOT_SOLVED),
    (Signals(same_question=3), Offer, Reason.REPEATED),
    (Signals(failed_turns=2), Offer, Reason.FAILED_TURNS),
    (Signals(anger=1.0), Offer, Reason.ANGER),
    (Signals(covered=False), Offer, Reason.NOT_COVERED),
]


@pytest.mark.parametrize(("signals", "kind", "reason"), ALONE)
def test_each_signal_alone_has_its_reason_and_a_sentence(signals: Signals, kind: type[Escalate | Offer], reason: Reason) -> None:
    decision = decide(signals, LIMITS)
    assert type(decision) is kind
    assert not isinstance(decision, Stay)
    assert decision.reason is reason
    assert decision.sentence.endswith(".")
    assert "{" not in decision.sentence


def test_a_turn_that_went_well_stays() -> None:
    assert decide(Signals(), LIMITS) == Stay()


def test_one_step_before_a_limit_stays() -> None:
    assert decide(Signals(same_question=2, failed_turns=1, anger=0.75), LIMITS) == Stay()


def test_every_reason_has_exactly_one_rule() -> None:
    assert sorted(rule.reason for rule in RULES) == sorted(Reason)


def test_what_acts_at_once_stands_before_what_offers() -> None:
    kinds = [rule.then for rule in RULES]
    assert kinds == sorted(kinds, key=[Escalate, Offer].index)


def test_who_is_in_danger_and_asks_for_a_person_comes_by_the_policy() -> None:
    decision = decide(Signals(policy="crisis", policy_action=PolicyAction.HANDOVER, asked_for_person=True), LIMITS)
    assert decision == Escalate(Reason.POLICY_HANDOVER, "The guard policy “crisis” hands this over to a person.")


def test_anger_is_offered_once() -> None:
    assert decide(Signals(anger=3.0, offered=frozenset({Reason.ANGER})), LIMITS) == Stay()
    decision = decide(Signals(anger=3.0, offered=frozenset({Reason.ANGER}), covered=False), LIMITS)
    assert isinstance(decision, Offer)
    assert decision.reason is Reason.NOT_COVERED


@given(
    st.builds(
        Signals,
        held=st.just(True),
        policy_action=st.sampled_from([None, *PolicyAction]),
        asked_for_person=st.booleans(),
        covered=st.booleans(),
        failed_turns=st.integers(0, 9),
        anger=st.floats(0, 9),
    ),
)
def test_nothing_is_decided_while_a_person_has_the_conversation(signals: Signals) -> None:
    assert decide(signals, LIMITS) == Stay()


@given(st.builds(Signals, covered=st.booleans(), failed_turns=st.integers(0, 9), same_question=st.integers(1, 9), anger=st.floats(0, 9)))
def test_asking_for_a_person_always_wins_over_an_offer(signals: Signals) -> None:
    asked = Signals(**{**vars(signals), "asked_for_person": True})
    decision = decide(asked, LIMITS)
    assert isinstance(decision, Escalate)
    assert decision.reason is Reason.ASKED


def turns(*told: tuple[bool, float]) -> list[EarlierTurn]:
    return [EarlierTurn(NOON + timedelta(minutes=n), failed, similarity) for n, (failed, similarity) in enumerate(told)]


def test_only_turns_after_the_boundary_count() -> None:
    told = turns((True, 0.9), (True, 0.9), (False, 0.1))
    assert since(NOON + timedelta(minutes=1), told) == told[2:]
    assert since(None, told) == told


def test_failed_turns_are_counted_back_to_the_last_answer() -> None:
    assert failed_in_a_row([], this_failed=True) == 1
    assert failed_in_a_row(turns((True, 0), (False, 0), (True, 0)), this_failed=True) == 2
    assert failed_in_a_row(turns((True, 0), (True, 0)), this_failed=True) == 3
    assert failed_in_a_row(turns((True, 0), (True, 0)), this_failed=False) == 0


def test_the_same_question_counts_itself() -> None:
    assert times_asked([], LIMITS) == 1
    assert times_asked(turns((False, 0.95), (False, 0.3), (True, LIMITS.same_from)), LIMITS) == 3
