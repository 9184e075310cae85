"""The benchmark's material and its visitors; what it measures is not asserted, because times belong to no test."""

import json

import numpy as np
import pytest

from evals import bench, material, visiting
from evals.bench import Bench, Figure, Machine
from evals.material import Echo, MissingMaterial
from knowledge.articles import ArticleText
from knowledge.embedding import HashingEncoder, vectors
from knowledge.passages import cut

ARTICLES = [ArticleText(f"a{n}", f"Title {n}", f"Paragraph {n} of the text. " * 10) for n in range(5)]


def corpora(folder, rows):
    (folder / "corpora").mkdir()
    file = folder / material.CORPORA[0]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_articles_give_exactly_the_wanted_passages(tmp_path):
    data = corpora(tmp_path, [{"id": str(n), "title": f"T{n}", "text": "word " * (400 if n == 1 else 20)} for n in range(5)])
    chosen = material.articles(data, 3)
    assert sum(len(cut(text.title, text.body)) for text in chosen) == 3


def test_too_small_a_folder_is_said_in_words(tmp_path):
    with pytest.raises(MissingMaterial, match="is missing"):
        material.articles(corpora(tmp_path, [{"id": "1", "title": "T", "text": "x"}]), 5)


def test_questions_are_all_distinct(tmp_path):
    for name, count in ((material.BANKING, 90), (material.MTRAG, 9)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("".join(json.dumps({"text": f"{name} {n // 2}"}) + "\n" for n in range(2 * count)))
    asked = material.questions(tmp_path, banking=50, mtrag=9, crowd=20)
    every = [*asked.single, *asked.crowd, *asked.warm]
    assert len(every) == len(set(every)) == 50 + 9 + 20 + 20


def test_synthetic_articles_give_about_the_wanted_passages_and_differ():
    made = list(material.synthetic(ARTICLES, 100))
    total = sum(len(cut(text.title, text.body)) for text in made)
    assert 100 <= total < 120
    assert len({text.body for text in made}) == len(made)


def test_synthetic_vectors_have_length_1_and_lie_near_real_ones():
    sample = vectors(HashingEncoder(), ["refund", "password"])
    made = np.asarray(Echo(HashingEncoder(), sample).embed_documents(["x"] * 50))
    assert np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    assert (made @ sample.T).max(axis=1).min() > 0.7


def test_a_ratio_needs_a_reference():
    assert Figure("a", 30, "ms", reference=10).ratio == 3
    assert Figure("a", 30, "ms").ratio is None


def test_figures_are_stored_with_machine_and_ratio(tmp_path):
    done = Bench(Machine("cpu", 2, 8.0, "3.11", 0.1), (Figure("turn", 30, "ms", "≤ 15", False, 10, 5),))
    bench.write(done, tmp_path / "b.json")
    stored = json.loads((tmp_path / "b.json").read_text())
    assert stored["machine"]["cores"] == 2
    assert stored["figures"]["turn"] == {"value": 30, "unit": "ms", "bar": "≤ 15", "reached": False, "reference": 10, "n": 5, "ratio": 3}


def test_visitors_get_answers_from_a_real_server(tmp_path):
    with visiting.serving(tmp_path, {"FIRSTLINE_EMBEDDER": "hashing"}) as server:
        single = visiting.ask_in_turn(server.port, ["How long is the trial?", "Who are you?"])
        crowd = visiting.ask_at_once(server.port, [f"question {n}" for n in range(6)], 3)
        assert server.resident_mb > 10
    assert len(single) == 2
    assert len(crowd) == 6
    assert min(single + crowd) > 0
    assert server.process.poll() is not None


def test_a_server_that_cannot_start_says_why(tmp_path):
    with pytest.raises(visiting.ServerFailed, match="EMBEDER"), visiting.serving(tmp_path, {"FIRSTLINE_EMBEDER": "x"}):
        pass
