"""The index is made anew beside the old one: nothing is unanswerable meanwhile, and no edit is lost."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from api.bootstrap import Service
from knowledge.embedding import HashingEncoder
from knowledge.library import Library, StaleIndexError
from knowledge.publishing import Change
from knowledge.tables import IndexState, Passage
from tests.builders import HANDBOOK, START, Shelf, article, faq, find, in_line, live_ids, long_body, publish, quoted, running_in


def epoch(service: Service) -> str:
    with service.database.read() as session:
        return session.get_one(IndexState, 0).epoch


def no_progress(_done: int, _of: int) -> None:
    """Nobody watches."""


def test_a_rebuilt_index_holds_the_same_articles_under_a_new_epoch(service_on_both: Service) -> None:
    service = service_on_both
    publish(service, *(article(f"a{n}", f"Title {n}", long_body(f"word{n}")) for n in range(40)), faq(wordings=("Trial?",)))
    before, ids = epoch(service), live_ids(service.database)
    live = service.library.reindex(no_progress, now=service.now())
    assert epoch(service) != before
    assert ids.isdisjoint(live_ids(service.database))
    assert live == len([id_ for id_ in live_ids(service.database) if "~" not in id_])
    assert in_line(service)
    assert find(service, "word7")[0] == "Title 7"


def test_a_rebuild_reports_its_progress_to_the_end(service: Service) -> None:
    publish(service, *(article(f"a{n}", f"Title {n}") for n in range(70)))
    told: list[tuple[int, int]] = []
    service.library.reindex(lambda done, of: told.append((done, of)), now=service.now())
    assert told == [(32, 70), (64, 70), (70, 70)]


def test_an_empty_library_can_be_rebuilt(service: Service) -> None:
    assert service.library.reindex(no_progress, now=service.now()) == 0
    assert in_line(service)


def test_retired_articles_stay_out_of_a_rebuilt_index(service: Service) -> None:
    (kept, gone) = publish(service, article(), faq())
    service.library.publisher.retire([str(gone.article_id)], now=service.now())
    service.library.reindex(no_progress, now=service.now())
    assert find(service, "refund trial") == ["Ask for a refund"]
    assert kept.article_id
    assert in_line(service)


def meanwhile(shelf: Shelf, library: Library, *, when: int, do: Callable[[], object]) -> None:
    """Rebuild, and let something happen when the index is asked to store vectors for the `when`-th time."""
    calls = 0

    def happens() -> None:
        nonlocal calls
        calls += 1
        if calls == when:
            for collection in shelf.collections.values():
                collection.on = {}
            do()

    name = f"passages-{library._family}-2-main"
    shelf._collection(name).on["put"] = happens
    library.reindex(no_progress, now=START)
    assert calls >= when


def texts(shelf: Shelf) -> list[str]:
    with shelf.database.read() as session:
        state = session.get_one(IndexState, 0).epoch
        return sorted(session.scalars(select(Passage.text).where(Passage.live, Passage.epoch == state)))


def shelved(shelf: Shelf) -> set[str]:
    with shelf.database.read() as session:
        now = session.get_one(IndexState, 0).epoch
    return set(shelf.collections[f"passages-{now}-main"].ids())


def full(shelf: Shelf) -> Library:
    library = shelf.library()
    library.publisher.publish([article(f"a{n}", f"Title {n}", f"Text {n}.") for n in range(40)], HANDBOOK, now=START)
    return library


@pytest.mark.parametrize("when", [1, 2])
def test_an_article_changed_during_a_rebuild_is_live_with_its_new_text(shelf: Shelf, when: int) -> None:
    library = full(shelf)
    new = [article(f"a{n}", f"Title {n}", f"New {n}.") for n in (0, 39)]
    meanwhile(shelf, library, when=when, do=lambda: library.publisher.publish(new, HANDBOOK, now=START))
    assert {"New 0.", "New 39."} <= set(texts(shelf))
    assert len(texts(shelf)) == 40
    assert shelved(shelf) == live_ids(shelf.database)


@pytest.mark.parametrize("when", [1, 2])
def test_an_article_that_is_new_during_a_rebuild_is_live(shelf: Shelf, when: int) -> None:
    library = full(shelf)
    meanwhile(shelf, library, when=when, do=lambda: library.publisher.publish([article("fresh", body="Fresh.")], HANDBOOK, now=START))
    assert "Fresh." in texts(shelf)
    assert shelved(shelf) == live_ids(shelf.database)


@pytest.mark.parametrize("when", [1, 2])
def test_an_article_deleted_or_retired_during_a_rebuild_stays_gone(shelf: Shelf, when: int) -> None:
    library = full(shelf)
    with shelf.database.read() as session:
        ids = {row.text: row.article_id for row in session.execute(select(Passage.text, Passage.article_id))}

    def remove() -> None:
        library.publisher.delete(ids["Text 0."])
        library.publisher.delete(ids["Text 39."])
        library.publisher.retire([ids["Text 1."]], now=START)

    meanwhile(shelf, library, when=when, do=remove)
    assert {"Text 0.", "Text 1.", "Text 39."}.isdisjoint(texts(shelf))
    assert len(texts(shelf)) == 37
    assert shelved(shelf) == live_ids(shelf.database)


def test_an_article_staged_in_the_old_index_and_swapped_after_the_switch_is_not_lost(shelf: Shelf) -> None:
    library = full(shelf)
    old = shelf.collections[f"passages-{library._family}-1-main"]

    def switches() -> None:
        old.on = {}
        library.reindex(no_progress, now=START)

    old.on["put"] = switches
    (result,) = library.publisher.publish([article("a0", "Title 0", "New 0.")], HANDBOOK, now=START)
    assert result.change is Change.CHANGED
    assert "New 0." in texts(shelf)
    assert len(texts(shelf)) == 40
    assert shelved(shelf) == live_ids(shelf.database)


def test_every_question_is_answered_while_the_index_is_rebuilt(service_on_both: Service) -> None:
    service = service_on_both
    publish(service, *(article(f"a{n}", f"Title {n}", long_body(f"word{n}")) for n in range(40)))
    stop = threading.Event()
    answers: list[str] = []

    def ask() -> None:
        while not stop.is_set():
            answers.append(next(iter(find(service, "word7")), "nothing"))

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(3):
        service.library.reindex(no_progress, now=service.now())
    stop.set()
    asking.join()
    assert set(answers) == {"Title 7"}


def test_an_index_of_another_encoder_is_refused_until_it_is_rebuilt(shelf: Shelf) -> None:
    library = full(shelf)

    class Other(HashingEncoder):
        name = "other"

    shelf.encoder = Other(64)
    with pytest.raises(StaleIndexError, match="another embedding model"):
        shelf.library()
    assert library.publisher is not None


def test_a_changed_encoder_rebuilds_the_index_at_the_start(tmp_path: Path, models: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "models").symlink_to(models)
    with running_in(data) as service:
        publish(service, article(), faq())
        before = epoch(service)
    with running_in(data, knowledge={"embedder": "minilm"}) as service:
        assert epoch(service) != before
        assert in_line(service)
        assert find(service, "I want my money back")[0] == "Ask for a refund"
        assert "14 days" in quoted(service, "trial")


def test_the_collections_of_earlier_epochs_are_dropped_at_the_next_start(tmp_path: Path) -> None:
    with running_in(tmp_path / "data") as service:
        publish(service, article())
        service.library.reindex(no_progress, now=service.now())
        service.library.reindex(no_progress, now=service.now())
    with running_in(tmp_path / "data") as service:
        client = next(iter(service.library.publisher.index.collections.values()))._client
        assert [collection.name for collection in client.list_collections()] == service.library.collection_names
        assert find(service, "refund") == ["Ask for a refund"]
