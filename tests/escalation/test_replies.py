"""Reply templates: shipped in five languages, previewed with their gaps, never sent with one."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from escalation import replies
from escalation.replies import KNOWN, MissingPlaceholder, NoSuchTemplate, ReplyKind, Template, UnknownPlaceholder, preview, render, shipped
from escalation.tables import Base

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
VALUES = {
    "name": "Ann",
    "number": "12",
    "issue": "the export",
    "timeframe": "within four hours",
    "outcome": "we fixed it",
    "explanation": "A certificate had run out.",
    "team": "engineers",
}
ASKED_FOR = {  # source-documents.md, section 3
    "acknowledgement": ({"issue", "timeframe"}, set()),
    "resolution": ({"outcome", "explanation"}, {"tip"}),
    "escalation": ({"team", "timeframe"}, {"workaround"}),
}


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
@pytest.mark.parametrize("name", ASKED_FOR)
def test_each_shipped_template_has_the_placeholders_of_the_programme(name: str, language: str) -> None:
    template = shipped()[name, language]
    required, optional = ASKED_FOR[name]
    assert required <= set(template.required)
    assert optional == set(template.optional)
    assert set(template.placeholders) <= KNOWN
    text = render(template, VALUES)
    assert not set("{}[]") & set(text)
    assert all(VALUES[one] in text for one in template.required)


@pytest.mark.parametrize(("name", "extra"), [("resolution", "tip"), ("escalation", "workaround")])
def test_an_optional_sentence_appears_only_with_its_value(name: str, extra: str) -> None:
    template = shipped()[name, "en"]
    without, with_it = render(template, VALUES), render(template, VALUES | {extra: "use the old page"})
    assert "use the old page" in with_it
    assert len(with_it) > len(without) + len("use the old page")


def test_a_gap_is_shown_in_the_preview_and_refused_when_sent() -> None:
    template = shipped()["acknowledgement", "en"]
    shown = preview(template, VALUES | {"timeframe": "  "})
    assert shown.missing == ("timeframe",)
    assert "[timeframe]" in shown.text
    with pytest.raises(MissingPlaceholder) as refused:
        render(template, {})
    assert refused.value.names == ("name", "issue", "number", "timeframe")


@given(st.text(min_size=1).filter(str.strip))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    template = Template("own", ReplyKind.OWN, "en", "About {issue}: {explanation}", {})
    assert render(template, {"issue": value, "explanation": "{number}"}) == f"About {value.strip()}: {{number}}"


def test_own_templates_come_before_shipped_ones_and_are_replaced_by_name(session: Session) -> None:
    own = Template("acknowledgement", ReplyKind.ACKNOWLEDGEMENT, "en", "Got it, {name}.")
    replies.keep(session, own, "t1", by="ann", now=NOW)
    replies.keep(session, Template("acknowledgement", ReplyKind.ACKNOWLEDGEMENT, "en", "Got it!, {name}."), "t2", by="bo", now=NOW)
    assert replies.get(session, "acknowledgement", "en").text == "Got it!, {name}."
    replies.drop(session, "acknowledgement", "en")
    assert replies.get(session, "acknowledgement", "en") == shipped()["acknowledgement", "en"]
    assert replies.names(session) == ["acknowledgement", "escalation", "resolution"]


def test_a_language_without_a_template_gets_the_english_one(session: Session) -> None:
    assert replies.get(session, "resolution", "ja").language == "en"


def test_unknown_names_and_placeholders_are_refused(session: Session) -> None:
    with pytest.raises(UnknownPlaceholder, match="password"):
        replies.keep(session, Template("x", ReplyKind.OWN, "en", "Send me your {password}"), "t1", by="ann", now=NOW)
    with pytest.raises(NoSuchTemplate):
        replies.get(session, "poem", "en")
    with pytest.raises(NoSuchTemplate):
        replies.drop(session, "poem", "en")
