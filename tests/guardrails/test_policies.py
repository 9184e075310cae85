"""A policy file is checked before it is used, and an error names file and line."""

import pytest
import yaml

from guardrails.policies import PolicyError, crisis_lines, load, ordinary, read, version

GOOD = {
    "id": "gift_wrapping",
    "title": "Gift wrapping",
    "refuses": "Asks for wrapping.",
    "action": "refuse",
    "stages": ["incoming"],
    "queue": "commercial",
    "reply": {"en": "We do not wrap."},
    "examples": {"en": [f"wrap parcel {n}" for n in range(12)]},
    "neighbours": {"en": [f"unwrap parcel {n}" for n in range(12)]},
}


def _write(folder, **changes):
    file = folder / "gift_wrapping.yaml"
    file.write_text(yaml.safe_dump({**GOOD, **changes}, sort_keys=False), encoding="utf-8")
    return file


def test_a_good_file_is_read(tmp_path):
    policy = read(_write(tmp_path))
    assert policy.id == "gift_wrapping"
    assert policy.enforced


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "explode"}, ":4: action:"),
        ({"id": "other"}, ":1: id is 'other'"),
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"patterns": {"en": ["(unclosed"]}}, "is not a regular expression"),
        ({"examples": {"en": ["only one"]}}, "at least 12 are needed"),
        ({"examples": {"en": [*GOOD["examples"]["en"], "Wrap  Parcel 3"]}}, "stands at line"),
        ({"neighbours": {"en": [*GOOD["neighbours"]["en"], "wrap parcel 3"]}}, "is both an example and a neighbour"),
    ],
)
def test_an_error_names_file_and_line(tmp_path, changes, said):
    with pytest.raises(PolicyError) as raised:
        read(_write(tmp_path, **changes))
    assert str(raised.value).startswith("gift_wrapping.yaml:")
    assert said in str(raised.value)


def test_broken_yaml_names_the_line(tmp_path):
    file = tmp_path / "gift_wrapping.yaml"
    file.write_text("id: gift_wrapping\ntitle: [open\naction: refuse\n", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"gift_wrapping\.yaml:\d+"):
        read(file)


def test_the_version_changes_with_a_single_word(tmp_path):
    before = version([read(_write(tmp_path))])
    after = version([read(_write(tmp_path, refuses="Asks for wrapping!"))])
    assert before != after


NEEDED = {"legal_advice": 250, "financial_advice": 250} | dict.fromkeys(
    ("medical_advice", "prompt_injection", "crisis", "abuse", "account_takeover"), 120
)


def test_the_shipped_pack_is_complete_and_has_enough_examples():
    policies = {policy.id: policy for policy in load()}
    assert len(policies) == 12
    for name, policy in policies.items():
        assert len(policy.requests) >= NEEDED.get(name, 60), name
        assert len(policy.allowed) >= NEEDED.get(name, 60), name
        assert {"en", "de", "fr", "es", "pt"} <= set(policy.reply), name
    for name in ("legal_advice", "financial_advice", "crisis"):
        for language in ("de", "fr", "es", "pt"):
            assert len(policies[name].examples[language]) >= 40
            assert len(policies[name].neighbours[language]) >= 40


def test_no_ordinary_message_is_also_an_example():
    examples = {text.lower() for policy in load() for _, text in policy.requests}
    assert not [text for _, text in ordinary() if text.lower() in examples]


def test_crisis_lines_hold_the_countries_of_the_issue():
    lines = crisis_lines()
    expected = {"US": "988", "GB": "116 123", "DE": "0800 111 0 111", "FR": "3114", "ES": "024", "PT": "1411", "BR": "188", "IN": "14416"}
    assert {country: lines[country].lines[0] for country in expected} == expected
    assert "findahelpline.com" in lines["default"].lines[0]
