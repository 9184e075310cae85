"""A Chroma collection holds exactly the vectors it was given."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chromadb.config import Settings as ChromaSettings

from knowledge.embedding import HashingEncoder, vectors
from knowledge.index import ChromaIndex, drop_others

ENCODER = HashingEncoder()


def rows(*texts: str) -> Any:
    return vectors(ENCODER, list(texts))


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    client: Any = chromadb.PersistentClient(str(tmp_path), settings=ChromaSettings(anonymized_telemetry=False))
    yield client
    client.close()


@pytest.fixture
def index(client: Any) -> ChromaIndex:
    return ChromaIndex(client, "passages-x-main")


def test_what_was_put_is_found_by_nearness(index: ChromaIndex) -> None:
    index.put(["a", "b", "c"], rows("apples and pears", "engines", "pears"))
    found = index.nearest(rows("pears")[0], 2)
    assert [id_ for id_, _ in found] == ["c", "a"]
    assert found[0][1] == pytest.approx(1.0, abs=1e-3)
    assert found[1][1] == pytest.approx(float(rows("apples and pears")[0] @ rows("pears")[0]), abs=1e-3)


def test_more_may_be_asked_for_than_there_is(index: ChromaIndex) -> None:
    index.put(["a"], rows("x"))
    assert [id_ for id_, _ in index.nearest(rows("x")[0], 60)] == ["a"]
    assert index.nearest(rows("x")[0], 0) == []


def test_an_empty_index_finds_nothing(index: ChromaIndex) -> None:
    assert index.nearest(rows("x")[0], 5) == []
    assert list(index.ids()) == []
    index.put([], np.zeros((0, 0), dtype=np.float32))
    index.remove([])
    assert list(index.ids()) == []


def test_a_vector_that_is_put_again_is_replaced(index: ChromaIndex) -> None:
    index.put(["a"], rows("apples"))
    index.put(["a"], rows("engines"))
    assert list(index.ids()) == ["a"]
    assert np.allclose(index.vectors(["a"])[0], rows("engines")[0], atol=1e-5)


def test_what_is_removed_is_gone_and_the_unknown_is_ignored(index: ChromaIndex) -> None:
    index.put(["a", "b"], rows("apples", "engines"))
    index.remove(["a", "nosuch"])
    assert list(index.ids()) == ["b"]
    assert [id_ for id_, _ in index.nearest(rows("apples")[0], 5)] == ["b"]
    with pytest.raises(KeyError):
        index.vectors(["a"])


def test_vectors_come_in_the_order_they_are_asked_for(index: ChromaIndex) -> None:
    index.put(["a", "b", "c"], rows("one", "two", "three"))
    assert np.allclose(index.vectors(["c", "a"]), rows("three", "one"), atol=1e-5)


def test_thousands_are_stored_and_listed(index: ChromaIndex) -> None:
    ids = [f"id{n}" for n in range(4_500)]
    many = np.random.default_rng(1).normal(size=(4_500, 16)).astype(np.float32)
    index.put(ids, many / np.linalg.norm(many, axis=1, keepdims=True))
    assert set(index.ids()) == set(ids)
    index.remove(ids[:4_499])
    assert list(index.ids()) == ["id4499"]


def test_what_was_put_is_there_after_it_was_opened_again(tmp_path: Path) -> None:
    for opened in range(2):
        client: Any = chromadb.PersistentClient(str(tmp_path), settings=ChromaSettings(anonymized_telemetry=False))
        index = ChromaIndex(client, "passages-x-main")
        if opened == 0:
            index.put(["a"], rows("x"))
        assert list(index.ids()) == ["a"]
        client.close()


def test_the_collections_of_other_epochs_are_dropped_and_strangers_stay(client: Any) -> None:
    for name in ("passages-one-main", "passages-two-main", "somebody-elses"):
        ChromaIndex(client, name)
    assert drop_others(client, ["passages-two-main"]) == ["passages-one-main"]
    assert sorted(collection.name for collection in client.list_collections()) == ["passages-two-main", "somebody-elses"]
    ChromaIndex(client, "passages-two-main").drop()
    assert [collection.name for collection in client.list_collections()] == ["somebody-elses"]


def test_on_a_shared_server_a_rebuild_of_another_process_is_left_alone(client: Any) -> None:
    for name in ("passages-ab12-1-main", "passages-ab12-2-main", "passages-ab12-3-main", "passages-cd34-9-main"):
        client.create_collection(name, embedding_function=None)
    assert sorted(drop_others(client, ["passages-ab12-2-main"], shared=True)) == ["passages-ab12-1-main", "passages-cd34-9-main"]
    assert drop_others(client, ["passages-ab12-2-main"]) == ["passages-ab12-3-main"]
