"""Answers a question with the part of an article that answers it, word for word, in whole blocks.

No embedding here: a turn has 15 ms, and the search has already said which passages are near in
meaning. What is left to find is where in them the answer stands. From the most telling unit the
quotation grows to its neighbours, and at most to one other place, as far as the limit allows.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.blocks import Block, blocks, count_words
from assistant.relevance import Question, Rarity, stems, values
from assistant.units import Unit, units

# Chosen on techqa and on the sample centre (its FAQs answered from its articles; 70 questions with the section that answers).
# With one place techqa loses .016 of recall and the FAQs .06, but the right section is met more often (.875, not .853);
# a third place gains nothing. Without the two other seeds techqa's half B loses .01.
SEEDS = 3  # quotations are grown from so many of the best units
SEED_POWER = 2  # how dearly a quotation pays for not growing from the very best unit
LENGTH_POWER = 0.7  # a long unit counts more than a short one of the same worth, but less than in proportion
SEED_WORTH = 0.7  # of the best unit's worth: what another seed must reach
PLACES = 2  # of an article that a quotation may be taken from
ELSEWHERE = 0.75  # of the best unit's worth: what a second place must reach
BESIDE = 0.3  # of the best unit's worth: what a neighbour must reach
NEIGHBOUR = 0.4  # worth that a neighbour gains for reading on without a gap
SMALLEST = 5  # words; a smaller unit opens no second place
MOST_ARTICLES = 3
LACKING = 0.25  # share of the question's weight that an article must add to be quoted beside the best one
LACKING_WORDS = 2  # and in how many different words
FIRST_SHARE = 0.65  # of the limit, for the best article where another one adds something
MOST_UNITS = 40  # of a quotation; an article of one-word lines has no more to say
READ = 24  # passages of an article that are read; the rest of a longer one would cost more than the whole turn may
GAP = "…"  # between two places under the same heading


@dataclass(frozen=True)
class Source:
    """One passage an answer may quote, in article order; `text` is raw Markdown, `score` 0 when search did not propose it."""

    article_id: str
    passage_id: str
    title: str
    heading_path: tuple[str, ...]
    anchor: str
    text: str
    score: float


@dataclass(frozen=True)
class Part:
    """Which passage gave the piece of a quotation from `start` to `end`."""

    article_id: str
    passage_id: str
    start: int
    end: int


@dataclass(frozen=True)
class Quotation:
    """Markdown, word for word from its parts; `continues` when a list it quotes has more items than it shows."""

    text: str
    parts: tuple[Part, ...]
    continues: bool = False


def quote(question: str, articles: Sequence[Sequence[Source]], *, words: int = 120, rarity: Rarity | None = None) -> Quotation:
    """The part of the best article that answers, and of others what the best one lacks; empty when nothing can be quoted."""
    asked = Question.read(question, rarity or _equal)
    readable = [read for read in (_read(asked, article) for article in articles) if read.blocks]
    if not readable:
        return Quotation("", ())
    best, *others = readable
    lacking = _lacking(asked, best.article) if others else asked
    more = [read for read in others if _adds(lacking, asked, read.article)][: MOST_ARTICLES - 1]
    found = _from_article(asked, best, int(words * FIRST_SHARE) if more else words)
    for read in more:
        left = words - count_words(found.text)
        found = _joined(found, _from_article(lacking, read, left // len(more)))
    return found


@dataclass(frozen=True)
class _Read:
    """An article and its blocks."""

    article: Sequence[Source]
    blocks: tuple[Block, ...]


def _read(asked: Question, article: Sequence[Source]) -> _Read:
    """All passages of an article, or of a very long one those that share most with the question, each with the next."""
    wanted = set(range(len(article)))
    if len(article) > READ:
        likely = sorted(wanted, key=lambda at: (-article[at].score - asked.touched(article[at].text), at))[: READ // 2]
        wanted = {at + step for at in likely for step in (0, 1)}
    return _Read(article, tuple(blocks((s.heading_path, s.text if at in wanted else "") for at, s in enumerate(article))))


def _equal(_: str) -> float:
    return 1.0


def _lacking(asked: Question, article: Sequence[Source]) -> Question:
    """The question with only those words that the article does not hold anywhere."""
    held = {stem for source in article for stem in stems(" ".join((source.title, *source.heading_path, source.text)))}
    return replace(asked, words={stem: weight for stem, weight in asked.words.items() if stem not in held})


def _adds(lacking: Question, asked: Question, article: Sequence[Source]) -> bool:
    if len(lacking.words) < LACKING_WORDS or sum(lacking.words.values()) < LACKING * sum(asked.words.values()):
        return False
    held = {stem for source in article for stem in stems(source.text)} & lacking.words.keys()
    return len(held) >= LACKING_WORDS and lacking.cover(held) >= LACKING * sum(asked.words.values())


def _from_article(asked: Question, read: _Read, limit: int) -> Quotation:
    parts = units(read.blocks, limit)
    worth = values(asked, parts, [read.article[unit.blocks[0].source].score for unit in parts])
    return _written(read.article, parts, _best(parts, worth, limit))


def _best(parts: list[Unit], worth: list[float], limit: int) -> list[int]:
    """Which units are quoted: the quotation grown from one of the best units that together is worth most."""
    order = sorted(range(len(parts)), key=lambda at: -worth[at])
    seeds = [at for at in order[:SEEDS] if worth[at] >= SEED_WORTH * worth[order[0]]] or order[:1]
    best: list[int] = []
    most = -math.inf
    for seed in seeds:
        chosen = _grown(parts, worth, [seed, *(at for at in order if at != seed)], limit)
        total = sum(worth[at] * parts[at].words ** LENGTH_POWER for at in chosen)
        total *= (max(0.0, worth[seed]) / max(worth[order[0]], 1e-9)) ** SEED_POWER
        if total > most:
            best, most = chosen, total
    return best


def _grown(parts: list[Unit], worth: list[float], order: list[int], limit: int) -> list[int]:
    """The first unit of `order`, then whatever is best of its neighbours and one place elsewhere, while it fits."""
    top = max(worth)
    chosen = [order[0]]
    elsewhere = deque(at for at in order[1:] if worth[at] >= ELSEWHERE * top and _opens(parts, chosen[0], at))
    while len(chosen) < MOST_UNITS:
        while elsewhere and (elsewhere[0] in chosen or not _fits(parts, chosen, elsewhere[0], limit)):
            elsewhere.popleft()
        offers = [(worth[at] + NEIGHBOUR, -at) for at in _beside(parts, chosen) if worth[at] >= BESIDE * top]
        if elsewhere and _places(chosen) < PLACES:
            offers.append((worth[elsewhere[0]], -elsewhere[0]))
        fitting = [offer for offer in offers if _fits(parts, chosen, -offer[1], limit)]
        if not fitting:
            break
        chosen.append(-max(fitting)[1])
    return sorted(chosen)


def _opens(parts: list[Unit], first: int, at: int) -> bool:
    """Whether a unit may be the second place: no scrap, and no later piece of the same list."""
    return parts[at].words >= SMALLEST and (parts[at].group != parts[first].group)


def _fits(parts: list[Unit], chosen: list[int], at: int, limit: int) -> bool:
    return _size(parts, sorted([*chosen, at])) <= limit


def _beside(parts: list[Unit], chosen: list[int]) -> set[int]:
    near = {at + 1 for at in chosen if at + 1 < len(parts) and parts[at + 1].follows(parts[at])}
    near |= {at - 1 for at in chosen if at > 0 and parts[at].follows(parts[at - 1])}
    return near.difference(chosen)


def _places(chosen: list[int]) -> int:
    return sum(at - 1 not in chosen for at in chosen)


def _size(parts: list[Unit], chosen: list[int]) -> int:
    """Words of a quotation, headings and introductions included."""
    return sum(q.block.words + (count_words(q.block.path[-1]) if q.headed else 0) for q in _marked(parts, chosen))


@dataclass(frozen=True)
class _Quoted:
    """A block of a quotation, whether its heading is shown, and whether text of its own or the last section is left out before it."""

    block: Block
    headed: bool
    gap: bool


def _written(article: Sequence[Source], parts: list[Unit], chosen: list[int]) -> Quotation:
    text = ""
    made: list[Part] = []
    before: Block | None = None
    for quoted in _marked(parts, chosen):
        block = quoted.block
        text += _joint(block, before, gap=quoted.gap)
        source = article[block.source]
        start = len(text)
        text += f"**{block.path[-1]}**\n\n{block.text}" if quoted.headed else block.text
        if before is not None and before.source == block.source:
            start = made.pop().start
        made.append(Part(source.article_id, source.passage_id, start, len(text)))
        before = block
    continues = any(parts[at].continues and at + 1 not in chosen for at in chosen)
    return Quotation(text, tuple(made), continues)


def _marked(parts: list[Unit], chosen: list[int]) -> Iterator[_Quoted]:
    """The quoted blocks; headings are shown where there is more than one."""
    several = any(parts[at].path != parts[chosen[0]].path for at in chosen)
    for n, at in enumerate(chosen):
        jump = n > 0 and chosen[n - 1] != at - 1
        cut = jump and (parts[at].path == parts[at - 1].path or parts[chosen[n - 1]].path == parts[chosen[n - 1] + 1].path)
        opens = n == 0 or parts[at].path != parts[chosen[n - 1]].path
        for m, block in enumerate((*(parts[at].lead if jump or n == 0 else ()), *parts[at].blocks)):
            yield _Quoted(block, several and opens and m == 0 and bool(block.path), cut and m == 0)


def _joint(block: Block, before: Block | None, *, gap: bool) -> str:
    """What stands between two quoted blocks: as in the article, a blank line at a new section, a mark at a gap."""
    if before is None:
        return ""
    if gap:
        return f"\n\n{GAP}\n\n"
    if block.path != before.path:
        return "\n\n"
    if block.source != before.source and not block.glue:
        return "\n" if block.kind is before.kind else "\n\n"
    return block.glue or "\n"


def _joined(first: Quotation, second: Quotation) -> Quotation:
    """Two quotations one after the other."""
    if not second.text:
        return first
    text = first.text + "\n\n" if first.text else ""
    moved = (Part(part.article_id, part.passage_id, part.start + len(text), part.end + len(text)) for part in second.parts)
    return Quotation(text + second.text, (*first.parts, *moved), first.continues or second.continues)
