"""A setting that cannot be used stops the start with a sentence that names it."""

import pytest

from api.settings import Settings, SettingsError, every_setting, from_environment


def test_without_any_setting_everything_has_its_default() -> None:
    assert from_environment({}) == Settings()
    assert from_environment({"PATH": "/bin", "OTHER_SETTING": "1"}) == Settings()


def test_a_setting_is_read_from_the_variable_of_its_name() -> None:
    settings = from_environment({"FIRSTLINE_PORT": "9000", "FIRSTLINE_ANSWER_WORDS": "80", "FIRSTLINE_MULTILINGUAL": "false"})
    assert (settings.api.port, settings.assistant.answer_words, settings.knowledge.multilingual) == (9000, 80, False)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FIRSTLINE_PROT", "1", "FIRSTLINE_PROT is not a setting; did you mean FIRSTLINE_PORT?"),
        ("FIRSTLINE_ANSWERWORDS", "80", "did you mean FIRSTLINE_ANSWER_WORDS?"),
        ("FIRSTLINE_XYZZYX", "1", "FIRSTLINE_XYZZYX is not a setting"),
        ("FIRSTLINE_PORT", "http", "FIRSTLINE_PORT: "),
        ("FIRSTLINE_PORT", "65536", "FIRSTLINE_PORT: "),
        ("FIRSTLINE_PORT", "", "FIRSTLINE_PORT: "),
        ("FIRSTLINE_ANSWER_WORDS", "1000000", "FIRSTLINE_ANSWER_WORDS: "),
        ("FIRSTLINE_TARGET_ERROR", "2", "FIRSTLINE_TARGET_ERROR: "),
        ("FIRSTLINE_TRUSTED_PROXIES", "10.0.0.0/8, somewhere", "FIRSTLINE_TRUSTED_PROXIES: "),
        ("FIRSTLINE_LOG_LEVEL", "loud", "FIRSTLINE_LOG_LEVEL: "),
        ("FIRSTLINE_MULTILINGUAL", "perhaps", "FIRSTLINE_MULTILINGUAL: "),
        ("FIRSTLINE_MESSAGE_CHARACTERS", "4001", "FIRSTLINE_MESSAGE_CHARACTERS: "),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({name: value})
    assert said in str(refused.value)


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({"FIRSTLINE_PROT": "1", "FIRSTLINE_PORT": "x", "FIRSTLINE_ANSWER_WORDS": "y"})
    assert len(str(refused.value).splitlines()) == 3


def test_no_two_folders_have_a_setting_of_the_same_name_and_each_says_what_it_is_for() -> None:
    settings = list(every_setting())
    names = [name for _, name, _ in settings]
    assert len(names) == len(set(names))
    assert [name for _, name, field in settings if not field.description] == []
