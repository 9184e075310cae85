"""Chooses how questions are grouped, on clinc150's test split alone: a few hundred questions as a help desk sees them, and all of them.

A scene has 20 intents that no article answers, each asked by 8 to 12 people of whom agents replied to three (the replies are ours), among
57 others from the same subjects with 0 to 6 questions and no reply. What a method is chosen by: intents found, groups in vain, strangers.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from evals.datasets import EXAMPLES, rows
from evals.grouping_exam import OUTSIDE, accuracy
from evals.laboratory import Laboratory
from knowledge import groups
from knowledge.grouping import ISSUES, ISSUES_OF_FEW, Method, Numbers, Replies, cohesion, group, joined
from knowledge.vectors import Vectors

SCENES = 16
MISSING, OTHERS, REPLIED = 20, 57, 3
PEOPLE, PURE = 3, 0.5  # as shipped
OFTEN = (0, 0, 1, 1, 2, 2, 3, 4, 5, 6)  # how often one of the others is asked
APARTS = (0.3, 0.35, 0.4, 0.45, 0.5)
REPLIES = ((0.0, 0.25), (0.5, 0.25), (1.0, 0.2), (1.0, 0.25), (1.0, 0.3), (1.5, 0.25))
MANY = tuple(round(0.6 + 0.01 * step, 2) for step in range(11))
MOST_STRANGERS = 0.06  # in the groups of a scene: real help desks are about one subject, so the bar of .10 is aimed at with a margin


@dataclass(frozen=True)
class Intents:
    """The test split by intent, replies by intent, and the row of each text."""

    asked: Mapping[str, Sequence[str]]
    replies: Mapping[str, Sequence[str]]
    row_of: Mapping[str, Vectors]


@dataclass(frozen=True)
class Scene:
    """Questions with their intents, the replies, and which intents nobody has written about."""

    rows: Vectors
    intents: Sequence[str]
    replies: Replies
    missing: frozenset[str]


@dataclass(frozen=True)
class Grade:
    """Intents found by a group that is mostly theirs; groups that are not, or second ones; strangers; share of an intent's questions."""

    found: float
    in_vain: float
    strangers: float
    gathered: float


def intents_of(file: Path, lab: Laboratory) -> Intents:
    """clinc150's test split without questions out of scope."""
    asked: dict[str, list[str]] = {}
    for row in rows(file):
        if row["split"] == "test" and row["intent"] != OUTSIDE:
            asked.setdefault(row["intent"], []).append(row["text"])
    replies = {row["intent"]: row["replies"] for row in rows(EXAMPLES / "clinc150_replies.jsonl")}
    texts = [text for of_one in (*asked.values(), *replies.values()) for text in of_one]
    return Intents(asked, replies, dict(zip(texts, joined(lab.embed(texts)), strict=True)))


def scene(data: Intents, seed: int) -> Scene:
    """One seeded scene."""
    chance = random.Random(seed)  # noqa: S311 - a seeded draw, no secret
    missing = chance.sample(sorted(data.replies), MISSING)
    others = chance.sample(sorted(set(data.asked) - set(missing)), OTHERS)
    asked = [(intent, text) for intent in missing for text in chance.sample(list(data.asked[intent]), chance.randint(8, 12))]
    asked += [(intent, text) for intent in others for text in chance.sample(list(data.asked[intent]), chance.choice(OFTEN))]
    chance.shuffle(asked)
    left = {intent: iter(data.replies[intent][:REPLIED]) for intent in missing}
    told = [(at, reply) for at, (intent, _) in enumerate(asked) if (reply := next(left.get(intent, iter(())), None))]
    replies = Replies(np.array([at for at, _ in told]), np.stack([data.row_of[reply] for _, reply in told]))
    return Scene(np.stack([data.row_of[text] for _, text in asked]), [intent for intent, _ in asked], replies, frozenset(missing))


def graded(one: Scene, labels: Numbers) -> Grade:
    """What would be suggested of these groups, by the shipped rule: enough people, clear questions, and a reply."""
    found: dict[str, int] = {}
    in_vain = strangers = total = 0
    replied = set(one.replies.at.tolist())
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        clear = members[groups.core(one.rows[members], PURE)]
        if len(clear) < PEOPLE or cohesion(one.rows[clear]) < PURE or not replied & set(members.tolist()):
            continue
        intent, count = Counter(one.intents[int(at)] for at in clear).most_common(1)[0]
        strangers += len(members) - Counter(one.intents[int(at)] for at in members).most_common(1)[0][1]
        total += len(members)
        right = intent in one.missing and 2 * count > len(clear) and intent not in found
        in_vain += not right
        if right:
            found[intent] = count
    sizes = Counter(one.intents)
    return Grade(len(found), in_vain, strangers / max(total, 1), float(np.mean([found.get(i, 0) / sizes[i] for i in one.missing])))


def few(data: Intents) -> list[tuple[Method, Grade]]:
    """The means over the scenes of every method that is tried for few questions."""
    scenes = [scene(data, seed) for seed in range(SCENES)]
    tried = [replace(ISSUES_OF_FEW, apart=apart, replies=weight, differ=differ) for apart in APARTS for weight, differ in REPLIES]
    return [(method, _mean([graded(one, group(one.rows, method, one.replies)) for one in scenes])) for method in tried]


def best_of_few(grades: Sequence[tuple[Method, Grade]]) -> Method:
    """The most intents found less groups in vain, of those with few enough strangers."""
    fit = [pair for pair in grades if pair[1].strangers <= MOST_STRANGERS] or list(grades)
    return max(fit, key=lambda pair: pair[1].found - pair[1].in_vain)[0]


def many(data: Intents) -> list[tuple[Method, float, float]]:
    """Accuracy and NMI of all questions at once, for every likeness at which groups stay apart."""
    intents = [intent for intent, said in data.asked.items() for _ in said]
    every = np.stack([data.row_of[text] for said in data.asked.values() for text in said])
    found = []
    for apart in MANY:
        labels = group(every, method := replace(ISSUES, apart=apart))
        found.append((method, accuracy(intents, labels), float(normalized_mutual_info_score(intents, labels))))
    return found


def _mean(grades: Sequence[Grade]) -> Grade:
    return Grade(*(float(np.mean([getattr(one, name) for one in grades])) for name in Grade.__dataclass_fields__))
