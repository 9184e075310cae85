"""Grades grouping on a set of intents: the groups that the product makes, not told how many there are, against the labels."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from api.settings import Settings
from evals.datasets import EXAMPLES
from evals.folders import checked_rows
from evals.laboratory import Laboratory, laboratory
from evals.results import Measure, SetResult
from evals.scorers import share
from guardrails.checks.personal_data import mask_personal
from knowledge import drafting, duplicates
from knowledge.drafting import Means, Told
from knowledge.duplicates import DUPLICATE, Page
from knowledge.facts import facts_in
from knowledge.grouping import group, joined

OUTSIDE = "oos"
DRAWS = 20  # of the bootstrap over questions: few, for the Hungarian method is slow


def grade(file: Path, settings: Settings, cache: Path) -> SetResult:
    """Accuracy, NMI, ARI and pairwise precision over the test split where there is one, without questions out of scope. Raise BrokenSet."""
    rows = [row for _, row in checked_rows(file, {"text": str, "intent": str})]
    tested = [row for row in rows if row.get("split") == "test"] or rows
    kept = [row for row in tested if row["intent"] != OUTSIDE]
    with laboratory(settings, cache) as lab:
        labels = group(joined(lab.embed([row["text"] for row in kept])))
    return SetResult(f"intents/{file.stem}", measures([row["intent"] for row in kept], labels.tolist()))


def measures(intents: Sequence[str], labels: Sequence[int]) -> dict[str, Measure]:
    """How well groups match intents."""
    right, made = np.unique(intents, return_inverse=True)[1], np.asarray(labels)
    random = np.random.default_rng(0)
    found = {}
    scores = {"acc": accuracy, "nmi": normalized_mutual_info_score, "ari": adjusted_rand_score, "pair_precision": precision}
    for name, score in scores.items():
        drawn = [score(right[rows], made[rows]) for rows in (random.integers(0, len(right), len(right)) for _ in range(DRAWS))]
        value = float(score(right, made))
        low, high = np.quantile(drawn, [0.025, 0.975])
        found[name] = Measure(value, min(float(low), value), max(float(high), value), len(right))
    return {**found, "groups": Measure(float(len(set(labels))), float(len(set(labels))), float(len(set(labels))), len(right))}


def accuracy(right: Any, made: Any) -> float:
    """Share in the group that stands for their intent, each group for at most one (Hungarian method)."""
    rows, columns = np.unique(right, return_inverse=True)[1], np.unique(made, return_inverse=True)[1]
    counts = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    best = linear_sum_assignment(-counts)
    return float(counts[best].sum() / len(right))


def precision(right: Any, made: Any) -> float:
    """Of the pairs in one group, the share of one intent."""
    pairs = sum(count * (count - 1) for count in Counter(made.tolist()).values())
    same = sum(count * (count - 1) for count in Counter(zip(made.tolist(), right.tolist(), strict=True)).values())
    return same / pairs if pairs else 1.0


@dataclass(frozen=True)
class Blind:
    """What the blind sets of duplicates and planted identifiers give."""

    recall: Measure
    flagged: Measure
    leaks: tuple[str, ...]
    survived: Measure
    answered: Measure


def blind(settings: Settings, cache: Path, folder: Path = EXAMPLES / "knowledge") -> Blind:
    """Near-duplicates found and others flagged; planted identifiers that came through, and clean facts that did."""
    with laboratory(settings, cache) as lab:
        found, flagged = _duplicates(lab, _rows(folder / "duplicates_blind.jsonl"))
        leaks, survived, answered = _identifiers(lab, _rows(folder / "identifiers_blind.jsonl"))
    return Blind(share(found), share(flagged), tuple(leaks), share(survived), share(answered))


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _duplicates(lab: Laboratory, rows: Sequence[dict[str, Any]]) -> tuple[list[bool], list[bool]]:
    """For duplicates whether the right one was flagged, for others whether anything was."""
    found, flagged = [], []
    for row in rows:
        pages = [Page(one["id"], one["question"], one["answer"]) for one in row["existing"]]
        pages += [Page(f"candidate {n}", one["question"], one["answer"]) for n, one in enumerate(row["candidates"])]
        seen = duplicates.seen(pages, lab.embed(duplicates.texts(pages)))
        old, new = seen[: len(row["existing"])], seen[len(row["existing"]) :]
        for one, candidate in zip(new, row["candidates"], strict=True):
            scores = {other.page.id: duplicates.likeness(one, other) for other in old}
            if candidate.get("duplicate_of"):
                found.append(scores[candidate["duplicate_of"]] >= DUPLICATE)
            else:
                flagged.append(max(scores.values()) >= DUPLICATE)
    return found, flagged


def _identifiers(lab: Laboratory, rows: Sequence[dict[str, Any]]) -> tuple[list[str], list[bool], list[bool]]:
    """Planted things that stand in the draft or its wordings; for each clean fact whether it may enter; whether there is a draft."""
    leaks, survived, answered = [], [], []
    means = Means(lab.embed, mask_personal)
    for row in rows:
        told = [Told(f"m{n}", f"t{n}", f"p{n}", text) for n, text in enumerate(row["replies"])]
        asked = [Told(f"q{n}", f"t{n}", f"p{n}", mask_personal(text)) for n, text in enumerate(row["questions"])]
        shared = drafting.agreed([*asked, *told], (), mask_personal, "en")
        body = drafting.answer(told, (), lab.embed([row["issue"]])["main"][0], means)
        wordings = [drafting.scrubbed(one.text, shared) for one in asked]
        text = "\n".join([drafting.markdown(body), *wordings]).casefold()
        leaks += [f"{row['id']}: {planted}" for planted in row["planted"] if planted.casefold() in text]
        survived += [_enters(fact["text"], shared) for fact in row["facts"]]
        answered.append(bool(body))
    return leaks, survived, answered


def _enters(fact: str, shared: frozenset[str]) -> bool:
    """Whether the gate lets a fact in."""
    return not facts_in(fact) - shared
