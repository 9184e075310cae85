"""Sentences are found in one pass, and nothing of the message is lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from guardrails.sentences import MAX_SENTENCES, sentences


def _parts(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_abbreviations_and_numbers_do_not_end_a_sentence():
    assert _parts("My order no. 5 of 12.5 kg is late, e.g. since Monday. Can you check?") == [
        "My order no. 5 of 12.5 kg is late, e.g. since Monday.",
        "Can you check?",
    ]


def test_a_greeting_belongs_to_what_follows():
    assert _parts("Hi! Where is my parcel?") == ["Hi! Where is my parcel?"]


def test_a_list_has_a_sentence_per_item():
    assert len(_parts("Two things:\n- where is my invoice\n- can I sue my landlord")) == 3


@given(st.text(alphabet="ab .!?\n-1", max_size=400))
def test_the_spans_are_in_order_and_hold_every_letter(text):
    spans = sentences(text)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert len(spans) <= MAX_SENTENCES
    kept = "".join(text[start:end] for start, end in spans)
    assert [c for c in kept if not c.isspace()] == [c for c in text if not c.isspace()]
