"""The sets that grade the guards have not been learned by heart."""

import json
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from guardrails.classifier import material
from guardrails.policies import load
from knowledge.embedding import MiniLM, Multilingual

BLIND = Path(__file__).parents[2] / "evals" / "examples" / "guardrails"
TOO_NEAR = 0.85  # cosine in both encoders: the same question in other words


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_policy_example_is_a_near_duplicate_of_a_blind_row(tmp_path):
    blind = []
    for file in sorted(BLIND.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            blind += [row["text"]] if "text" in row else row["turns"]
    texts = [example.text for example in material(load())]
    likely = _near(Multilingual(), texts, blind)
    left, right = sorted({a for a, _ in likely}), sorted({b for _, b in likely})
    assert not _near(MiniLM(tmp_path), left, right) & likely


def _near(encoder: Embeddings, left: list[str], right: list[str]) -> set[tuple[str, str]]:
    rows, columns = (np.asarray(encoder.embed_documents(texts), dtype=np.float32) for texts in (left, right))
    return {(left[i], right[j]) for i, j in zip(*np.where(rows @ columns.T >= TOO_NEAR), strict=True)} if left else set()
