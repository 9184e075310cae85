"""Grades the checker of written drafts on sets of passages and sentences, each labelled grounded or ungrounded."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals import metrics
from evals.folders import BrokenSet, checked_rows
from evals.results import Measure, SetResult, known
from evals.scorers import DRAWS, SEED, share
from guardrails.checks.grounding import Statement, Support
from guardrails.drafts import CitedPassage

KIND = "groundedness"
FIELDS = {"context": str, "response": str, "label": str}
GROUNDED, UNGROUNDED, LEFT_OUT = "grounded", "ungrounded", "generic"
GOOD_CUT = (0.05, 0.10, 0.20)  # shares of good sentences cut at which the errors caught are reported
CAUGHT = 0.95  # share of errors caught at which the good sentences cut are reported
SPLITS = ("kind", "lang")

Scores = NDArray[np.float64]


Check = Callable[[Sequence[Statement]], list[Support]]


def grade(name: str, check: Check, file: Path, notes: Sequence[str] = ()) -> SetResult:
    """AUC and the curve of scores, what is cut as shipped, and the same by kind and language. Raise BrokenSet."""
    rows = _rows(file)
    judged = check([Statement(row["response"], (CitedPassage("passage", row["context"]),)) for row in rows])
    scores = np.array([support.score for support in judged])
    right = np.array([row["label"] == GROUNDED for row in rows])
    cut = [not support.ok for support in judged]
    return SetResult(name, known([*_ranking(scores, right).items(), *_at_threshold(rows, cut).items()]), tuple(notes))


def _rows(file: Path) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for line, row in checked_rows(file, FIELDS):
        if row["label"] not in (GROUNDED, UNGROUNDED, LEFT_OUT):
            raise BrokenSet(f"{file}, line {line}: the label must be {GROUNDED}, {UNGROUNDED} or {LEFT_OUT}")
        if row["label"] != LEFT_OUT:
            rows.append(row)
    if not rows:
        raise BrokenSet(f"{file}: is empty")
    return rows


def _ranking(scores: Scores, right: NDArray[np.bool_]) -> dict[str, Measure]:
    if right.all() or not right.any():
        return {}
    random = np.random.default_rng(SEED)
    drawn = [random.integers(0, len(scores), len(scores)) for _ in range(DRAWS)]
    of_draws = [metrics.auc(list(scores[part]), list(right[part])) for part in drawn]
    low, high = np.nanquantile(of_draws, [0.025, 0.975])
    good, wrong = scores[right], scores[~right]
    found = {"auc": Measure(metrics.auc(list(scores), list(right)), float(low), float(high), len(scores))}
    for limit in GOOD_CUT:
        found[f"caught@good_cut={limit:g}"] = share(bool(score < np.quantile(good, limit)) for score in wrong)
    found[f"good_cut@caught={CAUGHT:g}"] = share(bool(score <= np.quantile(wrong, CAUGHT)) for score in good)
    return found


def _at_threshold(rows: Sequence[Mapping[str, Any]], cut: Sequence[bool]) -> dict[str, Measure]:
    counts: dict[str, list[bool]] = defaultdict(list)
    for row, was_cut in zip(rows, cut, strict=True):
        metric = "good_cut" if row["label"] == GROUNDED else "caught"
        counts[metric].append(was_cut)
        for field in SPLITS:
            if row.get(field):
                counts[f"{metric}@{field}={row[field]}"].append(was_cut)
    return {metric: share(flags) for metric, flags in sorted(counts.items())}
