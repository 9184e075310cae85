"""Which queue: the queues as data, the examples, the learned part and its file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from escalation import learned, queues, routing
from escalation.learned import Learned, MissingVectorError
from escalation.queues import NoSuchQueue
from knowledge.embedding import HashingEncoder

LANGUAGES = ("de", "en", "es", "fr", "pt")


def test_the_seven_queues_have_all_that_an_agent_reads() -> None:
    assert list(queues.load()) == ["technical", "billing", "commercial", "legal", "privacy", "safety", "product"]
    assert all(queue.title and queue.who and queue.description for queue in queues.load().values())
    with pytest.raises(NoSuchQueue, match="privacy"):
        queues.get("kitchen")


def test_every_queue_has_eighty_examples_and_ten_in_each_other_language() -> None:
    counts = Counter((row.queue, row.language) for row in routing.examples())
    for queue in queues.load():
        assert sum(counts[queue, language] for language in LANGUAGES) >= 80
        assert all(counts[queue, language] >= 10 for language in LANGUAGES)


def test_no_example_stands_twice() -> None:
    texts = Counter(" ".join(row.text.lower().split()) for row in routing.examples())
    assert [text for text, count in texts.items() if count > 1] == []


def test_the_map_of_banking77_names_only_our_queues() -> None:
    stored = yaml.safe_load(Path("evals/banking77_queues.yaml").read_text(encoding="utf-8"))
    assert set(stored) <= set(queues.load())
    assert len({intent for intents in stored.values() for intent in intents}) == sum(map(len, stored.values())) == 77


def test_the_shipped_router_was_learned_from_the_shipped_examples() -> None:
    assert routing.load().english.made_of == routing.load().other.made_of == routing.made_of(), "run: python -m evals.escalation_exam fit"


def test_a_router_learns_another_encoder_and_routes_what_it_learned() -> None:
    encoders = {"main": HashingEncoder(512), "multilingual": HashingEncoder(256)}
    router = routing.fit(encoders)
    texts = ["our nightly sync stopped and the app crashes", "please send me the invoice, I was charged twice"]
    vectors = {name: np.array(encoder.embed_documents(texts), dtype=np.float32) for name, encoder in encoders.items()}
    routed = router.route_all(texts, vectors, ["en", "en"])
    assert [one.queue for one in routed] == ["technical", "billing"]
    assert sum(routed[0].every.values()) == pytest.approx(1.0, abs=1e-5)
    assert routed[0].probability == max(routed[0].every.values())
    one = router.route(texts[1], {name: rows[1] for name, rows in vectors.items()}, "de")
    assert one.queue == "billing"


def test_a_missing_vector_is_named() -> None:
    fitted = learned.fit({"main": np.eye(4, dtype=np.float32)}, ["a", "b", "a", "b"], ridge=0.01)
    with pytest.raises(MissingVectorError, match="main"):
        fitted.logits({"other": np.eye(4, dtype=np.float32)})


def test_a_fit_separates_what_can_be_separated_and_survives_its_file(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    rows = random.normal(size=(120, 8)).astype(np.float32)
    labels = ["left" if row[0] + row[1] < 0 else "right" for row in rows]
    fitted = learned.fit({"main": rows}, labels, ridge=1e-4, made_of="this")
    fitted.save(tmp_path / "fit.npz")
    again = Learned.load(tmp_path / "fit.npz")
    found = [again.labels[int(n)] for n in again.logits({"main": rows}).argmax(axis=1)]
    assert sum(a == b for a, b in zip(found, labels, strict=True)) >= 117
    assert (again.labels, again.spaces, again.made_of) == (("left", "right"), ("main",), "this")
