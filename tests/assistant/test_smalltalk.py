"""Small talk is recognised only when it is the whole message."""

import pytest

from assistant.smalltalk import Smalltalk, smalltalk


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi!", Smalltalk.GREETING),
        ("hello there", Smalltalk.GREETING),
        ("Guten Morgen", Smalltalk.GREETING),
        ("buenos días", Smalltalk.GREETING),
        ("Thanks a lot, great help!", Smalltalk.THANKS),
        ("vielen Dank", Smalltalk.THANKS),
        ("merci beaucoup", Smalltalk.THANKS),
        ("ok thanks, bye", Smalltalk.GOODBYE),
        ("até logo", Smalltalk.GOODBYE),
    ],
)
def test_a_whole_message_of_small_talk_is_recognised(text, kind):
    assert smalltalk(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "hi, how do I reset my password",
        "thanks but it still fails",
        "hello?",
        "ok and on mobile",
        "goodbye message settings",
        "",
        "…",
        "hi " * 20,
    ],
)
def test_a_message_that_says_more_is_no_small_talk(text):
    assert smalltalk(text) is None
