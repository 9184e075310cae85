"""The sets that grade the guards have not been learned by heart."""

import json
from pathlib import Path

import numpy as np
import pytest

from guardrails.classifier import material
from guardrails.policies import load
from knowledge.embedding import MiniLM, Multilingual

BLIND = Path(__file__).parents[2] / "evals" / "examples" / "guardrails"
TOO_NEAR = 0.85  # cosine in both encoders: the same question in other words


@pytest.mark.slow
def test_no_policy_example_is_a_near_duplicate_of_a_blind_row(tmp_path):
    blind = []
    for file in sorted(BLIND.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            blind += [row["text"]] if "text" in row else row["turns"]
    texts = [example.text for example in material(load())]
    both = np.ones((len(texts), len(blind)), dtype=np.float32)
    for encoder in (MiniLM(tmp_path), Multilingual()):
        left, right = (np.asarray(encoder.embed_documents(rows), dtype=np.float32) for rows in (texts, blind))
        both = np.minimum(both, left @ right.T)
    near = [(texts[i], blind[j]) for i, j in zip(*np.where(both >= TOO_NEAR), strict=True)]
    assert not near
