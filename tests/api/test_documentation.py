"""The README says what the code says."""

import re

from api.documentation import README, with_settings
from api.settings import PREFIX, every_setting


def test_the_readme_lists_every_setting_as_the_code_has_it():
    text = README.read_text(encoding="utf-8")
    assert with_settings(text) == text


def test_every_setting_says_what_it_is_for():
    assert all(len(field.description or "") >= 15 for _, _, field in every_setting())


def test_no_two_folders_have_a_setting_of_the_same_name():
    names = [name for _, name, _ in every_setting()]
    assert len(names) == len(set(names))


def test_the_files_that_the_tour_names_exist():
    links = re.findall(r"\]\(([\w./-]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_every_setting_that_the_readme_names_exists():
    named = set(re.findall(rf"{PREFIX}([A-Z_]+)", README.read_text(encoding="utf-8")))
    assert named <= {name.upper() for _, name, _ in every_setting()}
