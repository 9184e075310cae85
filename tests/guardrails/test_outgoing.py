"""Nothing leaves that a source does not carry."""

import pytest

from guardrails.checks.citations import uncited
from guardrails.checks.grounding import unsupported
from guardrails.checks.links import foreign
from guardrails.checks.promises import broken_promises
from guardrails.drafts import CitedPassage, DraftToScreen

PASSAGE = CitedPassage(
    "p1",
    "Refunds reach your card in 5 to 10 business days. Plans cost 1,000 € a year. "
    "See https://help.example/refunds or write to us@help.example.",
    "Refunds",
)


def _draft(text: str, **more) -> DraftToScreen:
    return DraftToScreen(text=text, cited=(PASSAGE,), retrieved=frozenset({"p1"}), **more)


def test_a_quotation_passes_every_check():
    draft = _draft("Refunds reach your card in 5 to 10 business days. See https://help.example/refunds.", quoted=True)
    assert not [*uncited(draft), *unsupported(draft), *foreign(draft), *broken_promises(draft)]


def test_a_citation_that_was_not_retrieved_is_found():
    draft = DraftToScreen(text="x", cited=(PASSAGE,), retrieved=frozenset({"p2"}))
    assert "was not retrieved" in next(iter(uncited(draft)))


def test_a_statement_without_a_source_is_found():
    assert list(uncited(DraftToScreen(text="It takes a week.")))


@pytest.mark.parametrize(
    "text", ["It takes 3 days.", "It costs 99 €.", "Write to me@help.example.", "Open until 12 March.", "It takes two weeks."]
)
def test_a_number_no_passage_holds_is_found(text):
    assert list(unsupported(_draft(text)))


def test_the_same_number_may_be_written_otherwise():
    assert not list(unsupported(_draft("A plan costs 1000 €.")))


@pytest.mark.parametrize(
    "text",
    [
        "See https://evil.example/x",
        "go to www.evil.example now",
        "evil.example has it",
        "![x](https://help.example/refunds)",
        "<img src=x>",
        "javascript:alert(1)",
    ],
)
def test_a_foreign_link_or_an_image_is_found(text):
    assert list(foreign(_draft(text)))


@pytest.mark.parametrize(
    "text",
    [
        "I promise it works tomorrow.",
        "We will refund you.",
        "You will receive a full refund.",
        "I have cancelled your plan.",
        "I've forwarded this to our team.",
        "We have opened a ticket for you.",
        "Wir erstatten Ihnen das Geld.",
        "Ich habe Ihr Konto gelöscht.",
        "Nous vous remboursons demain.",
        "He enviado un correo.",
        "Please tell me your password.",
        "What is your card number?",
        "Nennen Sie mir hier Ihr Passwort.",
    ],
)
def test_a_promise_a_claim_or_a_question_for_a_secret_is_found(text):
    assert list(broken_promises(_draft(text)))


def test_a_claim_with_its_event_is_true():
    assert not list(broken_promises(_draft("I've forwarded this to our team.", events=frozenset({"handed_over"}))))


@pytest.mark.parametrize(
    "text",
    [
        "Enter your password on the sign-in page and press Continue.",
        "You can request a refund in Settings.",
        "Cancel your plan under Billing.",
    ],
)
def test_ordinary_instructions_promise_nothing(text):
    assert not list(broken_promises(_draft(text)))


def test_our_own_fixed_sentences_need_no_source():
    draft = _draft(
        "I've forwarded this to our team. Office hours: 9 to 18.", ours=("I've forwarded this to our team.", "Office hours: 9 to 18.")
    )
    assert not [*unsupported(draft), *broken_promises(draft)]
