"""A suggestion is decided once, by somebody with a name, on the version they saw; what it publishes is published then or not at all."""

from datetime import timedelta
from functools import partial

import pytest

from knowledge import deciding, suggestions
from knowledge.articles import ArticleText
from knowledge.deciding import ArticleChanged, Decision, NoReviewer, NotPublished, Unsupported
from knowledge.loop_tables import GapGroup, GroupId, GroupState, RejectReason, Suggestion, SuggestionId, SuggestionKind, SuggestionState
from knowledge.publishing import Change
from knowledge.suggestions import AlreadyDecided, Edited, Proposal, Rejection, StaleSuggestion, Target
from knowledge.support import Sentence, Source
from knowledge.tables import Article, ArticleId
from tests.builders import HANDBOOK, START, Shelf, faq, live_ids, together

SAID = Sentence("Open **Billing** and press **Export**.", (Source("message", "7", "t1", "Open Billing and press Export."),), supported=True)
LOOSE = Sentence("It takes three days.")


def group(shelf: Shelf, size: int = 5) -> GroupId:
    row = GapGroup(
        id=shelf.new_id(),
        title="How do I export?",
        language="en",
        state=GroupState.OPEN,
        size=size,
        people=size,
        recent=size,
        before=0,
        unresolved=1.0,
        agent_minutes=5.0,
        rank=25.0,
        purity=0.9,
        first_at=START,
        last_at=START,
        updated_at=START,
    )
    with shelf.database.write() as session:
        session.add(row)
    return row.id


def propose(shelf: Shelf, *body: Sentence, group_id: GroupId | None = None, **more: object) -> SuggestionId:
    written = body or (SAID,)
    text = "\n\n".join(sentence.text for sentence in written)
    proposal = Proposal(
        **{
            "kind": SuggestionKind.NEW,
            "title": "How do I export?",
            "text": text,
            "body": written,
            "why": "5 people asked",
            "language": "en",
        }
        | {"rank": 25.0, "wordings": ("export my data", "where is the export"), "group_id": group_id}
        | more,  # type: ignore[arg-type]
    )
    with shelf.database.write() as session:
        return suggestions.propose(session, proposal, SuggestionId(shelf.new_id()), now=START).id


def now_of(shelf: Shelf, suggestion_id: str) -> Suggestion:
    with shelf.database.read() as session:
        return suggestions.get(session, suggestion_id)


def articles_of(shelf: Shelf) -> list[Article]:
    with shelf.database.read() as session:
        return list(session.query(Article).order_by(Article.title))


def group_now(shelf: Shelf, group_id: str) -> GapGroup:
    with shelf.database.read() as session:
        return session.get_one(GapGroup, group_id)


def test_an_accepted_suggestion_is_a_faq_that_its_wordings_find_and_names_who_reviewed_it(shelf: Shelf) -> None:
    library = shelf.library()
    group_id = group(shelf)
    suggestion_id = propose(shelf, group_id=group_id)
    result = deciding.accept(library, suggestion_id, Decision("Ada", 1), now=START)
    (article,) = articles_of(shelf)
    row = now_of(shelf, suggestion_id)
    assert result.change is Change.NEW
    assert (article.title, article.kind, article.wordings, len(article.learned)) == ("How do I export?", "faq", [], 2)
    assert (row.state, row.decided_by, row.article_id, row.published_revision) == ("accepted", "Ada", article.id, 1)
    assert len(live_ids(shelf.database)) == 1 + 3  # a passage, the question, two wordings
    assert group_now(shelf, group_id).state == GroupState.ANSWERED


def test_nothing_is_published_without_a_name(shelf: Shelf) -> None:
    suggestion_id = propose(shelf)
    with pytest.raises(NoReviewer):
        deciding.accept(shelf.library(), suggestion_id, Decision(" ", 1), now=START)
    assert articles_of(shelf) == []


def test_a_sentence_without_evidence_needs_an_override_and_it_is_remembered(shelf: Shelf) -> None:
    library = shelf.library()
    suggestion_id = propose(shelf, SAID, LOOSE)
    with pytest.raises(Unsupported) as refused:
        deciding.accept(library, suggestion_id, Decision("Ada", 1), now=START)
    assert refused.value.sentences == (LOOSE.text,)
    deciding.accept(library, suggestion_id, Decision("Ada", 1, override=True), now=START)
    assert now_of(shelf, suggestion_id).overridden


def test_of_two_writers_at_once_one_decides_and_the_other_is_told(shelf: Shelf) -> None:
    library = shelf.library()
    suggestion_id = propose(shelf)
    results = together(4, lambda n: deciding.accept(library, suggestion_id, Decision(f"writer {n}", 1), now=START))
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert all(isinstance(result, StaleSuggestion | AlreadyDecided) for result in results if isinstance(result, Exception))
    assert len(articles_of(shelf)) == 1
    assert {entry for collection in shelf.collections.values() for entry in collection.ids()} == live_ids(shelf.database)


def test_an_edited_sentence_keeps_its_evidence_only_while_it_says_the_same(shelf: Shelf) -> None:
    suggestion_id = propose(shelf)
    with shelf.database.write() as session:
        edited = Edited(text="Open **Billing** and then press **Export**.\n\nIt costs 40 euros.")
        row = suggestions.edit(session, suggestion_id, edited, by="Ada", expected_version=1, now=START)
    assert [(s["supported"], len(s["evidence"])) for s in row.body] == [(True, 1), (False, 0)]
    with shelf.database.write() as session:
        changed = Edited(text="Open **Billing** and press **Export** within 9 days.")
        row = suggestions.edit(session, suggestion_id, changed, by="Ada", expected_version=2, now=START)
    assert [s["supported"] for s in row.body] == [False]


def test_a_stale_edit_is_refused_and_changes_nothing(shelf: Shelf) -> None:
    suggestion_id = propose(shelf)
    with shelf.database.write() as session:
        suggestions.edit(session, suggestion_id, Edited(title="Export?"), by="Ada", expected_version=1, now=START)
    with pytest.raises(StaleSuggestion) as refused, shelf.database.write() as session:
        suggestions.reject(session, suggestion_id, Rejection(RejectReason.SINGLE_CASE), by="Bo", expected_version=1, now=START)
    assert refused.value.version == 2
    assert now_of(shelf, suggestion_id).title == "Export?"


def test_a_rejected_suggestion_says_why_and_its_group_remembers_its_size(shelf: Shelf) -> None:
    group_id = group(shelf, size=6)
    suggestion_id = propose(shelf, group_id=group_id)
    with shelf.database.write() as session:
        why = Rejection(RejectReason.NOT_FOR_THE_HELP_CENTRE, "ask sales")
        suggestions.reject(session, suggestion_id, why, by="Bo", expected_version=1, now=START)
    row, its_group = now_of(shelf, suggestion_id), group_now(shelf, group_id)
    assert (row.state, row.reason, row.reason_text, row.decided_by) == ("rejected", "not_for_the_help_centre", "ask sales", "Bo")
    assert (its_group.state, its_group.decided_size) == (GroupState.REJECTED, 6)


def test_a_snoozed_one_wakes_and_one_that_waited_four_weeks_expires(shelf: Shelf) -> None:
    sleeping, old = propose(shelf), propose(shelf)
    with shelf.database.write() as session:
        suggestions.snooze(session, sleeping, START + timedelta(weeks=5), by="Ada", expected_version=1, now=START)
    for weeks, woken, expired in ((3, 0, 0), (4, 0, 1), (5, 1, 0)):
        with shelf.database.write() as session:
            assert suggestions.tend(session, now=START + timedelta(weeks=weeks)) == (woken, expired)
    assert now_of(shelf, old).state == SuggestionState.EXPIRED
    assert now_of(shelf, sleeping).state == SuggestionState.PENDING


def test_merging_into_an_article_teaches_it_the_wordings_and_leaves_its_text(shelf: Shelf) -> None:
    library = shelf.library()
    article_id = library.publisher.publish([faq(wordings=("trial length",))], HANDBOOK, now=START)[0].article_id
    suggestion_id = propose(shelf)
    deciding.merge_into(library, suggestion_id, str(article_id), Decision("Ada", 1), now=START)
    (article,) = articles_of(shelf)
    assert (article.body, article.wordings) == ("The trial lasts 14 days.", ["trial length"])
    assert article.learned == ["How do I export?", "export my data", "where is the export"]
    assert now_of(shelf, suggestion_id).state == SuggestionState.MERGED


def test_what_an_article_has_learned_outlives_its_next_import_and_is_no_edit(shelf: Shelf) -> None:
    library = shelf.library()
    article_id = library.publisher.publish([faq()], HANDBOOK, now=START)[0].article_id
    deciding.merge_into(library, propose(shelf), str(article_id), Decision("Ada", 1), now=START)
    assert library.publisher.publish([faq()], HANDBOOK, now=START)[0].change is Change.UNCHANGED
    assert library.publisher.publish([faq(body="The trial lasts 30 days.")], HANDBOOK, now=START)[0].change is Change.CHANGED
    assert len(articles_of(shelf)[0].learned) == 3


def test_a_merge_of_duplicates_retires_the_others_with_the_same_decision(shelf: Shelf) -> None:
    library = shelf.library()
    first, second = (
        str(library.publisher.publish([text], HANDBOOK, now=START)[0].article_id)
        for text in (faq("a", "How do I export?"), faq("b", "Where is the export?", wordings=("get my data",)))
    )
    target = Target(ArticleId(first), 1, (second,))
    suggestion_id = propose(shelf, kind=SuggestionKind.MERGE, target=target, text="The trial lasts 14 days.", wordings=())
    deciding.accept(library, suggestion_id, Decision("Ada", 1), now=START)
    kept, gone = articles_of(shelf)
    assert (kept.state, gone.state) == ("published", "retired")
    assert kept.learned == ["Where is the export?", "get my data"]
    assert {entry for collection in shelf.collections.values() for entry in collection.ids()} == live_ids(shelf.database)


def test_a_stale_article_is_retired_by_its_suggestion(shelf: Shelf) -> None:
    library = shelf.library()
    article_id = library.publisher.publish([faq()], HANDBOOK, now=START)[0].article_id
    suggestion_id = propose(shelf, kind=SuggestionKind.RETIRE, target=Target(ArticleId(str(article_id)), 1), text="", body=())
    deciding.accept(library, suggestion_id, Decision("Ada", 1, override=True), now=START)
    assert articles_of(shelf)[0].state == "retired"
    assert live_ids(shelf.database) == set()


def test_an_edit_of_an_article_that_changed_meanwhile_is_refused_until_it_is_wanted_anyway(shelf: Shelf) -> None:
    library = shelf.library()
    article_id = library.publisher.publish([faq()], HANDBOOK, now=START)[0].article_id
    suggestion_id = propose(shelf, kind=SuggestionKind.EDIT, target=Target(ArticleId(str(article_id)), 1), title="How long is the trial?")
    library.publisher.publish([faq(body="The trial lasts 30 days.")], HANDBOOK, now=START)
    with pytest.raises(ArticleChanged):
        deciding.accept(library, suggestion_id, Decision("Ada", 1), now=START)
    deciding.accept(library, suggestion_id, Decision("Ada", 1, anyway=True), now=START)
    assert articles_of(shelf)[0].body == SAID.text


@pytest.mark.parametrize("anyway", [False, True])
def test_no_suggestion_brings_back_an_article_that_was_taken_out(shelf: Shelf, anyway: bool) -> None:
    library = shelf.library()
    article_id = ArticleId(str(library.publisher.publish([faq()], HANDBOOK, now=START)[0].article_id))
    edit = propose(shelf, kind=SuggestionKind.EDIT, target=Target(article_id, 1))
    twin = propose(shelf)
    library.publisher.retire([article_id], now=START)
    with pytest.raises(NotPublished, match="is retired"):
        deciding.accept(library, edit, Decision("Ada", 1, anyway=anyway), now=START)
    with pytest.raises(NotPublished):
        deciding.merge_into(library, twin, article_id, Decision("Ada", 1), now=START)
    assert articles_of(shelf)[0].state == "retired"
    assert {now_of(shelf, one).state for one in (edit, twin)} == {SuggestionState.PENDING}


@pytest.mark.parametrize("verb", ["accept", "merge"])
def test_an_article_that_changes_while_its_suggestion_is_accepted_is_not_overwritten_and_nothing_is_decided(
    shelf: Shelf, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = shelf.library()
    first, second = (
        ArticleId(str(library.publisher.publish([text], HANDBOOK, now=START)[0].article_id))
        for text in (faq("a", "How do I export?"), faq("b", "Where is the export?"))
    )
    suggestion_id = propose(shelf, kind=SuggestionKind.MERGE, target=Target(first, 1, (second,)), text="The trial lasts 14 days.")

    def meanwhile(_rehearse: object, _questions: object) -> None:
        library.publisher.publish([faq("a", "How do I export?", body="Another writer's text.")], HANDBOOK, now=START)

    monkeypatch.setattr(deciding.replaying, "before", meanwhile)
    does = {
        "accept": partial(deciding.accept, library, suggestion_id),
        "merge": partial(deciding.merge_into, library, suggestion_id, first),
    }
    with pytest.raises(ArticleChanged):
        does[verb](Decision("Ada", 1), now=START)
    assert [(one.state, one.revision) for one in articles_of(shelf)] == [("published", 2), ("published", 1)]
    assert articles_of(shelf)[0].body == "Another writer's text."
    assert now_of(shelf, suggestion_id).state == SuggestionState.PENDING


def test_a_suggestion_that_another_asks_the_same_gives_it_its_wordings_and_volume(shelf: Shelf) -> None:
    one, other = propose(shelf, title="Export?"), propose(shelf)
    with shelf.database.write() as session:
        suggestions.merge_into_suggestion(session, one, other, by="Ada", expected_version=1, now=START)
    assert now_of(shelf, one).state == SuggestionState.MERGED
    assert (now_of(shelf, other).rank, "Export?" in now_of(shelf, other).wordings) == (50.0, True)


def test_suggestions_are_listed_by_rank_and_j_goes_to_the_next(shelf: Shelf) -> None:
    low, high = propose(shelf, rank=1.0), propose(shelf, rank=9.0)
    with shelf.database.read() as session:
        assert [row.id for row in suggestions.listed(session)] == [high, low]
        assert suggestions.after(session, suggestions.get(session, high)).id == low
        assert suggestions.after(session, suggestions.get(session, low)).id == high
        assert suggestions.counted(session) == {SuggestionState.PENDING: 2}


def test_a_learned_wording_is_no_part_of_the_content() -> None:
    assert ArticleText("a", "t", "b", learned=("x",)).content_hash == ArticleText("a", "t", "b").content_hash
