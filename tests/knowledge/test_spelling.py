import pytest

from knowledge.keywords import KeywordIndex
from knowledge.spelling import corrected


@pytest.fixture
def count():
    index = KeywordIndex()
    index.put(
        {"a": "Send an invoice to another workspace", "b": "Tallyboard dashboards and their refresh", "c": "Add a card to the account"}
    )
    return index.count


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("where is my invioce", "where is my invoice"),
        ("new worksapce please", "new workspace please"),
        ("my dashbord is empty", "my dashboard is empty"),
        ("open tallybaord on the phone", "open tallyboard on the phone"),
        ("change my acount", "change my account"),
    ],
)
def test_a_slip_becomes_the_word_of_the_articles(count, written, meant):
    assert corrected(written, count) == meant


def test_a_slip_may_become_a_frequent_word_that_no_article_has(count):
    assert corrected("i forgot the pasword", count) == "i forgot the password"


@pytest.mark.parametrize(
    "text",
    ["I cant login to the wifi", "deactivate it", "Ask Govenor or JSMQ or LinkedIn", "E4012 x7f", "caf\u00e9 cr\u00e8me", "", "\ud800 ?"],
)
def test_good_words_names_and_codes_stay(count, text):
    assert corrected(text, count) == text


def test_a_text_of_mostly_unknown_words_is_left_alone(count):
    assert corrected("acount worksapce invioce dashbord", count) == "acount worksapce invioce dashbord"
