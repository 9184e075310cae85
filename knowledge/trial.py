"""What search would find after an edit that is not published: the edit laid over the real index, in memory.

The candidate's passages, titles and words stand beside the live ones, the articles it replaces or retires are left out.
Nobody else sees any of it. A word's score in a candidate is BM25 with the counts of the live index (Robertson & Zaragoza
2009, "The Probabilistic Relevance Framework"; the form that tantivy uses), so that both kinds of passages compare.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from knowledge.keywords import GAP, MOST_PAIRS, KeywordIndex, idf, terms
from knowledge.live import Live, LiveArticles, SearchableArticle, TitleVectors, live_of, whole
from knowledge.vectors import MemoryVectorIndex, VectorIndex, Vectors

K1, B = 1.2, 0.75  # tantivy's


@dataclass(frozen=True)
class Candidate:
    """An article as it would be, with what the index would hold for it: `ids` and, by encoder, one vector each."""

    article: SearchableArticle
    titles: TitleVectors
    ids: tuple[str, ...]
    rows: Mapping[str, Vectors]


class OverlaidWords:
    """A keyword index without some texts and with some others. `average`: words of a live text."""

    def __init__(self, base: KeywordIndex, gone: Iterable[str], texts: Mapping[str, str], average: float) -> None:
        """Nothing is written anywhere."""
        self._base, self._gone, self._average = base, frozenset(gone), max(average, 1.0)
        self._texts = {text_id: terms(text) for text_id, text in texts.items()}
        self._counts = {text_id: Counter(words) for text_id, words in self._texts.items()}
        self._total = len(base) - len(self._gone) + len(self._texts)
        self._known: dict[str, int] = {}

    def search(self, words: Sequence[str], k: int) -> list[tuple[str, float]]:
        """As KeywordIndex.search."""
        distinct = list(dict.fromkeys(words))
        scores = {
            id_: sum(self._score(id_, counts[word], self._weight([word])) for word in distinct if word in counts)
            for id_, counts in self._counts.items()
        }
        return self._merged(self._base.search(words, k + len(self._gone)), scores, k)

    def search_pairs(self, words: Sequence[str], k: int) -> list[tuple[str, float]]:
        """As KeywordIndex.search_pairs."""
        pairs = dict.fromkeys((a, b) for a, b in pairwise(words[: MOST_PAIRS + 1]) if a != b)
        scores = {
            id_: sum(
                self._score(id_, _together(text, a, b), self._weight([a, b]))
                for a, b in pairs
                if a in self._counts[id_] and b in self._counts[id_]
            )
            for id_, text in self._texts.items()
        }
        return self._merged(self._base.search_pairs(words, k + len(self._gone)), scores, k)

    def rarity(self, words: Iterable[str]) -> dict[str, float]:
        """As KeywordIndex.rarity."""
        return {word: self._weight([word]) for word in words}

    def count(self, word: str) -> int:
        """As KeywordIndex.count."""
        if word not in self._known:
            self._known[word] = self._base.count(word) + sum(word in counts for counts in self._counts.values())
        return self._known[word]

    def highest_rarity(self) -> float:
        """As KeywordIndex.highest_rarity."""
        return idf(0, self._total)

    def unknown(self, words: Iterable[str]) -> set[str]:
        """As KeywordIndex.unknown."""
        return {word for word in words if not self.count(word)}

    def _weight(self, words: Sequence[str]) -> float:
        return sum(idf(self.count(word), self._total) for word in words)

    def _score(self, text_id: str, often: int, weight: float) -> float:
        if not often:
            return 0.0
        length = 1 - B + B * len(self._texts[text_id]) / self._average
        return weight * (1 + K1) * often / (often + K1 * length)

    def _merged(self, found: Sequence[tuple[str, float]], own: Mapping[str, float], k: int) -> list[tuple[str, float]]:
        kept = [(id_, score) for id_, score in found if id_ not in self._gone]
        mine = [(id_, score) for id_, score in own.items() if score]
        return sorted([*kept, *mine], key=lambda pair: -pair[1])[:k] if mine else kept[:k]


class OverlaidArticles:
    """Live articles without some and with some others; what Searcher asks of LiveArticles."""

    def __init__(self, base: LiveArticles, gone: Sequence[str], candidates: Sequence[Candidate]) -> None:
        """`gone` are ids of articles that leave, replaced ones included."""
        own = [candidate.article for candidate in candidates]
        left = [article.article_id for article in own if not article.passages]
        out = {*gone, *left, *(article.article_id for article in own)} & base.ids
        self._base, self._out = base, frozenset(out)
        self._own = {c.article.article_id: live_of(c.article, c.titles) for c in candidates if c.article.passages}
        self._article_of = {p.passage_id: a.article_id for a in own for p in a.passages}
        average = base.average_words()
        texts = {p.passage_id: p.text for a in own for p in a.passages}
        self.passage_words = OverlaidWords(base.passage_words, base.passages_of(out), texts, average.passage)
        wholes = {a.article_id: whole(a) for a in own if a.passages}
        self.article_words = OverlaidWords(base.article_words, out, wholes, average.article)

    def __len__(self) -> int:
        """How many articles would be live."""
        return len(self._base) - len(self._out) + len(self._own)

    @property
    def mixed(self) -> bool:
        """As LiveArticles.mixed; one edit hardly ever changes it."""
        return self._base.mixed

    def of(self, passage_id: str) -> Live | None:
        """The article a passage would belong to."""
        if passage_id in self._article_of:
            return self._own.get(self._article_of[passage_id])
        live = self._base.of(passage_id)
        return None if live is None or live.article.article_id in self._out else live


class OverlaidIndex:
    """A vector index with some vectors more; what it holds of articles that leave is not live and so dropped by search."""

    def __init__(self, base: VectorIndex, ids: Sequence[str], rows: Vectors) -> None:
        """One row per id."""
        self._base, self._own = base, MemoryVectorIndex()
        if ids:
            self._own.put(list(ids), rows)

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Nothing is ever written through a trial."""
        raise NotImplementedError

    def remove(self, ids: Iterable[str]) -> None:
        """Nothing is ever written through a trial."""
        raise NotImplementedError

    def vectors(self, ids: list[str]) -> Vectors:
        """Those of the real index."""
        return self._base.vectors(ids)

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """Both, best first."""
        return sorted([*self._base.nearest(vector, k), *self._own.nearest(vector, k)], key=lambda pair: -pair[1])[:k]


class AskedAhead:
    """A vector index whose answers for some vectors were fetched in one go: fifty single questions cost ten times as much."""

    def __init__(self, base: VectorIndex, vectors: Vectors, k: int) -> None:
        """`k`: what search asks for first."""
        self._base, self._k = base, k
        many = getattr(base, "nearest_many", None)
        found = many(vectors, k) if many and len(vectors) else [base.nearest(vector, k) for vector in vectors]
        self._known = {_key(vector): of_one for vector, of_one in zip(vectors, found, strict=True)}

    def put(self, ids: list[str], vectors: Vectors) -> None:
        """Nothing is ever written through a trial."""
        raise NotImplementedError

    def remove(self, ids: Iterable[str]) -> None:
        """Nothing is ever written through a trial."""
        raise NotImplementedError

    def vectors(self, ids: list[str]) -> Vectors:
        """Those of the real index."""
        return self._base.vectors(ids)

    def nearest(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
        """What was fetched, or else what the real index says."""
        known = self._known.get(_key(vector)) if k == self._k else None
        return self._base.nearest(vector, k) if known is None else list(known)


def _key(vector: Vectors) -> bytes:
    return np.asarray(vector, dtype=np.float32).tobytes()


def _together(text: Sequence[str], first: str, second: str) -> int:
    """How often the second word follows the first with at most GAP words between."""
    places = {place for place, word in enumerate(text) if word == second}
    return sum(word == first and any(place + step in places for step in range(1, GAP + 2)) for place, word in enumerate(text))
