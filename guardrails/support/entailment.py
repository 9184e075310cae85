"""A cross-encoder that reads passage and sentence together, where the operator names one: finer and slower than vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

WINDOW = 240  # words; most cross-encoders read 512 tokens, the sentence included


class Entailment(Protocol):
    """Tells whether a sentence follows from a text."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """For each (passage, sentence) the probability, 0 to 1, that the sentence follows."""


class UnusableModel(ValueError):
    """The model named cannot be loaded, or does not say which of its outputs means “follows”; the sentence says which."""


class CrossEncoderEntailment:
    """A sentence-transformers cross-encoder for natural language inference by hub name or path; needs torch while serving."""

    def __init__(self, model: str) -> None:
        """Load the model; only safetensors files are read and no code of the model's is run. Raise UnusableModel."""
        try:
            from sentence_transformers import CrossEncoder  # noqa: PLC0415

            self._model = CrossEncoder(model, device="cpu", trust_remote_code=False, model_kwargs={"use_safetensors": True})
        except Exception as error:
            raise UnusableModel(f"the entailment model {model} cannot be loaded ({type(error).__name__}): {error}") from error
        labels = {int(n): str(label).lower() for n, label in self._model.config.id2label.items()}
        self._column = _column(labels)

    def scores(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """For each (text, sentence) the probability, 0 to 1, that the sentence follows: of the part of a long text that speaks most for it.

        What a model does not read of a long text would else count as not said.
        """
        parts = [(n, part, sentence) for n, (text, sentence) in enumerate(pairs) for part in windows(text)]
        found = np.zeros(len(pairs), dtype=np.float32)
        if parts:
            np.fmax.at(found, [n for n, _, _ in parts], self._probabilities([(part, sentence) for _, part, sentence in parts]))
        return found

    def _probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        import torch  # noqa: PLC0415

        given = self._model.predict(list(pairs), activation_fn=torch.nn.Identity(), convert_to_numpy=True)
        logits = np.asarray(given, dtype=np.float32).reshape(len(pairs), -1)
        if logits.shape[1] == 1:
            return np.asarray(1 / (1 + np.exp(-logits[:, 0])), dtype=np.float32)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised[:, self._column] / raised.sum(axis=1), dtype=np.float32)


def windows(text: str) -> list[str]:
    """A text in parts of WINDOW words, each half over the one before, so that what belongs together stands in one of them."""
    words = text.split(" ")
    if len(words) <= WINDOW:
        return [text]
    starts = range(0, len(words) - WINDOW // 2, WINDOW // 2)
    return [" ".join(words[start : start + WINDOW]) for start in starts]


def _column(labels: dict[int, str]) -> int:
    if len(labels) == 1:
        return 0
    meaning = [n for n, label in labels.items() if label.startswith(("entail", "support", "consistent"))]
    if len(meaning) != 1:
        raise UnusableModel(f"none of the model's outputs is called entailment, supported or consistent: {', '.join(labels.values())}")
    return meaning[0]
