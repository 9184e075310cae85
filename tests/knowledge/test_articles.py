"""The life of an article in SQL: written, changed, retired, restored; no revision is ever lost or altered."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from api.database import Database
from knowledge import articles
from knowledge.articles import ArticleText, Hand, NoSuchArticle, NoSuchRevision, Picture, slugify
from knowledge.tables import ArticleId, ArticleKind, ArticleState, Image, Revision
from tests.builders import START, Clock, article, faq

ID = ArticleId("a" * 32)


def written(database: Database, text: ArticleText, article_id: str = ID) -> None:
    with database.write() as session:
        articles.create(session, text, ArticleId(article_id), Hand("handbook", START), source="handbook")


FULL = faq(
    section="Billing",
    summary="How long",
    language="de",
    url="https://example.org/x",
    tags=("a", "b"),
    wordings=("Trial?",),
    images=(Picture("b.png", "image/png", b"2"), Picture("a.png", "image/png", b"1")),
)


def test_a_new_article_is_published_with_its_first_revision(database: Database) -> None:
    written(database, article())
    with database.read() as session:
        stored = articles.get(session, ID)
        assert (stored.state, stored.revision, stored.slug, stored.created_at) == (ArticleState.PUBLISHED, 1, "ask-for-a-refund", START)
        assert session.get_one(Revision, (ID, 1)).author == "handbook"


def test_what_was_written_comes_back(database: Database) -> None:
    written(database, FULL)
    with database.read() as session:
        found = articles.text_of(session, articles.get(session, ID))
    assert replace(found, slug="", learned=None, images=FULL.images) == FULL
    assert {image.name: image.content for image in found.images} == {"a.png": b"1", "b.png": b"2"}


def test_a_change_replaces_text_and_pictures_and_counts(database: Database, clock: Clock) -> None:
    written(database, FULL)
    with database.write() as session:
        new = article(images=(Picture("c.png", "image/png", b"3"),))
        articles.change(session, articles.get(session, ID), new, Hand("Ada", clock.move(60), "shorter"))
    with database.read() as session:
        stored = articles.get(session, ID)
        assert (stored.revision, stored.kind, stored.updated_at, stored.created_at) == (2, ArticleKind.ARTICLE, clock(), START)
        assert session.scalars(select(Image.name)).all() == ["c.png"]
        assert session.get_one(Revision, (ID, 2)).note == "shorter"
        assert session.get_one(Revision, (ID, 1)).title == FULL.title


def test_the_text_of_every_revision_can_be_had_again(database: Database) -> None:
    written(database, FULL)
    with database.write() as session:
        articles.change(session, articles.get(session, ID), article(), Hand("Ada", START))
    with database.read() as session:
        first = articles.at_revision(session, articles.get(session, ID), 1)
        with pytest.raises(NoSuchRevision, match="no revision 3"):
            articles.at_revision(session, articles.get(session, ID), 3)
    assert (first.title, first.body, first.kind, first.tags, first.wordings, first.url) == (
        FULL.title,
        FULL.body,
        FULL.kind,
        FULL.tags,
        FULL.wordings,
        FULL.url,
    )


def test_a_retired_article_keeps_its_text_and_is_published_again_by_a_change(database: Database) -> None:
    written(database, article())
    with database.write() as session:
        articles.retire(articles.get(session, ID), now=START)
    with database.write() as session:
        stored = articles.get(session, ID)
        assert (stored.state, stored.body != "") == (ArticleState.RETIRED, True)
        articles.change(session, stored, article(), Hand("Ada", START))
        assert stored.state == ArticleState.PUBLISHED


def test_articles_of_one_title_get_addresses_of_their_own(database: Database) -> None:
    for number in range(3):
        written(database, article(f"a{number}"), f"{number:032}")
    with database.read() as session:
        assert [articles.get(session, f"{n:032}").slug for n in range(3)] == [
            "ask-for-a-refund",
            "ask-for-a-refund-2",
            "ask-for-a-refund-3",
        ]


def test_a_title_without_letters_of_the_alphabet_is_addressed_by_its_id(database: Database) -> None:
    written(database, article(title="日本語"))
    with database.read() as session:
        assert articles.get(session, ID).slug == ID


def test_two_articles_of_a_source_cannot_have_one_name(database: Database) -> None:
    written(database, article())
    with pytest.raises(IntegrityError):
        written(database, article(), "b" * 32)


def test_articles_are_found_by_their_names_at_the_source(database: Database) -> None:
    for number in range(3):
        written(database, article(f"a{number}"), f"{number:032}")
    with database.read() as session:
        names = [f"a{n}" for n in range(2, 1500)]
        assert list(articles.by_external_id(session, "handbook", names)) == ["a2"]
        assert articles.by_external_id(session, "elsewhere", names) == {}
        assert articles.by_external_id(session, "handbook", []) == {}


def test_an_article_that_never_was_is_said_so(database: Database) -> None:
    with database.read() as session, pytest.raises(NoSuchArticle):
        articles.get(session, "nosuch")


@given(st.text(max_size=400))
def test_an_address_is_made_of_letters_digits_and_hyphens(title: str) -> None:
    slug = slugify(title)
    assert len(slug) <= 120
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in slug)
    assert not slug.startswith("-")
    assert not slug.endswith("-")


def test_an_accent_does_not_break_an_address() -> None:
    assert slugify("Crème brûlée — naïve?") == "creme-brulee-naive"


def test_the_order_of_fields_cannot_be_mistaken_in_the_hash() -> None:
    one, other = article(title="a", body="b c"), article(title="a b", body="c")
    assert one.content_hash != other.content_hash
    assert article(tags=("a", "b")).content_hash != article(tags=("ab",)).content_hash
    assert article(tags=("a",)).content_hash != article(wordings=("a",)).content_hash


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_every_text_has_a_hash(body: str) -> None:
    assert len(article(body=body or "x").content_hash) == 64
