"""Vectors kept between runs."""

import numpy as np

from evals.remembering import RememberingEncoder
from knowledge.embedding import HashingEncoder


class Counting(HashingEncoder):
    """Counts the texts it embeds."""

    def __init__(self, name: str = "counting") -> None:
        super().__init__()
        self.name, self.seen = name, []

    def embed_documents(self, texts):
        self.seen += texts
        return super().embed_documents(texts)


def test_a_text_is_embedded_once_even_across_runs(tmp_path):
    first, second = Counting(), Counting()
    before = RememberingEncoder(first, tmp_path / "v.db")
    vectors = before.embed_documents(["a b", "c", "a b"])
    before.close()
    after = RememberingEncoder(second, tmp_path / "v.db")
    assert after.embed_documents(["c", "a b"]) == [vectors[1], vectors[0]]
    after.close()
    assert (first.seen, second.seen) == (["a b", "c"], [])


def test_the_vectors_are_those_of_the_encoder(tmp_path):
    encoder = RememberingEncoder(HashingEncoder(), tmp_path / "v.db")
    texts = [f"text {n}" for n in range(1_200)]
    assert np.allclose(encoder.embed_documents(texts), HashingEncoder().embed_documents(texts), atol=1e-7)
    assert np.allclose(encoder.embed_query("text 7"), HashingEncoder().embed_query("text 7"), atol=1e-7)
    encoder.close()


def test_another_encoder_does_not_get_these_vectors(tmp_path):
    one, other = Counting("one"), Counting("other")
    for encoder in (one, other):
        kept = RememberingEncoder(encoder, tmp_path / "v.db")
        kept.embed_documents(["a"])
        kept.close()
    assert one.seen == other.seen == ["a"]


def test_nothing_and_odd_characters_are_fine(tmp_path):
    encoder = RememberingEncoder(HashingEncoder(), tmp_path / "v.db")
    assert encoder.embed_documents([]) == []
    assert len(encoder.embed_documents(["\ud800", "\0"])) == 2
    encoder.close()
