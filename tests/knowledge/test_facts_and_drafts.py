"""What is specific is known as such, and enters an answer only when two people or an article say it."""

import numpy as np
import pytest

from guardrails.checks.personal_data import mask_personal
from knowledge import drafting
from knowledge.drafting import Known, Means, Told
from knowledge.embedding import HashingEncoder, vectors
from knowledge.facts import facts_in
from knowledge.wording import as_question

ENCODER = HashingEncoder()
MEANS = Means(lambda texts: {"main": vectors(ENCODER, texts)}, mask_personal)
NOWHERE = np.zeros(len(vectors(ENCODER, ["x"])[0]), dtype=np.float32)


def answered(*told: str, known: tuple[Known, ...] = ()) -> str:
    messages = [Told(f"m{n}", f"t{n}", f"p{n}", text) for n, text in enumerate(told)]
    return drafting.markdown(drafting.answer(messages, known, NOWHERE, MEANS))


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Open the settings and press the button.", set()),
        ("It takes 5 to 10 working days.", {"5", "10"}),
        ("It takes five to ten days.", {"5", "10"}),
        ("Please ask Priya about it.", {"priya"}),
        ("please ask priya about it", {"priya"}),
        ("Your order AB-1234 costs 1,000 euros.", {"ab-1234", "1000"}),
        ("See https://www.example.org/help/.", {"example.org/help"}),
    ],
)
def test_what_is_specific_is_told_from_what_is_plain(text: str, facts: set[str]) -> None:
    assert facts_in(text) >= facts
    assert bool(facts_in(text)) == bool(facts)


def test_a_fact_of_one_conversation_stays_there_and_one_of_two_enters() -> None:
    one, two = "The refund takes 7 days to arrive.", "The refund takes 9 days to arrive."
    assert answered(one, two) == ""
    assert answered(one, f"Hi Ben, {one[0].lower()}{one[1:]}") == one


def test_a_fact_that_an_article_states_may_stand() -> None:
    known = (Known("p1", "a1", "The refund takes 7 days."),)
    said = "The refund takes 7 days to arrive."
    assert answered(said, "The refund takes some days to arrive.", known=known).startswith("The refund takes")


def test_the_same_person_told_twice_is_one_conversation() -> None:
    told = [Told(f"m{n}", f"t{n}", "p", "The order 4711 takes 7 days to arrive.") for n in range(2)]
    assert drafting.answer(told, (), NOWHERE, MEANS) == []


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("hi, i want to export my data please", "How do I export my data?"),
        ("where is my invoice", "Where is my invoice?"),
        ("My card has not arrived.", "My card has not arrived"),
        ("Can I pay by card? I have a visa", "Can I pay by card?"),
    ],
)
def test_a_wording_becomes_the_question_of_a_faq(said: str, asked: str) -> None:
    assert as_question(said) == asked


def test_a_wording_loses_what_is_one_persons_own() -> None:
    assert drafting.scrubbed("why was 4711 refused for my card", frozenset()) == "why was refused for my card"
    assert drafting.scrubbed("[EMAIL] 4711 88", frozenset()) == ""


def test_a_wording_keeps_its_first_word_and_loses_a_name() -> None:
    assert drafting.scrubbed("What should I do now?", frozenset()) == "What should I do now?"
    assert "Priya" not in drafting.scrubbed("What should I tell Priya about the payment?", frozenset())
    assert "4711" not in drafting.scrubbed("Where is my order 4711 now please?", frozenset())


HALVES = (
    "Open the list of payments. You can cancel it while it waits.",
    "Open the list of payments. It is sent on the next working day.",
)


def test_agents_who_tell_different_halves_of_an_answer_are_both_heard() -> None:
    found = answered(*HALVES)
    assert "Open the list of payments." in found
    assert "You can cancel it while it waits." in found
    assert "It is sent on the next working day." in found


@pytest.mark.parametrize("own", ["We posted it to your grandparents' house.", "It takes 9 days.", "Priya knows about it."])
def test_what_one_person_alone_was_told_of_is_no_half_of_an_answer(own: str) -> None:
    assert own not in answered(*HALVES, f"Open the list of payments. {own}")


def test_a_clause_that_leans_on_a_lost_one_is_no_sentence() -> None:
    assert "If that time has passed" not in answered(
        *HALVES, "Open the list of payments. If that time has passed, write to 4711 in the chat."
    )
