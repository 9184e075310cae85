"""The learned voice beside asked.py's patterns: how probable it is that a text asks for a person."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from escalation import asked, learned
from escalation.learned import Learned, Vectors

FITTED = Path(__file__).parent / "data" / "hearing.npz"
RIDGE = 3e-4  # as in routing.py
YES, NO = "asks", "no"


def heard(fitted: Learned, vectors: Mapping[str, Vectors]) -> float:
    """Probability 0 to 1 that the text of these vectors (one row by encoder) asks for a person. Raise MissingVectorError."""
    return float(learned.softmax(fitted.logits(vectors))[0, fitted.labels.index(YES)])


def fit(encoders: Mapping[str, Embeddings]) -> Learned:
    """Learn from asked.yaml's examples and look-alikes."""
    rows = asked.examples()
    texts = [text for text, _ in rows]
    vectors = {name: np.asarray(encoder.embed_documents(texts), dtype=np.float32) for name, encoder in encoders.items()}
    return learned.fit(vectors, [YES if asks else NO for _, asks in rows], ridge=RIDGE, made_of=made_of())


def load(file: Path = FITTED) -> Learned:
    """The shipped fit."""
    return Learned.load(file)


def made_of() -> str:
    """A hash of everything that the fit depends on, the encoders aside."""
    return hashlib.sha256(json.dumps([asked.examples(), RIDGE], ensure_ascii=False).encode()).hexdigest()[:16]
