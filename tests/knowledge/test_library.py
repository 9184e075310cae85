"""The library keeps its memory in line with SQL, whoever changes it, and answers while it does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.database import Database
from knowledge.embedding import HashingEncoder, vectors
from knowledge.library import MAIN, Library, StaleIndexError
from knowledge.staging import PASSAGE_FORMAT, epoch_family
from tests.builders import HANDBOOK, START, Shelf, article, faq, long_body, together


def asked(library: Library, question: str) -> list[str]:
    found = library.find(question, {MAIN: vectors(HashingEncoder(), [question])})
    return list(dict.fromkeys(hit.title for hit in found.passages))


def put(library: Library, *texts: Any) -> list[str]:
    return [str(result.article_id) for result in library.publisher.publish(list(texts), HANDBOOK, now=START)]


def test_an_empty_library_finds_nothing(shelf: Shelf) -> None:
    assert asked(shelf.library(), "refund") == []


def test_a_library_that_is_not_open_says_so(shelf: Shelf) -> None:
    library = shelf.library()
    closed = Library(shelf.database, library.encoders, lambda _: shelf.collections.popitem()[1], shelf.new_id, fitted=library.fitted)
    with pytest.raises(StaleIndexError, match="not open"):
        _ = closed.publisher


def test_what_another_process_publishes_is_found_by_the_next_search(shelf: Shelf) -> None:
    one, other = shelf.library(), shelf.library()
    (id_,) = put(one, article())
    assert asked(other, "refund") == ["Ask for a refund"]
    put(one, article(title="Get money back"))
    assert asked(other, "refund") == ["Get money back"]
    one.publisher.delete(id_)
    assert asked(other, "refund") == []


def test_what_is_quoted_is_what_sql_says_at_that_moment(shelf: Shelf) -> None:
    library = shelf.library()
    (id_, _) = put(library, article(body=long_body("care")), faq())
    with shelf.database.read() as session:
        places = library.places(session, [id_, "nosuch"])
    assert list(places) == [id_]
    assert [place.passage.position for place in places[id_]] == list(range(len(places[id_])))
    library.publisher.retire([id_], now=START)
    with shelf.database.read() as session:
        assert library.places(session, [id_]) == {}


def test_memory_is_not_read_again_when_nothing_changed(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article())
    asked(library, "refund")
    version = library._version
    for _ in range(3):
        asked(library, "refund")
    assert library._version == version


class SlowSessions:
    """A database in which one reader can be held after it has seen the version."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.write = database.write
        self.held: threading.Thread | None = None
        self.reached, self.go_on = threading.Event(), threading.Event()

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.database.read() as session:
            yield session
        if threading.current_thread() is self.held and not self.reached.is_set():
            self.reached.set()
            assert self.go_on.wait(30)


def test_a_slow_reader_does_not_turn_memory_back(shelf: Shelf) -> None:
    sessions = SlowSessions(shelf.database)
    shelf.database = sessions  # type: ignore[assignment]
    library = shelf.library()
    put(library, article())
    sessions.held = threading.Thread(target=asked, args=(library, "refund"))
    sessions.held.start()
    assert sessions.reached.wait(30)
    put(library, faq())
    assert sorted(asked(library, "refund trial")) == ["Ask for a refund", "How long is the trial?"]
    version = library._version
    sessions.go_on.set()
    sessions.held.join()
    assert library._version == version
    assert sorted(asked(library, "refund trial")) == ["Ask for a refund", "How long is the trial?"]


def test_searching_while_articles_come_and_go_never_fails(shelf: Shelf) -> None:
    library = shelf.library()
    put(library, article("always", "Always here", "The anchor holds."))
    rounds = 12

    def work(number: int) -> None:
        for turn in range(rounds):
            if number == 0:
                ids = put(library, *(article(f"{n}", f"Title {n}", long_body(f"word{turn}")) for n in range(5)))
                if turn % 3 == 2:
                    for id_ in ids:
                        library.publisher.delete(id_)
            else:
                assert "Always here" in asked(library, "anchor holds")

    assert together(4, work) == [None] * 4


def test_the_epoch_names_encoders_and_passage_format() -> None:
    class Other(HashingEncoder):
        name = "other"

    assert epoch_family({MAIN: HashingEncoder()}) == epoch_family({MAIN: HashingEncoder()})
    families = {epoch_family(e) for e in ({MAIN: HashingEncoder()}, {MAIN: Other()}, {MAIN: HashingEncoder(), "multilingual": Other()})}
    assert len(families) == 3
    assert PASSAGE_FORMAT >= 1


def test_the_real_search_of_the_sample_finds_what_is_asked_for(sample: Any) -> None:
    for question, title in (
        ("how do I reset my password", "password"),
        ("dashboard loads slowly", "dashboard"),
    ):
        found = sample.library.find(question, sample.assistant.embed([question]))
        assert any(title in hit.title.lower() for hit in found.passages), (question, [hit.title for hit in found.passages])
