"""Golden questions, and edits tried on them before they are published."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from api.bootstrap import Service
from api.database import Database
from knowledge import articles, golden
from knowledge.confidence import Band
from knowledge.golden import BreaksProtected, Golden, NoName, NoSuchGolden
from knowledge.publishing import Change, Origin
from knowledge.rehearsal import Edit
from knowledge.tables import Article, ArticleState
from tests.builders import HANDBOOK, START, Shelf, article, faq, find, publish

BY_HAND = Origin("handbook", "ada", by_hand=True, overwrite=True)
TRIAL = "How long is the trial?"


def keep(service: Service, question: str, article_id: str, *, protected: bool = True) -> str:
    with service.database.write() as session:
        return golden.add(session, Golden(question, article_id, protected), service.new_id(), by="ada", now=service.now()).id


def test_a_question_stands_once_and_says_who_protected_it(shelf: Shelf) -> None:
    (done,) = shelf.library().publisher.publish([faq()], HANDBOOK, now=START)
    with shelf.database.write() as session:
        first = golden.add(session, Golden(TRIAL, str(done.article_id), protected=False), "1" * 32, by="ada", now=START)
        again = golden.add(session, Golden("how long  is the TRIAL?", str(done.article_id)), "2" * 32, by="kim", now=START)
        assert first.id == again.id == "1" * 32
        assert (again.added_by, again.changed_by, again.protected) == ("ada", "kim", True)
        assert golden.listed(session, protected=True) == [first]


def test_protection_is_lifted_and_a_question_removed_only_under_a_name(shelf: Shelf) -> None:
    (done,) = shelf.library().publisher.publish([faq()], HANDBOOK, now=START)
    with shelf.database.write() as session:
        kept = golden.add(session, Golden(TRIAL, str(done.article_id)), "1" * 32, by="ada", now=START)
        with pytest.raises(NoName):
            golden.protect(session, kept.id, protected=False, by=" ", now=START)
        with pytest.raises(ValueError, match="lift the protection first"):
            golden.remove(session, kept.id, by="ada", now=START)
        golden.protect(session, kept.id, protected=False, by="kim", now=START)
        assert kept.changed_by == "kim"
        golden.remove(session, kept.id, by="kim", now=START)
        with pytest.raises(NoSuchGolden):
            golden.get(session, kept.id)


def test_a_question_needs_words_and_an_article_that_there_is(database: Database) -> None:
    with database.write() as session, pytest.raises(ValueError, match="blank"):
        golden.add(session, Golden("  ", "1" * 32), "1" * 32, by="ada", now=START)
    with database.write() as session, pytest.raises(articles.NoSuchArticle):
        golden.add(session, Golden("why?", "1" * 32), "1" * 32, by="ada", now=START)


def test_confirmed_answers_are_kept_unprotected_and_change_nothing_that_is_known(shelf: Shelf) -> None:
    (done,) = shelf.library().publisher.publish([faq()], HANDBOOK, now=START)
    with shelf.database.write() as session:
        golden.add(session, Golden(TRIAL, str(done.article_id)), "1" * 32, by="ada", now=START)
        found = [(TRIAL, str(done.article_id)), ("trial days", str(done.article_id)), (" ", str(done.article_id))]
        assert golden.confirmed(session, found, iter(["2" * 32]).__next__, by="visitors", now=START) == 1
        assert [(row.question, row.protected) for row in golden.listed(session)] == [(TRIAL, True), ("trial days", False)]


# ── before publishing ───────────────────────────────────────────────────────────────────────────────


def test_a_rehearsal_publishes_nothing(service: Service) -> None:
    publish(service, faq(), article())
    (change,) = service.library.rehearse(["trial"], Edit((("new:x", faq("x", "trial", "Seven days.")),)))
    assert change.after.article_id == "new:x"
    assert find(service, "trial")[0] == TRIAL
    with service.database.read() as session:
        assert len(session.scalars(select(Article)).all()) == 2


def test_what_is_rehearsed_is_what_is_found_after_publishing(sample: Service) -> None:
    """On the real encoders: the sample is left as it was."""
    with sample.database.read() as session:
        known = session.scalars(select(Article).where(Article.slug == "ask-for-a-refund")).one()
        before = articles.text_of(session, known)
    asked = ["How do I get my money back?", "my dashboard takes forever to load", "Wie bekomme ich mein Geld zurück?", "pay with bitcoin"]
    edited = replace(before, title="Bitcoin", body="You cannot pay with Bitcoin.\n\n## Other coins\n\nNor with other coins.")
    by_hand = Origin(known.source, "ada", by_hand=True, overwrite=True)
    rehearsed = sample.library.rehearse(asked, Edit(((known.id, edited),)))
    try:
        sample.library.publisher.publish([edited], by_hand, now=sample.now())
        found = sample.library.rehearse(asked, Edit())
    finally:
        sample.library.publisher.publish([before], by_hand, now=sample.now())
    assert [(one.after.article_id, one.after.band) for one in rehearsed] == [(one.before.article_id, one.before.band) for one in found]
    assert [one.after.probability for one in rehearsed] == pytest.approx([one.before.probability for one in found], abs=0.03)


def test_an_edit_that_breaks_a_protected_question_is_refused_until_a_named_person_lifts_the_protection(sample: Service) -> None:
    asked = "How do I get my money back for a yearly plan?"
    (now,) = sample.library.rehearse([asked], Edit())
    assert now.before.band in {Band.ANSWER, Band.UNSURE}
    with sample.database.read() as session:
        known = articles.get(session, now.before.article_id or "")
        text = articles.text_of(session, known)
    kept = keep(sample, asked, known.id)
    by_hand = Origin(known.source, "ada", by_hand=True, overwrite=True)
    bad = replace(text, title="Watering plants", summary="", body="Water the plants on Mondays.", wordings=(), learned=())
    publisher = sample.library.publisher
    try:
        with pytest.raises(BreaksProtected, match="would no longer be answered") as refused:
            publisher.publish([bad], by_hand, now=sample.now())
        assert [one.golden_id for one in refused.value.trial.broken] == [kept]
        with pytest.raises(BreaksProtected):
            publisher.withdraw(known.id, ArticleState.RETIRED, by_hand, now=sample.now())
        with pytest.raises(BreaksProtected):
            publisher.keep(text, by_hand, now=sample.now())
        with pytest.raises(BreaksProtected):
            publisher.delete(known.id)
        (conflict,) = publisher.publish([bad], replace(by_hand, by_hand=False), now=sample.now())
        assert conflict.change is Change.CONFLICT
        assert asked in conflict.reason
        assert sample.library.rehearse([asked], Edit())[0].before == now.before
        trial = sample.library.attempt([bad], known.source, own=["plants"])
        assert [one.change.question for one in trial.changed][:1] == [asked]
        with sample.database.write() as session:
            golden.protect(session, kept, protected=False, by="ada", now=sample.now())
        publisher.publish([bad], by_hand, now=sample.now())
        assert sample.library.rehearse([asked], Edit())[0].before.article_id != known.id
    finally:
        with sample.database.write() as session:
            golden.protect(session, kept, protected=False, by="ada", now=sample.now())
            golden.remove(session, kept, by="ada", now=sample.now())
        publisher.publish([text], by_hand, now=sample.now())


def test_an_article_that_takes_over_a_retired_ones_question_does_not_break_it(service: Service) -> None:
    old, other = publish(service, faq(), article())
    keep(service, TRIAL, str(old.article_id))
    taking = faq("taking", "Trial", "The trial lasts 14 days.", learned=(TRIAL,))
    trial = service.library.attempt([taking], "handbook", [str(old.article_id)])
    assert trial.broken == ()
    assert service.library.attempt([], "handbook", [str(old.article_id)]).broken != () or find(service, TRIAL) == []
    assert other.article_id


def test_a_source_brings_everything_but_what_would_break_a_protected_question(service: Service) -> None:
    (old,) = publish(service, faq())
    keep(service, TRIAL, str(old.article_id))
    met = service.library.rehearse([TRIAL], Edit())[0].before.band
    assert met is not Band.NOT_COVERED
    results = service.library.publisher.publish(
        [faq(title="Zebras", body="Zebras run."), article("invoices", "Download an invoice", "Open **Invoices**.")], HANDBOOK, now=START
    )
    assert [result.change for result in results] == [Change.CONFLICT, Change.NEW]
    assert find(service, TRIAL)[0] == TRIAL
