"""Grades escalation: whether a conversation becomes a complete ticket and reaches the right people.

`python -m evals.escalation_exam [--data DIR]` prints the numbers; `… fit` learns the shipped classifiers anew from our own examples.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from langchain_core.embeddings import Embeddings

from escalation import asked, fields, hearing, learned, routing
from escalation.fields import Fields, Said
from escalation.settings import EscalationSettings
from evals.datasets import rows
from knowledge.embedding import MiniLM, Multilingual, vectors
from knowledge.language import detect
from knowledge.library import MAIN, MULTILINGUAL

OURS = Path(__file__).parent / "examples" / "escalation"
MAP = Path(__file__).parent / "banking77_queues.yaml"
SAME_FROM = 0.7  # token F1 from which a value matches its label; issue 4
ENGLISH = "en"  # of a text too short to show its language
NAMES = (
    "goal",
    "symptom",
    "error",
    "device",
    "browser",
    "os",
    "app_version",
    "page",
    "account",
    "role",
    "plan",
    "contact_email",
    "contact_name",
    "tried",
)


@dataclass(frozen=True)
class Sorting:
    """How texts were sorted: (wanted, found) for each."""

    pairs: tuple[tuple[str, str], ...]
    in_first_two: float = 0.0

    @property
    def accuracy(self) -> float:
        """Share that came to the right queue."""
        return sum(wanted == found for wanted, found in self.pairs) / max(len(self.pairs), 1)

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the queues that are wanted at all."""
        return float(np.mean([self.f1(queue) for queue in sorted({wanted for wanted, _ in self.pairs})]))

    def f1(self, queue: str) -> float:
        """F1 of one queue."""
        right = sum(wanted == found == queue for wanted, found in self.pairs)
        there = sum((wanted == queue) + (found == queue) for wanted, found in self.pairs)
        return 2 * right / there if there else 0.0

    @property
    def mistakes(self) -> Counter[tuple[str, str]]:
        """How often each wrong pair occurs."""
        return Counter(pair for pair in self.pairs if pair[0] != pair[1])


@dataclass(frozen=True)
class Filling:
    """How one field of one conversation was filled."""

    name: str
    wanted: str | None
    found: tuple[str, ...]

    @property
    def right(self) -> bool:
        """The value matches the label, or both say nothing."""
        if self.wanted is None:
            return not self.found
        return any(token_f1(value, self.wanted) >= SAME_FROM for value in (*self.found, " ".join(self.found)))

    @property
    def kind(self) -> str:
        """How it came out, as a class."""
        if self.right:
            return "right" if self.wanted else "rightly not said"
        return "invented" if self.wanted is None else "overlooked" if not self.found else "other span"


def token_f1(one: str, other: str) -> float:
    """Overlap of the words of two texts, case and punctuation aside."""
    left, right = _words(one), _words(other)
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total()) if shared else 0.0


def fillings(row: Mapping[str, Any]) -> list[Filling]:
    """Every field of a labelled conversation."""
    read = read_fields(row)
    lists = {"error": read.errors, "tried": read.tried}
    return [
        Filling(name, row["labels"].get(name), lists[name] if name in lists else tuple(filter(None, [getattr(read, name)])))
        for name in NAMES
    ]


def read_fields(row: Mapping[str, Any]) -> Fields:
    """What the extraction makes of a conversation."""
    return fields.fill([Said(turn["role"], turn["text"]) for turn in row["turns"]])


def is_complete(row: Mapping[str, Any], filled: Sequence[Filling], *, strictly: bool) -> bool:
    """Goal and symptom stand in the ticket, or were rightly found not said and so are asked for; `strictly`: and the values match.

    Reason, queue, language, transcript and sources cannot be empty in a ticket, and an unknown contact is always asked for.
    """
    wrong = {"overlooked", "other span", "invented"} if strictly else {"overlooked"}
    return bool(row["turns"]) and not any(one.kind in wrong for one in filled if one.name in {"goal", "symptom"})


def voice_alone(encoder: Embeddings, folds: int = 8) -> dict[str, Any]:
    """The learned voice for "asks for a person" over held-out folds of its own examples, at the shipped threshold."""
    told = asked.examples()
    rows_of = {MULTILINGUAL: vectors(encoder, [text for text, _ in told])}
    fold = np.random.default_rng(0).permutation(len(told)) % folds
    threshold, heard = EscalationSettings().asked_from, np.zeros(len(told), dtype=bool)
    for number in range(folds):
        rest, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        labels = [hearing.YES if told[n][1] else hearing.NO for n in rest]
        fitted = learned.fit({MULTILINGUAL: rows_of[MULTILINGUAL][rest]}, labels, ridge=hearing.RIDGE)
        heard[held] = [hearing.heard(fitted, {MULTILINGUAL: rows_of[MULTILINGUAL][n]}) >= threshold for n in held]
    asks = np.array([asks for _, asks in told])
    return {"texts": len(told), "heard of those who ask": float(heard[asks].mean()), "false alarms": float(heard[~asks].mean())}


@dataclass(frozen=True)
class Sorter:
    """The shipped router with its encoders."""

    router: routing.Router
    encoders: Mapping[str, Embeddings]

    def sort(self, texts: Sequence[str], queues: Sequence[str]) -> Sorting:
        """Route every text, in the language that it shows as in a turn."""
        rows = {name: vectors(encoder, list(texts)) for name, encoder in self.encoders.items()}
        routed = self.router.route_all(texts, rows, [detect(text) or ENGLISH for text in texts])
        pairs = tuple((wanted, one.queue) for wanted, one in zip(queues, routed, strict=True))
        near = [wanted in sorted(one.every, key=one.every.__getitem__)[-2:] for wanted, one in zip(queues, routed, strict=True)]
        return Sorting(pairs, _mean(near))


def banking(folder: Path) -> tuple[list[str], list[str]]:
    """Texts of banking77's test split and their queues by the map."""
    queue_of = {intent: queue for queue, intents in yaml.safe_load(MAP.read_text(encoding="utf-8")).items() for intent in intents}
    asked = [row for row in rows(folder / "intents" / "banking77.jsonl") if row["split"] == "test"]
    return [row["text"] for row in asked], [queue_of[row["intent"]] for row in asked]


def graded_fields(conversations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracy over all fields and by field, completeness, and how the fields came out."""
    every = [fillings(row) for row in conversations]
    flat = [one for filled in every for one in filled]
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for one in flat:
        kinds[one.name][one.kind] += 1
    said = [one for one in flat if one.wanted is not None]
    return {
        "conversations": len(conversations),
        "field accuracy": _share(flat),
        "field accuracy, only what was said": _share(said),
        "complete": _mean([is_complete(row, filled, strictly=False) for row, filled in zip(conversations, every, strict=True)]),
        "complete and right": _mean([is_complete(row, filled, strictly=True) for row, filled in zip(conversations, every, strict=True)]),
        "by field": {name: {"accuracy": _share([o for o in flat if o.name == name]), **kinds[name]} for name in NAMES},
    }


def graded_sorting(sorting: Sorting) -> dict[str, Any]:
    """The numbers of a sorting."""
    return {
        "texts": len(sorting.pairs),
        "accuracy": round(sorting.accuracy, 4),
        "right queue among the first two": sorting.in_first_two,
        "macro F1": round(sorting.macro_f1, 4),
        "F1": {queue: round(sorting.f1(queue), 3) for queue in sorted({wanted for wanted, _ in sorting.pairs})},
        "mistakes": {f"{wanted} → {found}": n for (wanted, found), n in sorting.mistakes.most_common(12)},
    }


def exam(folder: Path | None, encoders: Mapping[str, Embeddings]) -> dict[str, Any]:
    """All numbers; those over banking77 only with its folder."""
    sorter = Sorter(routing.load(), encoders)
    blind = list(rows(OURS / "routing_blind.jsonl"))
    conversations = list(rows(OURS / "conversations_blind.jsonl"))
    all_of_them = sorter.sort([r["text"] for r in blind], [r["queue"] for r in blind])
    report: dict[str, Any] = {"routing, blind": graded_sorting(all_of_them)}
    for language in sorted({row["lang"] for row in blind}):
        own = [row for row in blind if row["lang"] == language]
        sorting = sorter.sort([r["text"] for r in own], [r["queue"] for r in own])
        report[f"routing, blind, {language}"] = {"texts": len(own), "accuracy": round(sorting.accuracy, 4)}
    if folder is not None:
        report["routing, banking77 by the map"] = graded_sorting(sorter.sort(*banking(folder)))
    told = [" ".join(turn["text"] for turn in row["turns"] if turn["role"] == "visitor") for row in conversations]
    report["routing, conversations"] = graded_sorting(sorter.sort(told, [r["queue"] for r in conversations]))
    report["asked for a person, the learned voice alone"] = voice_alone(encoders[MULTILINGUAL])
    report["fields"] = graded_fields(conversations)
    return report


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("grade", "fit"), default="grade")
    parser.add_argument("--data", type=Path, help="a folder with intents/banking77.jsonl; without it only our own sets")
    parser.add_argument("--cache", type=Path, default=Path("build/evals/models"), help="folder of prepared models")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    encoders: dict[str, Embeddings] = {MAIN: MiniLM(given.cache), MULTILINGUAL: Multilingual()}
    if given.what == "fit":
        routing.fit(encoders).save()
        hearing.fit({MULTILINGUAL: encoders[MULTILINGUAL]}).save(hearing.FITTED)
    else:
        print(json.dumps(exam(given.data, encoders), indent=1, ensure_ascii=False))  # noqa: T201


def _words(text: str) -> Counter[str]:
    return Counter("".join(c if c.isalnum() else " " for c in text.lower()).split())


def _mean(values: Sequence[bool]) -> float:
    return round(sum(values) / max(len(values), 1), 4)


def _share(filled: Sequence[Filling]) -> float:
    return _mean([one.right for one in filled])


if __name__ == "__main__":
    main()
