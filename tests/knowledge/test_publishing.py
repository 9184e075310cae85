"""Stage, swap, delete: whatever fails and whoever comes between, an answer uses the old text or the new one, whole."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.bootstrap import Service
from api.database import Database
from knowledge import articles
from knowledge.articles import AlreadyThere, NoSuchArticle, NoSuchRevision, NotReviewed
from knowledge.embedding import HashingEncoder
from knowledge.library import Library
from knowledge.publishing import Change, Origin
from knowledge.reindexing import reconcile
from knowledge.tables import Article, ArticleState, IndexState, Passage, Revision, TitleVector
from tests.builders import (
    HANDBOOK,
    ROOT,
    START,
    RecordingIndex,
    Shelf,
    article,
    chroma_server,
    environment,
    faq,
    find,
    in_line,
    indexed_ids,
    live_ids,
    long_body,
    publish,
    quoted,
    running_in,
    together,
)

BY_HAND = Origin("handbook", "Ada", by_hand=True)


def put(library: Library, *texts: articles.ArticleText, origin: Origin = HANDBOOK) -> list[Change]:
    return [result.change for result in library.publisher.publish(list(texts), origin, now=START)]


def collection(shelf: Shelf) -> RecordingIndex:
    (only,) = shelf.collections.values()
    return only


def live_texts(shelf: Shelf) -> list[str]:
    with shelf.database.read() as session:
        return list(session.scalars(select(Passage.text).where(Passage.live).order_by(Passage.article_id, Passage.position)))


def stored(shelf: Shelf, name: str = "refunds") -> Article:
    with shelf.database.read() as session:
        return articles.by_external_id(session, "handbook", [name])[name]


def aligned(shelf: Shelf) -> bool:
    return set(collection(shelf).ids()) == live_ids(shelf.database)


# ── the three steps ─────────────────────────────────────────────────────────────────────────────────


def test_vectors_are_stored_before_sql_says_live_and_the_old_ones_go_after(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="The old text."))
    (old,) = collection(shelf).ids()
    seen: list[tuple[str, list[str]]] = []
    collection(shelf).on = {
        "put": lambda: seen.append(("put", live_texts(shelf))),
        "remove": lambda: seen.append(("remove", live_texts(shelf))),
    }
    shelf.log.clear()
    put(library, article(body="The new text."))
    assert seen == [("put", ["The old text."]), ("remove", ["The new text."])]
    assert [what for what, _ in shelf.log] == ["put", "remove"]
    assert shelf.log[1][1] == (old,)


def test_a_new_text_gets_new_passage_ids(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="The old text."))
    before = set(collection(shelf).ids())
    put(library, article(body="The new text."))
    assert before.isdisjoint(collection(shelf).ids())
    assert aligned(shelf)


def test_a_batch_goes_live_in_one_step(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, *(article(f"a{n}", f"Title {n}", long_body("word")) for n in range(20)))
    with shelf.database.read() as session:
        assert session.get_one(IndexState, 0).version == 1
    assert aligned(shelf)


def test_an_unchanged_text_is_neither_embedded_nor_stored_again(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(), faq())
    shelf.log.clear()
    assert put(library, article(), faq()) == [Change.UNCHANGED, Change.UNCHANGED]
    assert [ids for what, ids in shelf.log if what == "put"] == []
    assert stored(shelf).revision == 1


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Ask for your money"},
        {"body": "Another text."},
        {"section": "Billing"},
        {"summary": "Money back"},
        {"language": "de"},
        {"url": "https://example.org/refund"},
        {"tags": ("money",)},
        {"wordings": ("money back?",)},
        {"images": (articles.Picture("a.png", "image/png", b"1"),)},
    ],
)
def test_whatever_a_reader_could_notice_makes_a_revision(shelf: Shelf, other: dict[str, Any]) -> None:
    library = shelf.library()
    put(library, article())
    assert put(library, article(**other)) == [Change.CHANGED]
    assert stored(shelf).revision == 2
    assert aligned(shelf)


def test_every_change_leaves_an_immutable_revision_with_its_author(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="One."))
    put(library, article(body="Two."), origin=BY_HAND)
    with shelf.database.read() as session:
        kept = session.scalars(select(Revision).order_by(Revision.number)).all()
    assert [(r.number, r.body, r.author) for r in kept] == [(1, "One.", "handbook"), (2, "Two.", "Ada")]


def test_an_empty_body_is_kept_and_can_be_changed(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="\n"))
    assert put(library, article(body="Something.")) == [Change.CHANGED]
    assert aligned(shelf)


# ── when something fails ────────────────────────────────────────────────────────────────────────────


class FailingEncoder(HashingEncoder):
    """Embeds until it is told to fail."""

    failing = False

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if self.failing:
            raise RuntimeError("the encoder is broken")
        return super().embed_documents(texts)


class FailingSessions:
    """A database whose next write fails at the moment of commit."""

    def __init__(self, database: Database) -> None:
        self.database, self.failing = database, False

    def read(self) -> AbstractContextManager[Session]:
        return self.database.read()

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.database.write() as session:
            yield session
            if self.failing:
                session.flush()
                raise RuntimeError("the disk is full")


def broken_encoder(shelf: Shelf, _library: Library) -> None:
    shelf.encoder.failing = True


def broken_put(shelf: Shelf, _library: Library) -> None:
    collection(shelf).on["put"] = fails


def half_a_put(shelf: Shelf, _library: Library) -> None:
    """The second batch of vectors fails, when the first is already stored."""
    calls = iter([nothing, fails])
    collection(shelf).on["put"] = lambda: next(calls)()  # noqa: PLW0108 - the next one each time


def broken_remove(shelf: Shelf, _library: Library) -> None:
    collection(shelf).on["remove"] = fails


def broken_commit(_shelf: Shelf, library: Library) -> None:
    library.sessions.failing = True  # type: ignore[attr-defined]


def broken_commit_and_remove(shelf: Shelf, library: Library) -> None:
    broken_commit(shelf, library)
    broken_remove(shelf, library)


def nothing() -> None:
    """Goes well."""


def fails() -> None:
    raise RuntimeError("the index is broken")


@pytest.mark.parametrize("break_it", [broken_encoder, broken_put, half_a_put, broken_remove, broken_commit, broken_commit_and_remove])
@pytest.mark.parametrize(
    "text", [article(body=long_body("new", 400)), faq("refunds", body="New.", wordings=("Money?", "Cash?"))], ids=["article", "faq"]
)
def test_a_failure_leaves_one_whole_text_answerable_and_a_start_removes_every_orphan(
    shelf: Shelf, break_it: Callable[[Shelf, Library], None], text: articles.ArticleText
) -> None:
    shelf.encoder = FailingEncoder()
    shelf.database = FailingSessions(shelf.database)  # type: ignore[assignment]
    library = shelf.library()
    put(library, article(body="The old text."))
    break_it(shelf, library)
    with pytest.raises(RuntimeError):
        put(library, text)
    shelf.encoder.failing = library.sessions.failing = False  # type: ignore[attr-defined]
    collection(shelf).on = {}

    texts = live_texts(shelf)
    assert texts == ["The old text."] or (break_it is broken_remove and "The old text." not in texts)
    library.open()
    assert aligned(shelf)
    assert put(library, text) == [Change.CHANGED] or break_it is broken_remove
    assert aligned(shelf)


def test_reconcile_removes_what_sql_does_not_list_and_adds_what_is_missing(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body=long_body("care")), faq(wordings=("Trial?",)))
    index = collection(shelf)
    before = {id_: index.vectors([id_])[0].tolist() for id_ in index.ids()}
    lost = sorted(before)[:2]
    index.remove(lost)
    index.put(["orphan"], index.vectors([sorted(before)[2]]))
    assert reconcile(shelf.database, library.publisher.index) == (1, 2)
    assert {id_: index.vectors([id_])[0].tolist() for id_ in index.ids()} == before
    assert reconcile(shelf.database, library.publisher.index) == (0, 0)


# ── whose text wins ─────────────────────────────────────────────────────────────────────────────────


def test_a_source_never_overwrites_what_a_person_edited(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="From the source."))
    put(library, article(body="Edited here."), origin=BY_HAND)
    (result,) = library.publisher.publish([article(body="New at the source.")], HANDBOOK, now=START)
    assert (result.change, "edited" in result.reason) == (Change.CONFLICT, True)
    assert live_texts(shelf) == ["Edited here."]
    assert aligned(shelf)


def test_an_edited_article_whose_source_did_not_change_is_no_conflict(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="From the source."))
    put(library, article(body="Edited here."), origin=BY_HAND)
    assert put(library, article(body="From the source.")) == [Change.UNCHANGED]
    assert live_texts(shelf) == ["Edited here."]


def test_overwrite_replaces_what_a_person_edited(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="From the source."))
    put(library, article(body="Edited here."), origin=BY_HAND)
    assert put(library, article(body="From the source."), origin=Origin("handbook", "handbook", overwrite=True)) == [Change.CHANGED]
    assert live_texts(shelf) == ["From the source."]


def test_a_preview_says_what_would_happen_and_does_nothing(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article("same"), article("other"), article("edited"))
    put(library, article("edited", body="By hand."), origin=BY_HAND)
    shelf.log.clear()
    texts = [article("same"), article("other", body="x"), article("edited", body="y"), article("fresh")]
    assert [r.change for r in library.publisher.preview(texts, HANDBOOK)] == [Change.UNCHANGED, Change.CHANGED, Change.CONFLICT, Change.NEW]
    assert shelf.log == []
    assert stored(shelf, "other").revision == 1


def test_of_two_publishing_the_same_article_at_once_one_wins_and_the_other_is_a_conflict(shelf: Shelf) -> None:
    one, other = shelf.library(), shelf.library()
    put(one, article(body="Before."))
    barrier = threading.Barrier(2)
    collection(shelf).on["put"] = lambda: barrier.wait(30)  # both have staged before either swaps
    results = together(2, lambda n: put((one, other)[n], article(body=f"From thread {n}.")))
    collection(shelf).on = {}
    assert sorted(map(str, results)) == sorted(map(str, [[Change.CHANGED], [Change.CONFLICT]]))
    assert live_texts(shelf) == [f"From thread {results.index([Change.CHANGED])}."]
    assert aligned(shelf)


def test_of_two_creating_the_same_article_at_once_one_wins_and_the_other_is_a_conflict(shelf: Shelf) -> None:
    one, other = shelf.library(), shelf.library()
    barrier = threading.Barrier(2)
    collection(shelf).on["put"] = lambda: barrier.wait(30)
    results = together(2, lambda n: put((one, other)[n], article(body=f"From thread {n}.")))
    collection(shelf).on = {}
    assert sorted(map(str, results)) == sorted(map(str, [[Change.NEW], [Change.CONFLICT]]))
    assert aligned(shelf)


def test_many_publishing_different_articles_of_one_title_at_once_all_succeed(shelf: Shelf) -> None:
    library = shelf.library()
    results = together(8, lambda n: put(library, article(f"a{n}", body=f"Text {n}.")))
    assert results == [[Change.NEW]] * 8
    with shelf.database.read() as session:
        assert len(set(session.scalars(select(Article.slug)))) == 8
        assert session.get_one(IndexState, 0).version == 8
    assert aligned(shelf)


def test_a_conflict_leaves_the_rest_of_the_batch_published(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article("edited", body="a"))
    put(library, article("edited", body="b"), origin=BY_HAND)
    assert put(library, article("edited", body="c"), article("fresh", body="d")) == [Change.CONFLICT, Change.NEW]
    assert sorted(live_texts(shelf)) == ["b", "d"]
    assert aligned(shelf)


# ── retire, delete, restore ─────────────────────────────────────────────────────────────────────────


def test_a_retired_article_is_gone_from_the_next_search_and_keeps_its_history(service_on_both: Service) -> None:
    service = service_on_both
    (result, _) = publish(service, article(), faq())
    assert "Ask for a refund" in find(service, "refund")
    service.library.publisher.retire([str(result.article_id)], now=service.now())
    assert "Ask for a refund" not in find(service, "refund")
    assert "Billing" not in quoted(service, "refund billing")
    assert in_line(service)
    with service.database.read() as session:
        assert articles.get(session, str(result.article_id)).state == ArticleState.RETIRED
        assert session.scalar(select(func.count()).select_from(Revision)) == 2


def test_a_deleted_article_is_gone_with_everything_of_it(service_on_both: Service) -> None:
    service = service_on_both
    (result,) = publish(service, faq(wordings=("Trial?",)))
    service.library.publisher.delete(str(result.article_id))
    assert find(service, "trial") == []
    assert in_line(service)
    with service.database.read() as session:
        for table in (Article, Revision, Passage, TitleVector):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    with pytest.raises(NoSuchArticle):
        service.library.publisher.delete(str(result.article_id))


def test_an_article_is_gone_even_when_the_index_cannot_forget_it(shelf: Shelf) -> None:
    library = shelf.library()
    (result,) = library.publisher.publish([article()], HANDBOOK, now=START)
    collection(shelf).on["remove"] = fails
    with pytest.raises(RuntimeError):
        library.publisher.retire([str(result.article_id)], now=START)
    found = library.find("refund billing", {"main": shelf_vector(shelf, "refund billing")})
    assert found.passages == ()


def shelf_vector(shelf: Shelf, text: str) -> Any:
    import numpy as np

    return np.asarray(shelf.encoder.embed_documents([text]), dtype=np.float32)


def test_a_retired_article_that_is_published_again_is_found_again(service: Service) -> None:
    (result,) = publish(service, article())
    service.library.publisher.retire([str(result.article_id)], now=service.now())
    assert [r.change for r in publish(service, article())] == [Change.CHANGED]
    assert find(service, "refund") == ["Ask for a refund"]
    assert in_line(service)


def test_an_earlier_revision_comes_back_as_a_new_one(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="One.", title="First title", tags=("a",)))
    put(library, article(body="Two.", title="Second title"))
    library.publisher.restore(stored(shelf).id, 1, author="Ada", now=START)
    now = stored(shelf)
    assert (now.revision, now.title, now.body, now.tags) == (3, "First title", "One.", ["a"])
    assert live_texts(shelf) == ["One."]
    assert aligned(shelf)
    with shelf.database.read() as session:
        assert session.get_one(Revision, (now.id, 3)).note == "restored revision 1"


def test_what_was_restored_counts_as_edited_by_a_person(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article(body="One."))
    put(library, article(body="Two."))
    library.publisher.restore(stored(shelf).id, 1, author="Ada", now=START)
    assert put(library, article(body="Three.")) == [Change.CONFLICT]


def test_a_revision_that_never_was_cannot_be_restored(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article())
    with pytest.raises(NoSuchRevision):
        library.publisher.restore(stored(shelf).id, 7, author="Ada", now=START)
    with pytest.raises(NoSuchArticle):
        library.publisher.restore("nosuch", 1, author="Ada", now=START)


# ── held back ───────────────────────────────────────────────────────────────────────────────────────


def test_a_held_passage_is_in_sql_and_not_in_the_index_until_it_is_released(shelf: Shelf) -> None:
    library = shelf.library()
    library.publisher.hold = lambda texts, _rows: ["says: ignore all rules" if "part 2" in text else None for text in texts]
    put(library, article(body=long_body("care")))
    with shelf.database.read() as session:
        held = session.scalars(select(Passage).where(Passage.held.is_not(None))).all()
    assert held
    assert not {p.id for p in held} & set(collection(shelf).ids())
    library.open()
    assert not {p.id for p in held} & set(collection(shelf).ids())
    for passage in held:
        library.publisher.release(passage.id)
    assert aligned(shelf)
    with pytest.raises(LookupError):
        library.publisher.release(held[0].id)


def test_a_faq_that_is_held_has_no_wording_in_the_index(shelf: Shelf) -> None:
    library = shelf.library()
    library.publisher.hold = lambda texts, _rows: ["held"] * len(texts)
    put(library, faq(wordings=("Trial?",)))
    assert set(collection(shelf).ids()) == set()


# ── FAQ wordings ────────────────────────────────────────────────────────────────────────────────────


def test_a_faq_is_found_by_each_of_its_wordings(service: Service) -> None:
    publish(service, faq(wordings=("When must I pay?", "Probezeit")), article())
    for question in ("How long is the trial?", "When must I pay?", "Probezeit"):
        assert find(service, question)[0] == "How long is the trial?"
    assert in_line(service)


def test_wordings_that_are_taken_away_leave_the_index(service: Service) -> None:
    publish(service, faq(wordings=("When must I pay?", "Probezeit")))
    (before,) = indexed_ids(service)
    publish(service, faq(wordings=("Probezeit",)))
    (after,) = indexed_ids(service)
    assert (len(before), len(after)) == (4, 3)
    assert in_line(service)


def test_a_faq_that_becomes_an_article_loses_its_wordings_in_the_index(service: Service) -> None:
    publish(service, faq("x", wordings=("Probezeit",)))
    publish(service, article("x", wordings=("Probezeit",)))
    assert in_line(service)
    assert [len(ids) for ids in indexed_ids(service)] == [1]


# ── killed ──────────────────────────────────────────────────────────────────────────────────────────

INGEST = """
import sys
from tests.builders import article, long_body, publish, running_in
from pathlib import Path
with running_in(Path(sys.argv[1])) as service:
    print("started", flush=True)
    for start in range(0, 40, 5):
        publish(service, *(article(f"a{n}", f"Title {n}", long_body(sys.argv[2])) for n in range(start, start + 5)))
        print(start, flush=True)
print("done", flush=True)
"""


def write_all(data: Path, word: str, kill_after: float | None) -> None:
    """Publish forty articles in a process of its own; killed so many seconds after it began to publish."""
    command = [sys.executable, "-c", INGEST, str(data), word]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(data), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    if kill_after is not None:
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    process.stdout.read()
    process.stdout.close()
    assert process.wait(120) in {0, -signal.SIGKILL}


def killed_again_and_again(data: Path, rounds: int, chance: random.Random) -> None:
    began = time.monotonic()
    write_all(data, "care0", None)
    whole = time.monotonic() - began
    for number in range(1, rounds + 1):
        write_all(data, f"care{number}", chance.uniform(0, whole / 2))
        with running_in(data) as service:
            assert in_line(service)
            bodies = {long_body(f"care{n}"): n for n in range(number + 1)}
            with service.database.read() as session:
                for row in session.scalars(select(Article)):
                    assert row.body in bodies
                    pieces = session.scalars(select(Passage.text).where(Passage.article_id == row.id, Passage.live)).all()
                    assert pieces
                    assert all(f"care{bodies[row.body]} " in piece for piece in pieces)
                    assert f"care{bodies[row.body]} " in quoted(service, row.title)


def test_killed_at_any_point_old_or_new_text_is_live_as_a_whole(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "data", 3, random.Random(20260329))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_twenty_points_old_or_new_text_is_live_as_a_whole(tmp_path: Path) -> None:
    killed_again_and_again(tmp_path / "data", 20, random.Random())


# ── several processes ───────────────────────────────────────────────────────────────────────────────


def test_two_services_on_one_database_and_one_chroma_server_see_each_others_changes(
    tmp_path: Path, postgres_url: str, chroma_folder: Path
) -> None:
    with (
        chroma_server(chroma_folder) as url,
        running_in(tmp_path / "one", database_url=postgres_url, chroma_url=url) as one,
        running_in(tmp_path / "two", database_url=postgres_url, chroma_url=url) as two,
    ):
        (result,) = publish(one, article())
        assert find(two, "refund") == ["Ask for a refund"]
        publish(two, article(body="Write to the captain."))
        assert "captain" in quoted(one, "refund")
        one.library.publisher.delete(str(result.article_id))
        assert find(two, "refund") == []
        publish(two, faq())
        one.library.reindex(lambda _done, _of: None, now=one.now())
        assert find(two, "trial") == ["How long is the trial?"]
        publish(two, article())
        assert sorted(find(one, "refund trial")) == ["Ask for a refund", "How long is the trial?"]
        assert in_line(one)
        assert in_line(two)


def test_what_a_chroma_server_was_given_is_there_when_it_is_started_again(tmp_path: Path, chroma_folder: Path) -> None:
    data = tmp_path / "data"
    with chroma_server(chroma_folder) as url, running_in(data, chroma_url=url) as service:
        publish(service, article(body="The old text."))
    with chroma_server(chroma_folder) as url, running_in(data, chroma_url=url) as service:
        assert service.repaired == (0, 0)
        assert "The old text." in quoted(service, "old text")


# ── in review, withdrawn, reviewed ──────────────────────────────────────────────────────────────────


def test_a_text_in_review_is_stored_and_in_no_answer(shelf: Shelf) -> None:
    library = shelf.library()
    result = library.publisher.keep(article(), BY_HAND, now=START)
    assert (result.change, stored(shelf).state, stored(shelf).revision) == (Change.NEW, "in_review", 1)
    assert live_ids(shelf.database) == set()
    published = replace(BY_HAND, reviewer="ada", revision=1)
    assert library.publisher.publish([article()], published, now=START)[0].change is Change.CHANGED
    assert (stored(shelf).state, stored(shelf).reviewed_by, stored(shelf).revision) == ("published", "ada", 2)
    assert live_ids(shelf.database) != set()


def test_an_article_that_goes_back_into_review_leaves_the_answers(shelf: Shelf) -> None:
    library = shelf.library()
    (result,) = library.publisher.publish([article()], HANDBOOK, now=START)
    library.publisher.withdraw(str(result.article_id), ArticleState.IN_REVIEW, replace(BY_HAND, note="wrong price", revision=1), now=START)
    assert (stored(shelf).state, live_ids(shelf.database)) == ("in_review", set())
    with shelf.database.read() as session:
        left = session.get_one(Revision, (result.article_id, 2))
        assert (left.author, left.note, left.details["state"]) == ("Ada", "wrong price", "in_review")
    with pytest.raises(AlreadyThere):
        library.publisher.withdraw(str(result.article_id), ArticleState.IN_REVIEW, BY_HAND, now=START)


def test_its_source_does_not_bring_back_what_a_person_withdrew(shelf: Shelf) -> None:
    library = shelf.library()
    (result,) = library.publisher.publish([article()], HANDBOOK, now=START)
    library.publisher.withdraw(str(result.article_id), ArticleState.RETIRED, BY_HAND, now=START)
    assert library.publisher.publish([article()], HANDBOOK, now=START)[0].change is Change.CONFLICT
    assert stored(shelf).state == "retired"


@pytest.mark.parametrize("verb", ["publish", "keep", "withdraw"])
def test_a_change_made_for_another_revision_is_a_conflict(shelf: Shelf, verb: str) -> None:
    library = shelf.library()
    (result,) = library.publisher.publish([article()], HANDBOOK, now=START)
    stale, new = replace(BY_HAND, revision=0), article(body="Mine.")
    done = {
        "publish": lambda: library.publisher.publish([new], stale, now=START)[0],
        "keep": lambda: library.publisher.keep(new, stale, now=START),
        "withdraw": lambda: library.publisher.withdraw(str(result.article_id), ArticleState.RETIRED, replace(stale, revision=7), now=START),
    }[verb]()
    assert (done.change, stored(shelf).revision, stored(shelf).state) == (Change.CONFLICT, 1, "published")


def test_what_a_machine_wrote_is_published_only_with_a_named_reviewer(shelf: Shelf) -> None:
    library = shelf.library()
    written = article(ai_generated=True)
    with pytest.raises(NotReviewed, match="somebody must review it"):
        library.publisher.publish([written], BY_HAND, now=START)
    assert live_ids(shelf.database) == set()
    library.publisher.keep(written, BY_HAND, now=START)
    library.publisher.publish([written], replace(BY_HAND, reviewer="ada"), now=START)
    assert (stored(shelf).ai_generated, stored(shelf).reviewed_by) == (True, "ada")
    with pytest.raises(NotReviewed):
        library.publisher.publish([article(body="Another.", ai_generated=True)], BY_HAND, now=START)
    library.publisher.publish([replace(written, learned=("money back?",))], BY_HAND, now=START)
    assert (stored(shelf).learned, stored(shelf).reviewed_by) == (["money back?"], "ada")  # the text is the one that she reviewed
