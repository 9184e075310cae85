"""Which words of the passages say what each word of a claim says, and in which sentence they stand together.

Every word that carries meaning and every number of the claim is an item. An item's likeness to a passage word is 1 for the same
stem or the same fact, else the cosine of the two words' vectors: late interaction (Khattab & Zaharia 2020) over whole words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from guardrails.support.facts import Fact
from guardrails.support.words import Text

Numbers = NDArray[np.float32]

SHARPNESS = 8.0  # how much a sentence that covers more of the claim counts before the others


@dataclass(frozen=True)
class Item:
    """A word or number of a text: the places of its words, and the word itself when it is one."""

    place: int
    stem: str
    lower: str
    fact: Fact | None = None


def items(text: Text) -> list[Item]:
    """Words that carry meaning, and numbers, in order."""
    found = [Item(place, text.words[place].stem, text.words[place].lower) for place in text.content]
    found += [Item(fact.start, "", "", fact) for fact in text.facts if not fact.weak]
    return sorted(found, key=lambda item: item.place)


@dataclass(frozen=True)
class Alignment:
    """`likeness` has a row per item of the claim and a column per item of the evidence."""

    claim: Text
    evidence: Text
    rows: list[Item]
    columns: list[Item]
    likeness: Numbers

    @cached_property
    def best(self) -> Numbers:
        """For each item its highest likeness to anything in the evidence."""
        return np.asarray(self.likeness.max(axis=1, initial=0.0), dtype=np.float32)

    def within(self, units: Sequence[tuple[int, int]]) -> Numbers:
        """(items, units): the highest likeness of each item inside each range of evidence words."""
        places = np.array([item.place for item in self.columns], dtype=int)
        out = np.zeros((len(self.rows), len(units)), dtype=np.float32)
        for n, (start, end) in enumerate(units):
            inside = (places >= start) & (places < end)
            if inside.any():
                out[:, n] = self.likeness[:, inside].max(axis=1)
        return out


def align(claim: Text, evidence: Text, vectors: Mapping[str, Numbers]) -> Alignment:
    """`vectors` holds a unit vector for each lower-case word of both texts that carries meaning."""
    rows, columns = items(claim), items(evidence)
    likeness = np.zeros((len(rows), len(columns)), dtype=np.float32)
    left = [n for n, item in enumerate(rows) if item.fact is None]
    right = [n for n, item in enumerate(columns) if item.fact is None]
    if left and right:
        of_claim = np.stack([vectors[rows[n].lower] for n in left])
        of_evidence = np.stack([vectors[columns[n].lower] for n in right])
        likeness[np.ix_(left, right)] = np.clip(of_claim @ of_evidence.T, 0.0, 1.0)
    for n, item in enumerate(rows):
        for m, other in enumerate(columns):
            if item.fact is not None or other.fact is not None:
                likeness[n, m] = float(item.fact is not None and other.fact is not None and item.fact.same(other.fact))
            elif item.stem == other.stem:
                likeness[n, m] = 1.0
    return Alignment(claim, evidence, rows, columns, likeness)


def weights(scores: Numbers) -> Numbers:
    """A softmax over the last axis."""
    raised = np.exp(SHARPNESS * (scores - scores.max(axis=-1, keepdims=True)))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def in_context(inside: Numbers) -> Numbers:
    """For each item how much it is said where the claim's other items are said: units weighted by how they cover those."""
    count = len(inside)
    if count == 0 or inside.shape[1] == 0:
        return np.zeros(count, dtype=np.float32)
    others = (inside.sum(axis=0, keepdims=True) - inside) / max(count - 1, 1)
    return np.asarray((weights(others) * inside).sum(axis=1), dtype=np.float32)
