"""Articles that need a writer though nobody asked anything new: those that do not help, and those nobody needs."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from knowledge import proposing, suggestions, upkeep
from knowledge.drafting import Means
from knowledge.embedding import HashingEncoder, Vectors
from knowledge.loop_tables import SuggestionId, SuggestionKind
from knowledge.suggestions import Proposal
from knowledge.support import Sentence, Source
from knowledge.tables import Article
from knowledge.upkeep import UNUSED, Use
from tests.builders import HANDBOOK, START, Shelf, faq

ENCODER = HashingEncoder()
LATER = START + UNUSED + timedelta(days=1)


def embedded(texts: list[str]) -> dict[str, Vectors]:
    return {"main": np.asarray(ENCODER.embed_documents(texts), dtype=np.float32)}


MEANS = Means(embedded, str)


def published(shelf: Shelf, body: str = "Open **Billing**. Press **Export**. A single export of all of it costs 5 euros.") -> Article:
    shelf.library().publisher.publish([faq("export", "How do I export my invoices?", body)], HANDBOOK, now=START)
    with shelf.database.read() as session:
        return session.query(Article).one()


def stale(shelf: Shelf, use: Use, *, now: object = START) -> list[Proposal]:
    with shelf.database.read() as session:
        article = session.query(Article).one()
        return upkeep.stale(session, {article.id: use, "another": Use(1, 0, LATER)}, now=now)  # type: ignore[arg-type]


def test_what_most_people_called_unhelpful_is_to_be_refreshed(shelf: Shelf) -> None:
    article = published(shelf)
    (found,) = stale(shelf, Use(helpful=2, unhelpful=3, cited_at=START))
    assert (found.kind, found.title, found.text) == (SuggestionKind.REFRESH, article.title, article.body)
    assert found.target is not None
    assert found.target.article_id == article.id
    assert "3 people said that it did not help" in found.why


def test_two_voices_or_a_minority_are_not_enough(shelf: Shelf) -> None:
    published(shelf)
    assert stale(shelf, Use(helpful=0, unhelpful=2, cited_at=START)) == []
    assert stale(shelf, Use(helpful=3, unhelpful=3, cited_at=START)) == []


def test_what_nobody_was_answered_from_for_a_year_may_go_but_not_what_was_cited_lately(shelf: Shelf) -> None:
    published(shelf)
    (found,) = stale(shelf, Use(), now=LATER)
    assert (found.kind, found.text) == (SuggestionKind.RETIRE, "")
    assert stale(shelf, Use(cited_at=LATER - timedelta(days=1)), now=LATER) == []
    assert stale(shelf, Use(), now=START + timedelta(days=300)) == []


def test_where_nothing_is_cited_yet_nothing_is_called_unused(shelf: Shelf) -> None:
    published(shelf)
    with shelf.database.read() as session:
        assert upkeep.stale(session, {}, now=LATER) == []


def test_what_was_suggested_lately_is_not_suggested_again(shelf: Shelf) -> None:
    published(shelf)
    use = Use(unhelpful=4, cited_at=START)
    (found,) = stale(shelf, use)
    with shelf.database.write() as session:
        suggestions.propose(session, found, SuggestionId(shelf.new_id()), now=START)
    assert stale(shelf, use, now=START + timedelta(days=30)) == []
    assert len(stale(shelf, use, now=START + timedelta(days=91))) == 1


# ── a draft as a change of an article ───────────────────────────────────────────────────────────────


def changing(shelf: Shelf, *said: str) -> Proposal:
    article = published(shelf)
    draft = Proposal(
        SuggestionKind.NEW, "Where is the export?", " ".join(said), list(sentences(said)), "", "en", 1.0, wordings=("export it",), people=4
    )
    return proposing.changing(draft, article, MEANS)


def sentences(said: Iterable[str]) -> Iterable[Sentence]:
    return (Sentence(text, (Source("message", str(at), "t", text),), supported=True) for at, text in enumerate(said))


def test_what_the_article_lacks_is_added_and_it_learns_how_people_ask(shelf: Shelf) -> None:
    found = changing(shelf, "Choose a month before that.")
    assert found.kind == SuggestionKind.EDIT
    assert found.text.startswith("Open **Billing**. Press **Export**. A single export of all of it costs 5 euros.")
    assert found.text.endswith("Choose a month before that.")
    assert list(found.wordings) == ["Where is the export?", "export it"]
    assert "answers it in part" in found.why


def test_other_numbers_about_the_same_replace_the_sentence(shelf: Shelf) -> None:
    found = changing(shelf, "A single export of all of it costs 7 euros.")
    assert found.kind == SuggestionKind.REFRESH
    assert "A single export of all of it costs 7 euros." in found.text
    assert "5 euros" not in found.text
    assert [sentence.text for sentence in found.body] == ["A single export of all of it costs 7 euros."]
    assert "says otherwise" in found.why


def test_what_the_article_says_already_only_teaches_it_wordings(shelf: Shelf) -> None:
    found = changing(shelf, "Press Export.")
    assert (found.kind, found.text, list(found.body)) == (
        SuggestionKind.EDIT,
        "Open **Billing**. Press **Export**. A single export of all of it costs 5 euros.",
        [],
    )
    assert "would learn how people ask" in found.why
