import pytest

from knowledge.glossary import DATA, LANGUAGES, gloss


@pytest.mark.parametrize(
    ("language", "text", "english"),
    [
        ("de", "Wo finde ich meine Rechnungen?", "invoice"),
        ("fr", "Je veux r\u00e9silier mon abonnement", "cancel"),
        ("es", "No puedo cambiar la contrase\u00f1a", "password"),
        ("pt", "Como fa\u00e7o para cancelar a assinatura?", "subscription"),
    ],
)
def test_a_question_is_put_into_english_words(language, text, english):
    assert english in gloss(text, language).text.split()


def test_a_german_compound_is_what_its_parts_are():
    assert {"payment", "error"} <= set(gloss("Zahlungsfehler", "de").text.split())


def test_unknown_words_stay_and_lower_what_is_known():
    found = gloss("Qwertz Rechnung", "de")
    assert "Qwertz" in found.text
    assert found.known == 0.5


def test_a_text_without_telling_words_is_no_error():
    assert gloss("?", "de").text == ""


def test_every_line_of_the_glossary_has_all_languages():
    lines = [line for line in DATA.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]
    assert {line.count("|") for line in lines} == {len(LANGUAGES)}
    assert all(line.split("|")[0].strip() for line in lines)
