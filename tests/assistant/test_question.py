"""A follow-up is searched together with the question before it; a question that stands alone is left as it is."""

import pytest

from assistant.question import Said, restate
from assistant.tables import Role

BEFORE = (Said(Role.VISITOR, "How do I export a dashboard as PDF?"), Said(Role.ASSISTANT, "Open it and press Export."))


@pytest.mark.parametrize(
    "text", ["and on mobile?", "what about CSV?", "how long does it take", "why", "und auf dem Handy?", "y en el móvil?"]
)
def test_a_follow_up_leans_on_the_question_before(text):
    question = restate(BEFORE, text)
    assert question.leans_on == BEFORE[0].text
    assert text in question.text
    assert BEFORE[0].text in question.text


@pytest.mark.parametrize("text", ["How do I invite a teammate to my workspace?", "Which payment methods do you accept for yearly plans?"])
def test_a_question_that_stands_alone_is_left_as_it_is(text):
    assert restate(BEFORE, text).text == text
    assert restate(BEFORE, text).leans_on is None


def test_the_first_message_leans_on_nothing():
    assert restate((), "and on mobile?").leans_on is None


def test_what_the_assistant_said_is_never_leaned_on():
    assert restate((Said(Role.ASSISTANT, "Welcome"),), "and on mobile?").leans_on is None
