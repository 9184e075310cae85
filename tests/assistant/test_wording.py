"""Every sentence a visitor can read exists in every shipped language."""

import re

import pytest

from assistant import wording


def sentences(language):
    flat = {}
    for key, value in wording._locale(language).items():
        flat |= {f"{key}.{name}": text for name, text in value.items()} if isinstance(value, dict) else {key: value}
    return flat


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_no_language_lacks_a_sentence(language):
    assert sentences(language).keys() == sentences("en").keys()


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_sentence_has_the_same_blanks_to_fill_in(language):
    def blanks(text):
        return sorted(re.findall(r"\{(\w+)\}", str(text)))

    english = sentences("en")
    assert [key for key, text in sentences(language).items() if blanks(text) != blanks(english[key])] == []


@pytest.mark.parametrize(("tag", "language"), [("pt-BR", "pt"), ("de_AT", "de"), ("EN", "en"), ("sv", "en"), ("", "en")])
def test_a_tag_finds_the_nearest_shipped_language(tag, language):
    assert wording.shipped(tag) == language


def test_a_language_is_named_in_the_words_of_another():
    assert wording.language_name("en", "de") == "Englisch"
