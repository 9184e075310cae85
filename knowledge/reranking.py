"""A second look at the best passages by a cross-encoder, where the operator names one."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 20


class Reranker(Protocol):
    """Reads question and passage together, which is slower and finer than comparing their vectors."""

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """One number per passage; higher answers better."""


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder by hub name or path; needs torch while serving."""

    def __init__(self, model: str) -> None:
        """Load the model; only safetensors files are read and no code of the model's is run."""
        from sentence_transformers import CrossEncoder  # noqa: PLC0415

        self._model = CrossEncoder(model, device="cpu", trust_remote_code=False, model_kwargs={"use_safetensors": True})

    def scores(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """One number per passage; higher answers better."""
        return np.asarray(self._model.predict([(question, passage) for passage in passages]), dtype=np.float32).reshape(len(passages))
