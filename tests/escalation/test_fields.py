"""What a ticket says of a conversation: our own labelled ones, what is asked for when it is missing, and when it is complete."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from escalation.fields import MOST_QUESTIONS, Fields, Said, complete, fill, lacking, missing

HERE = Path(__file__).parent
OWN = [row for name in ("conversations", "development_conversations") for row in yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))]
LISTS = {"error": "errors", "tried": "tried"}
NAMES = [
    *("goal", "symptom", "error", "tried", "device", "browser", "os", "app_version", "page"),
    *("account", "role", "plan", "contact_name", "contact_email"),
]


def transcript(said: list[str]) -> list[Said]:
    return [Said("assistant", text[1:]) if text.startswith("?") else Said("visitor", text) for text in said]


def same(found: str | None, wanted: str | None) -> bool:
    if not found or not wanted:
        return not found and not wanted
    left, right = (Counter(re.findall(r"\w+", text.lower())) for text in (found, wanted))
    return 2 * (left & right).total() / (left.total() + right.total()) >= 0.7


def value(fields: Fields, name: str) -> str | None:
    return " ".join(getattr(fields, LISTS[name])) if name in LISTS else getattr(fields, name)


def test_our_own_conversations_are_filled_as_labelled() -> None:
    wrong = [
        (name, row["say"][0], value(read, name))
        for row in OWN
        for read in [fill(transcript(row["say"]))]
        for name in NAMES
        if not same(value(read, name), row.get(name))
    ]
    assert len(wrong) <= 0.03 * len(OWN) * len(NAMES), wrong


def test_a_happening_told_without_a_word_of_trouble_is_the_symptom() -> None:
    assert fill([Said("visitor", "My room was next to the lift. I'd like another one.")]).symptom == "My room was next to the lift"


def test_a_question_is_the_goal_when_no_aim_was_said() -> None:
    assert (
        fill([Said("visitor", "I'm thinking about the big plan, what does it cost for nine people?")]).goal
        == "what does it cost for nine people"
    )


def test_who_they_are_and_what_they_wish_is_no_symptom() -> None:
    read = fill([Said("visitor", "My name is Ana Reis. The account is Fado Tours. We would like a demo for ten people.")])
    assert (read.symptom, read.goal) == (None, "a demo for ten people")


def test_what_was_asked_for_replaces_a_mere_mention() -> None:
    told = [Said("visitor", "The label printer is offline"), Said("assistant", "Which model is it?"), Said("visitor", "LP-200")]
    assert fill(told).device == "LP-200"


def test_what_the_page_told_is_kept() -> None:
    read = fill([Said("visitor", "the page is blank in Firefox 120")], known=Fields(browser="Firefox 128", locale="de-AT"))
    assert (read.browser, read.locale) == ("Firefox 128", "de-AT")


def test_nobody_but_the_visitor_fills_a_field() -> None:
    read = fill(
        [Said("assistant", "Are you on Chrome? My name is Helper, mail help@firstline.example"), Said("agent", "restart Windows 11")]
    )
    assert read == Fields()


@given(st.lists(st.tuples(st.sampled_from(["visitor", "assistant", "agent"]), st.text(max_size=300)), max_size=6))
def test_any_text_can_be_read(told: list[tuple[str, str]]) -> None:
    read = fill([Said(role, text) for role, text in told])
    assert read.columns().keys() >= {"goal", "symptom", "environment", "error_texts"}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["I want to " * 2000, "a " * 20_000, '"' * 20_000, "x" * 20_000, "error " * 5000, "my the " * 5000, ", and " * 4000]
)
def test_long_and_odd_messages_do_not_stall(text: str) -> None:
    fill([Said("visitor", text)])


@dataclass
class Described:
    """A ticket's columns."""

    conversation_id: str = "c1"
    reason: str = "asked"
    queue: str = "technical"
    language: str = "en"
    goal: str | None = None
    symptom: str | None = None
    environment: str | None = None
    account: str | None = None
    role: str | None = None
    contact_email: str | None = None
    asked: list[str] | None = None
    sources: list[dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        self.asked = self.asked or []


FULL = {
    "goal": "pay",
    "symptom": "declined",
    "environment": "Firefox",
    "account": "A1",
    "role": "owner",
    "contact_email": "a@b.example",
    "sources": [],
}


def test_a_full_ticket_is_complete_and_nothing_is_asked() -> None:
    assert complete(Described(**FULL))  # type: ignore[arg-type]
    assert missing(Described(**FULL)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FULL)
def test_each_missing_part_is_named(name: str) -> None:
    ticket = Described(**(FULL | {name: None}))  # type: ignore[arg-type]
    assert lacking(ticket) == (name.replace("contact_email", "contact"),)


def test_not_said_is_a_value_once_it_was_asked_for() -> None:
    ticket = Described(sources=[], asked=["goal", "symptom", "contact", "environment", "account", "role"])
    assert complete(ticket)  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "ja"])
@pytest.mark.parametrize(
    "known", [(), ("goal",), ("symptom", "contact_email"), ("goal", "symptom", "environment"), ("account", "role", "contact_email")]
)
def test_at_most_two_questions_cover_all_that_is_missing_and_never_ask_for_a_secret(language: str, known: tuple[str, ...]) -> None:
    ticket = Described(sources=[], **{name: FULL[name] for name in known})  # type: ignore[arg-type]
    questions = missing(ticket, language)  # type: ignore[arg-type]
    assert len(questions) <= MOST_QUESTIONS
    assert {name for question in questions for name in question.fields} == set(lacking(ticket))  # type: ignore[arg-type]
    asked = " ".join(question.text for question in questions).lower()
    assert not re.search(r"passwor|passwort|mot de passe|contraseñ|senha|\bpin\b|\bcards?\b|karte|carte|tarjeta|cartão|cvv|iban", asked)
