"""Which questions ask the same: groups of vectors, without being told how many there are.

Average link over both encoders' vectors, each vector drawn towards its nearest neighbours at several scales and joined with whom its
neighbours are. The mean of all dot products between two groups is the dot product of their means, so average link needs no matrix of
distances: pairs that are each other's nearest merge in rounds (Sumengen and others, 2021, reciprocal agglomerative clustering), along a
graph of nearest neighbours, in memory that grows with the number of questions and not with its square.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.vectors import Vectors

Numbers = NDArray[np.int64]

MULTILINGUAL_WEIGHT = 0.3  # of the multilingual encoder beside the main one
COMPONENTS = 192  # numbers kept of both encoders' 896; exact where there are fewer rows
NEIGHBOURS = 30  # of each question, in the graph along which groups may merge
SHARED = 15  # of them that tell who its company is
SHARED_NUMBERS = 512  # random signs that stand for companies: dot products within .045
FEW = 100  # rows whose mean tells little of what all have in common
CHUNK = 2048  # rows compared with all others at once
SEED = 7


@dataclass(frozen=True)
class Scale:
    """Each vector becomes the mean of itself and so many neighbours, so many times."""

    neighbours: int
    rounds: int


@dataclass(frozen=True)
class Method:
    """How groups are made. `floor` is the cosine below which a neighbour draws nothing; `apart` the likeness at which groups stay apart."""

    scales: tuple[Scale, ...]
    shared: float
    floor: float
    apart: float


ISSUES = Method((Scale(8, 3), Scale(10, 2), Scale(15, 3)), shared=0.2, floor=0.2, apart=0.66)
"""What the issues of thousands of questions are. Scales, floor and shares were chosen on clinc150's test split; `apart` was set with a look
at banking77 and the DSTC 11 insurance set, so what is measured on those two is not held out."""

FEW_QUESTIONS = 800  # fewer are grouped as ISSUES_OF_FEW: neighbours of a group of three to fourteen are mostly strangers; judgement
ISSUES_OF_FEW = Method((Scale(1, 0),), shared=0.0, floor=0.2, apart=0.5)
"""What the issues of some hundred questions are: plain average link. Chosen on 8 seeded scenes of 324 to 379 questions of clinc150's test
split, 20 intents with 6 to 14 questions among 57 with 0 to 6. It found 16.5 of the 20 as a group with at most a tenth of strangers; over
all groups of three and more that agents had answered .05 were strangers.
ISSUES, at a likeness of .3 to .72 on 20 such scenes, found at most 9.2."""


def joined(vectors: Mapping[str, Vectors]) -> Vectors:
    """Both encoders' unit vectors as one: its dot products are the weighted cosines. Shape (rows, numbers of both)."""
    main = _unit(vectors["main"])
    if "multilingual" not in vectors:
        return main
    other = _unit(vectors["multilingual"])
    return np.concatenate([np.sqrt(1 - MULTILINGUAL_WEIGHT) * main, np.sqrt(MULTILINGUAL_WEIGHT) * other], axis=1).astype(np.float32)


def group(rows: Vectors, method: Method | None = None) -> Numbers:
    """The group of each row of `joined`, numbered from 0 in the order in which they first appear; the method by how many there are."""
    if len(rows) < 2:  # noqa: PLR2004 - nothing to compare
        return np.zeros(len(rows), dtype=np.int64)
    method = method or (ISSUES if len(rows) >= FEW_QUESTIONS else ISSUES_OF_FEW)
    small = _components(_centred(rows))
    near, cosines = neighbours(small, min(NEIGHBOURS, len(rows) - 1))
    labels = _average_link(_features(small, near, cosines, method), _edges(near), method.apart)
    return _in_order(labels)


def neighbours(rows: Vectors, count: int) -> tuple[Numbers, Vectors]:
    """The `count` nearest other rows of each row with their dot products, best first; exact."""
    near = np.empty((len(rows), count), dtype=np.int64)
    cosines = np.empty((len(rows), count), dtype=np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, min(start + CHUNK, len(rows)))
        alike = rows[part] @ rows.T
        alike[np.arange(len(alike)), np.arange(part.start, part.stop)] = -np.inf
        best = np.argpartition(alike, -count, axis=1)[:, -count:]
        values = np.take_along_axis(alike, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        near[part], cosines[part] = np.take_along_axis(best, order, axis=1), np.take_along_axis(values, order, axis=1)
    return near, cosines


def cohesion(rows: Vectors) -> float:
    """How alike the rows of one group are: the mean dot product of different ones; 1 for a single row."""
    if len(rows) < 2:  # noqa: PLR2004 - alone, alike
        return 1.0
    total = rows.sum(axis=0)
    return float((total @ total - (rows * rows).sum()) / (len(rows) * (len(rows) - 1)))


def _centred(rows: Vectors) -> Vectors:
    """Without what all questions have in common, so that one likeness fits narrow and wide subjects; few rows keep most of it."""
    return _unit(rows - len(rows) / (len(rows) + FEW) * rows.mean(axis=0))


def _components(rows: Vectors) -> Vectors:
    """The directions that matter, so that 100,000 rows are compared in a minute: principal components without centring."""
    if min(rows.shape) <= COMPONENTS:
        return rows
    sample = rows if len(rows) <= 10 * CHUNK else rows[:: len(rows) // (10 * CHUNK)]
    _, directions = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    return _unit(rows @ directions[:, -COMPONENTS:].astype(np.float32))


def _features(rows: Vectors, near: Numbers, cosines: Vectors, method: Method) -> Vectors:
    """Vectors whose dot products are the likeness that groups are made by."""
    parts = [np.sqrt((1 - method.shared) / len(method.scales)) * _smoothed(rows, near, cosines, s, method.floor) for s in method.scales]
    if method.shared:
        parts.append(np.sqrt(method.shared) * _company(near, cosines, method.floor))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _smoothed(rows: Vectors, near: Numbers, cosines: Vectors, scale: Scale, floor: float) -> Vectors:
    count = min(scale.neighbours, near.shape[1])
    counts = (cosines[:, :count] > floor).astype(np.float32)
    drawn = rows
    for _ in range(scale.rounds):
        total = drawn.copy()
        for place in range(count):
            total += counts[:, place, None] * drawn[near[:, place]]
        drawn = _unit(total)
    return drawn


def _company(near: Numbers, cosines: Vectors, floor: float) -> Vectors:
    """Whom a question has for neighbours: the dot product of two is the share of neighbours that they have in common."""
    signs = np.random.default_rng(SEED).choice(np.array([-1, 1], dtype=np.float32), size=(len(near), SHARED_NUMBERS))
    total = signs.copy()
    for place in range(min(SHARED, near.shape[1])):
        total += (cosines[:, place] > floor)[:, None] * signs[near[:, place]]
    return _unit(total)


def _edges(near: Numbers) -> Numbers:
    """Every pair of neighbours once, the smaller first."""
    count = len(near)
    pairs = np.stack([np.repeat(np.arange(count), near.shape[1]), near.ravel()])
    return _pairs(pairs, count)


def _pairs(pairs: Numbers, count: int) -> Numbers:
    low, high = pairs.min(axis=0), pairs.max(axis=0)
    codes = np.unique(low[low != high] * count + high[low != high])
    return np.stack([codes // count, codes % count])


def _average_link(features: Vectors, edges: Numbers, apart: float) -> Numbers:
    """Merge pairs that are each other's nearest, in rounds, until no two neighbouring groups are as like as `apart`."""
    labels = np.arange(len(features))
    means, sizes = features, np.ones(len(features), dtype=np.float32)
    while edges.shape[1]:
        alike = _alike(means, edges)
        kept = alike >= apart
        edges, alike = edges[:, kept], alike[kept]
        if not edges.shape[1]:
            break
        into = _mutual(edges, alike, len(means))
        names, new = np.unique(into, return_inverse=True)
        order = np.argsort(new, kind="stable")
        starts = np.searchsorted(new[order], np.arange(len(names)))
        totals = np.add.reduceat(means[order] * sizes[order, None], starts, axis=0)
        sizes = np.add.reduceat(sizes[order], starts)
        means = (totals / sizes[:, None]).astype(np.float32)
        labels, edges = new[labels], _pairs(new[edges], len(names))
    return labels


def _alike(means: Vectors, edges: Numbers) -> Vectors:
    out = np.empty(edges.shape[1], dtype=np.float32)
    for start in range(0, edges.shape[1], 50_000):
        part = slice(start, start + 50_000)
        out[part] = np.einsum("ij,ij->i", means[edges[0, part]], means[edges[1, part]])
    return out


def _mutual(edges: Numbers, alike: Vectors, count: int) -> Numbers:
    """For each group the one it merges into: itself, or the partner that is its nearest while it is the partner's nearest."""
    ones, others = np.concatenate([edges[0], edges[1]]), np.concatenate([edges[1], edges[0]])
    order = np.lexsort((others, -np.concatenate([alike, alike]), ones))
    ones, others = ones[order], others[order]
    first = np.r_[True, ones[1:] != ones[:-1]]
    nearest = np.full(count, -1)
    nearest[ones[first]] = others[first]
    into = np.arange(count)
    asked = np.flatnonzero(nearest >= 0)
    mutual = asked[(nearest[nearest[asked]] == asked) & (asked < nearest[asked])]
    if len(mutual):
        into[nearest[mutual]] = mutual
    else:  # a ring of ties: the likest pair begins
        best = int(np.argmax(alike))
        into[edges[1, best]] = edges[0, best]
    return into


def _in_order(labels: Numbers) -> Numbers:
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[inverse], dtype=np.int64)


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Vectors = (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit
