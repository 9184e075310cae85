"""What a message says about needing a person, with and without the learned voices."""

import pytest

from escalation.settings import EscalationSettings
from escalation.triage import UNROUTED, Triage, matter


@pytest.mark.parametrize("text", ["I want to talk to a human please", "human please", "Ich möchte mit einem Menschen sprechen."])
def test_who_only_asks_for_a_person_is_not_routed_by_that(text: str) -> None:
    triage = Triage(EscalationSettings())
    assert triage.asks(text, {})
    assert triage.route(matter(text), {}, "en").queue == UNROUTED


def test_the_matter_is_what_is_left_without_the_wish() -> None:
    text = "My invoice for March is wrong. Let me talk to a person."
    assert matter(text) == "My invoice for March is wrong."


def test_without_the_encoders_words_alone_route() -> None:
    triage = Triage.over({}, EscalationSettings())
    assert triage.router is None
    assert triage.route("please send me a copy of my invoice and a refund", {}, "en").queue in {"billing", UNROUTED}
