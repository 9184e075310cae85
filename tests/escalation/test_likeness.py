"""Kernel ridge over vectors: it learns what a straight line cannot, and its file gives the same scores."""

from pathlib import Path

import numpy as np
import pytest

from escalation import likeness
from escalation.learned import MissingVectorError
from escalation.likeness import Likeness


def rows(count: int = 160) -> tuple[dict[str, np.ndarray], list[str]]:
    random = np.random.default_rng(3)
    angle = random.uniform(0, 2 * np.pi, count)
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    return {"one": vectors, "two": vectors[:, ::-1].copy()}, ["same" if x * y > 0 else "opposite" for x, y in vectors]


def test_it_learns_what_no_straight_line_separates_and_survives_its_file(tmp_path: Path) -> None:
    vectors, labels = rows()
    fitted = likeness.fit(vectors, labels, ridge=0.01, made_of="this")
    fitted.save(tmp_path / "fit.npz")
    again = Likeness.load(tmp_path / "fit.npz")
    scores = again.scores(vectors)
    assert np.allclose(scores, fitted.scores(vectors), atol=1e-4)
    found = [again.labels[int(n)] for n in scores.argmax(axis=1)]
    assert sum(a == b for a, b in zip(found, labels, strict=True)) >= 150
    assert (again.spaces, again.made_of) == (("one", "two"), "this")


def test_a_missing_vector_is_named_and_a_vector_of_zeros_is_scored() -> None:
    vectors, labels = rows(40)
    fitted = likeness.fit(vectors, labels, ridge=0.1)
    with pytest.raises(MissingVectorError, match="two"):
        fitted.scores({"one": vectors["one"]})
    zero = np.zeros((1, 2), dtype=np.float32)
    assert np.isfinite(fitted.scores({"one": zero, "two": zero})).all()
