"""Which queue a text belongs to: learned from hand-written examples over encoder vectors, pushed by a few sure words."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from langchain_core.embeddings import Embeddings

from escalation import learned, likeness
from escalation.learned import Vectors
from escalation.likeness import Likeness

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # three thousand examples take a second without the one in C
DATA = Path(__file__).parent / "data" / "routing.yaml"
FITTED = Path(__file__).parent / "data"
ENGLISH, MULTILINGUAL = "en", "multilingual"  # the language the main encoder was trained on; the encoder for every other
RIDGE = 0.1  # of .1, .2, .3 the best in six held-out folds of our own examples, near-duplicates and translations kept together
SHARP = 5.5  # log-odds a score of 1 is worth: of 2 … 8 the least cross-entropy in the same folds
PUSH = 1.4  # log-odds that a queue's sure words add; in the same folds .932 of English and .915 of other texts with it


@dataclass(frozen=True)
class Routed:
    """The queue, how probable it is, and every queue's probability."""

    queue: str
    probability: float
    every: Mapping[str, float]


@dataclass(frozen=True)
class Example:
    """A text and the queue that takes it."""

    text: str
    queue: str
    language: str


@dataclass(frozen=True)
class Router:
    """Two learned parts, for English over every encoder and for other languages over the multilingual one, and each queue's sure words."""

    english: Likeness
    other: Likeness

    def route(self, text: str, vectors: Mapping[str, Vectors], language: str | None) -> Routed:
        """One text with its vector by encoder. Raise MissingVectorError."""
        return self.route_all([text], vectors, [language])[0]

    def route_all(self, texts: Sequence[str], vectors: Mapping[str, Vectors], languages: Sequence[str | None]) -> list[Routed]:
        """One Routed per text; `vectors` hold one row per text; a language that is not known counts as another one."""
        names = self.english.labels
        english = np.array([[language == ENGLISH] for language in languages])
        learnt = SHARP * np.where(english, self.english.scores(vectors), self.other.scores(vectors))
        sure = np.array([[any(p.search(text) for p in sure_words()[name]) for name in names] for text in texts], dtype=np.float32)
        shares = learned.softmax((learnt + PUSH * sure).astype(np.float32))
        return [Routed(names[int(row.argmax())], float(row.max()), dict(zip(names, map(float, row), strict=True))) for row in shares]

    def save(self, folder: Path = FITTED) -> None:
        """Write both parts."""
        self.english.save(folder / "routing_english.npz")
        self.other.save(folder / "routing_other.npz")


def load(folder: Path = FITTED) -> Router:
    """The shipped fit."""
    return Router(Likeness.load(folder / "routing_english.npz"), Likeness.load(folder / "routing_other.npz"))


def fit(encoders: Mapping[str, Embeddings]) -> Router:
    """Learn the examples anew, as for other encoders than the shipped fit's; `multilingual` must be among them."""
    texts, queues = [row.text for row in examples()], [row.queue for row in examples()]
    vectors = {name: np.asarray(encoder.embed_documents(texts), dtype=np.float32) for name, encoder in encoders.items()}
    every = likeness.fit(vectors, queues, ridge=RIDGE, made_of=made_of())
    return Router(every, likeness.fit({MULTILINGUAL: vectors[MULTILINGUAL]}, queues, ridge=RIDGE, made_of=made_of()))


@cache
def examples(file: Path = DATA) -> tuple[Example, ...]:
    """Every example of the file."""
    stored = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are the safe ones
    return tuple(Example(t, queue, lang) for queue, rows in stored.items() for lang, texts in rows["examples"].items() for t in texts)


@cache
def sure_words(file: Path = DATA) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """Patterns by queue."""
    stored = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 - both loaders are the safe ones
    return {queue: tuple(re.compile(p, re.IGNORECASE) for p in rows["patterns"]) for queue, rows in stored.items()}


def made_of() -> str:
    """A hash of everything that the fit depends on, the encoders aside."""
    content = [[row.text, row.queue] for row in examples()]
    return hashlib.sha256(json.dumps([content, RIDGE, likeness.NARROW], ensure_ascii=False).encode()).hexdigest()[:16]
