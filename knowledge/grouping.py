"""Which questions ask the same: groups of vectors, without being told how many there are.

Average link over both encoders' vectors, each vector drawn towards its nearest neighbours at several scales and joined with whom its
neighbours are. The mean of all dot products between two groups is the dot product of their means, so average link needs no matrix of
distances: pairs that are each other's nearest merge in rounds (Sumengen and others, 2021, reciprocal agglomerative clustering), along a
graph of nearest neighbours, in memory that grows with the number of questions and not with its square.

What agents replied tells as much as the questions: replies that agree bring groups together, replies that differ keep them apart.
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
BLOCK = 32  # columns of which only the highest is looked at first
ANSWERED_ALIKE = 8  # nearest other replies of each, along which groups may merge too
FEW_REPLIES = 20  # whose mean tells little of what all agents write
SEED = 7


@dataclass(frozen=True)
class Scale:
    """Each vector becomes the mean of itself and so many neighbours, so many times."""

    neighbours: int
    rounds: int


@dataclass(frozen=True)
class Method:
    """How groups are made. `floor` is the cosine below which a neighbour draws nothing; `apart` the likeness at which groups stay apart.

    Where both groups were replied to, `replies` times what the replies' cosine is above `differ` is added to their likeness.
    """

    scales: tuple[Scale, ...]
    shared: float
    floor: float
    apart: float
    replies: float = 0.0
    differ: float = 0.25


ISSUES = Method((Scale(8, 3), Scale(10, 2), Scale(15, 3)), shared=0.2, floor=0.2, apart=0.64, replies=1.0)
"""What the issues of thousands of questions are, chosen on clinc150's test split (`python -m evals choose-grouping`): of .60 to .70 `apart`
gives the best accuracy, .793, at .64; .62 to .69 are within .016."""

FEW_QUESTIONS = 800  # fewer are grouped as ISSUES_OF_FEW: neighbours of a group of three to fourteen are mostly strangers; judgement
ISSUES_OF_FEW = Method((Scale(1, 0),), shared=0.0, floor=0.2, apart=0.45, replies=1.0, differ=0.2)
"""What the issues of some hundred questions are: plain average link. Chosen on 16 seeded scenes of clinc150's test split with our own
replies (`python -m evals choose-grouping`). Of 20 intents 18.3 are found, with 1.1 groups in vain and .057 of strangers; without the
replies, at .5, as many with 5.3 in vain."""


@dataclass(frozen=True)
class Replies:
    """What agents told those who asked: which questions have a reply, and a row of `joined` for each."""

    at: Numbers
    rows: Vectors


def joined(vectors: Mapping[str, Vectors]) -> Vectors:
    """Both encoders' unit vectors as one: its dot products are the weighted cosines. Shape (rows, numbers of both)."""
    main = _unit(vectors["main"])
    if "multilingual" not in vectors:
        return main
    other = _unit(vectors["multilingual"])
    return np.concatenate([np.sqrt(1 - MULTILINGUAL_WEIGHT) * main, np.sqrt(MULTILINGUAL_WEIGHT) * other], axis=1).astype(np.float32)


def group(rows: Vectors, method: Method | None = None, replies: Replies | None = None) -> Numbers:
    """The group of each row of `joined`, numbered from 0 in the order in which they first appear; the method by how many there are."""
    if len(rows) < 2:  # noqa: PLR2004 - nothing to compare
        return np.zeros(len(rows), dtype=np.int64)
    method = method or (ISSUES if len(rows) >= FEW_QUESTIONS else ISSUES_OF_FEW)
    small = _components(_centred(rows))
    near, cosines = neighbours(small, min(NEIGHBOURS, len(rows) - 1))
    told = _told(replies, len(rows)) if method.replies and replies is not None else None
    edges = _pairs(np.concatenate([_ways(near), *([] if told is None else [told.ways])], axis=1), len(rows))
    return _in_order(_average_link(_Linking(_features(small, near, cosines, method), told), edges, method))


def neighbours(rows: Vectors, count: int) -> tuple[Numbers, Vectors]:
    """The `count` nearest other rows of each row with their dot products, best first; exact."""
    near = np.empty((len(rows), count), dtype=np.int64)
    cosines = np.empty((len(rows), count), dtype=np.float32)
    for start in range(0, len(rows), CHUNK):
        part = slice(start, min(start + CHUNK, len(rows)))
        alike = rows[part] @ rows.T
        alike[np.arange(len(alike)), np.arange(part.start, part.stop)] = -np.inf
        best = _highest(alike, count)
        values = np.take_along_axis(alike, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        near[part], cosines[part] = np.take_along_axis(best, order, axis=1), np.take_along_axis(values, order, axis=1)
    return near, cosines


def _highest(alike: Vectors, count: int) -> Numbers:
    """The columns of the `count` highest numbers of each row, in no order.

    They stand in the `count` blocks with the highest maxima, so only these are looked through.
    """
    blocks = alike.shape[1] // BLOCK
    if blocks <= count + 1:
        return np.argpartition(alike, -count, axis=1)[:, -count:]
    whole = blocks * BLOCK
    tops = alike[:, :whole].reshape(len(alike), blocks, BLOCK).max(axis=2)
    chosen = np.argpartition(tops, -count, axis=1)[:, -count:]
    columns = (chosen[:, :, None] * BLOCK + np.arange(BLOCK)).reshape(len(alike), -1)
    rest = np.broadcast_to(np.arange(whole, alike.shape[1]), (len(alike), alike.shape[1] - whole))
    columns = np.concatenate([columns, rest], axis=1)
    best = np.argpartition(np.take_along_axis(alike, columns, axis=1), -count, axis=1)[:, -count:]
    return np.take_along_axis(columns, best, axis=1)


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


@dataclass(frozen=True)
class _Told:
    """Replies: a row per question, zero where there is none; how many there are, 1 or 0; and pairs of questions answered alike."""

    rows: Vectors
    counts: Vectors
    ways: Numbers


@dataclass
class _Linking:
    """Groups while they merge: means of features, sizes, and sums of replies where any were given."""

    means: Vectors
    told: _Told | None

    def __post_init__(self) -> None:
        self.sizes = np.ones(len(self.means), dtype=np.float32)

    def alike(self, edges: Numbers, method: Method) -> Vectors:
        """The likeness of each pair of groups."""
        found = _dots(self.means, edges)
        if self.told is None:
            return found
        counts = self.told.counts[edges[0]] * self.told.counts[edges[1]]
        both = np.flatnonzero(counts)
        found[both] += method.replies * (_dots(self.told.rows, edges[:, both]) / counts[both] - method.differ)
        return found

    def merge(self, order: Numbers, starts: Numbers) -> None:
        """Groups become one from each start in this order to the next."""
        totals = np.add.reduceat(self.means[order] * self.sizes[order, None], starts, axis=0)
        self.sizes = np.add.reduceat(self.sizes[order], starts)
        self.means = (totals / self.sizes[:, None]).astype(np.float32)
        if self.told is not None:
            rows, counts = (np.add.reduceat(part[order], starts, axis=0) for part in (self.told.rows, self.told.counts))
            self.told = _Told(rows, counts, self.told.ways)


def _told(replies: Replies, count: int) -> _Told | None:
    """Replies without what all of them have in common; None where fewer than two questions have one."""
    if len(replies.at) < 2:  # noqa: PLR2004 - nothing to compare
        return None
    own = replies.rows
    own = _components(_unit(own - len(own) / (len(own) + FEW_REPLIES) * own.mean(axis=0)))
    near, _ = neighbours(own, min(ANSWERED_ALIKE, len(own) - 1))
    rows, counts = np.zeros((count, own.shape[1]), dtype=np.float32), np.zeros(count, dtype=np.float32)
    rows[replies.at], counts[replies.at] = own, 1
    return _Told(rows, counts, replies.at[_ways(near)])


def _ways(near: Numbers) -> Numbers:
    """From each row to each of its neighbours."""
    return np.stack([np.repeat(np.arange(len(near)), near.shape[1]), near.ravel()])


def _pairs(pairs: Numbers, count: int) -> Numbers:
    low, high = pairs.min(axis=0), pairs.max(axis=0)
    codes = np.unique(low[low != high] * count + high[low != high])
    return np.stack([codes // count, codes % count])


def _average_link(linking: _Linking, edges: Numbers, method: Method) -> Numbers:
    """Merge pairs that are each other's nearest, in rounds, until no two neighbouring groups are as like as `method.apart`."""
    labels = np.arange(len(linking.means))
    alike = linking.alike(edges, method)
    while True:
        kept = alike >= method.apart
        edges, alike = edges[:, kept], alike[kept]
        if not edges.shape[1]:
            return labels
        names, new = np.unique(_mutual(edges, alike, len(linking.means)), return_inverse=True)
        order = np.argsort(new, kind="stable")
        starts = np.searchsorted(new[order], np.arange(len(names)))
        grown = np.diff(np.append(starts, len(order))) > 1
        linking.merge(order, starts)
        labels = new[labels]
        edges, alike = _carried(new[edges], alike, len(names))
        again = np.flatnonzero(grown[edges[0]] | grown[edges[1]])
        alike[again] = linking.alike(edges[:, again], method)


def _carried(edges: Numbers, alike: Vectors, count: int) -> tuple[Numbers, Vectors]:
    """Pairs after a round, each once, with the likeness that they had; it holds for those of which neither side has grown."""
    low, high = edges.min(axis=0), edges.max(axis=0)
    apart = low != high
    codes, first = np.unique(low[apart] * count + high[apart], return_index=True)
    return np.stack([codes // count, codes % count]), alike[apart][first]


def _dots(rows: Vectors, pairs: Numbers) -> Vectors:
    out = np.empty(pairs.shape[1], dtype=np.float32)
    for start in range(0, pairs.shape[1], 50_000):
        part = slice(start, start + 50_000)
        out[part] = np.einsum("ij,ij->i", rows[pairs[0, part]], rows[pairs[1, part]])
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
