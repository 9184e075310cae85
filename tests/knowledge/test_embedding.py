"""Every encoder gives one unit vector a text, the same each time, from files that are what they should be."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import embedding
from knowledge.embedding import HashingEncoder, MiniLM, ModelFileError, Multilingual, unit, vectors

TEXTS = [
    "How do I reset my password?",
    "Reset your password",
    "The invoice is wrong",
    "x",
    "",
    "word " * 2_000,
    "😀",
    "\ud800",
    "日本語のテキスト",
]


@pytest.fixture(scope="module")
def minilm(models: Path) -> MiniLM:
    return MiniLM(models)


@pytest.fixture(scope="module")
def multilingual() -> Multilingual:
    return Multilingual()


@pytest.fixture(params=["hashing", "minilm", "multilingual"])
def encoder(request: pytest.FixtureRequest) -> HashingEncoder | MiniLM | Multilingual:
    return HashingEncoder() if request.param == "hashing" else request.getfixturevalue(request.param)


def test_every_text_gets_one_unit_vector(encoder: MiniLM) -> None:
    rows = vectors(encoder, TEXTS)
    assert rows.shape[0] == len(TEXTS)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)


def test_a_text_has_the_same_vector_alone_and_among_others(encoder: MiniLM) -> None:
    together = vectors(encoder, TEXTS * 5)
    for number, text in enumerate(TEXTS):
        alone = np.asarray(encoder.embed_query(text), dtype=np.float32)
        assert float(alone @ together[number]) > 0.995
        assert float(together[number] @ together[number + len(TEXTS)]) > 0.995


def test_no_texts_are_no_vectors(encoder: MiniLM) -> None:
    assert vectors(encoder, []).shape == (0, 0)


def test_what_means_the_same_is_nearer_than_what_does_not(encoder: MiniLM) -> None:
    rows = vectors(encoder, TEXTS[:3])
    assert float(rows[0] @ rows[1]) > float(rows[0] @ rows[2])


def test_many_threads_get_the_vectors_one_thread_gets(minilm: MiniLM, multilingual: Multilingual) -> None:
    for model in (minilm, multilingual):
        texts = [f"question number {n} about invoices" for n in range(40)]
        expected = vectors(model, texts)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(model.embed_query, texts))
        assert np.allclose((np.asarray(found) * expected).sum(axis=1), 1, atol=5e-3)


def test_the_quick_model_says_what_the_published_one_says(minilm: MiniLM) -> None:
    """The 8-bit weights move no vector far from the one sentence-transformers gives."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer

        published = SentenceTransformer(str(minilm.folder), device="cpu").encode(TEXTS[:4], normalize_embeddings=True)
    assert ((vectors(minilm, TEXTS[:4]) * published).sum(axis=1) > 0.98).all()


def test_the_multilingual_encoder_sees_through_languages(multilingual: Multilingual) -> None:
    english, german, other = vectors(multilingual, ["reset my password", "mein Passwort zurücksetzen", "Die Rechnung ist falsch"])
    assert float(english @ german) > 0.7 > float(english @ other)


def test_a_changed_model_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="is not the published file"):
        embedding._check_sha256(file, embedding.MINILM_SHA256)
    monkeypatch.setattr(embedding, "MINILM_SHA256", "0" * 64)
    with pytest.raises(ModelFileError):
        MiniLM(tmp_path / "cache")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(ModelFileError, match="no_such_package_of_models"):
        embedding.package_folder("no_such_package_of_models")


def test_a_model_that_cannot_be_prepared_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="could not be prepared"):
        embedding._build(tmp_path / "nothing", tmp_path / "x.xml")
    assert not (tmp_path / "x.xml").exists()


def test_a_prepared_model_is_used_again(models: Path) -> None:
    before = {file.name: file.stat().st_mtime_ns for file in models.glob("minilm-*")}
    MiniLM(models)
    assert {file.name: file.stat().st_mtime_ns for file in models.glob("minilm-*")} == before
    assert sys.modules.get("openvino_telemetry", None) is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_the_stand_in_takes_any_text(texts: list[str]) -> None:
    rows = vectors(HashingEncoder(), texts)
    assert len(rows) == len(texts)
    assert np.allclose(np.linalg.norm(rows, axis=-1), 1, atol=1e-3) or not texts


def test_a_row_of_zeros_stays_zero() -> None:
    assert unit(np.zeros((2, 3), dtype=np.float32)).tolist() == [[0, 0, 0], [0, 0, 0]]
