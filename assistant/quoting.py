"""Answers a question with the part of an article that answers it, word for word, in whole blocks.

No embedding here: a turn has 15 ms, and the search has already said which passages are near in
meaning. What is left to find is where in them the answer stands.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.blocks import Block, blocks
from assistant.relevance import Question, Rarity, values
from assistant.units import Unit, units

CROSSING = 2.0  # words' worth that another section must bring before a quotation reaches into it


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
    """Markdown, word for word from its parts; `continues` when the list it quotes has more items than it shows."""

    text: str
    parts: tuple[Part, ...]
    continues: bool = False


def quote(question: str, articles: Sequence[Sequence[Source]], *, words: int = 120, rarity: Rarity | None = None) -> Quotation:
    """The part of the best article that answers; empty text when there is nothing to quote."""
    asked = Question.read(question, rarity or _equal)
    for article in articles:
        parts = units(list(blocks((source.heading_path, source.text) for source in article)), words)
        if parts:
            worth = values(asked, parts, [article[unit.blocks[0].source].score for unit in parts])
            return _written(article, _window(parts, worth, words))
    return Quotation("", ())


def _equal(_: str) -> float:
    return 1.0


def _window(parts: list[Unit], worth: list[float], limit: int) -> list[Unit]:
    """The consecutive units within the limit that together say most; one unit at least."""
    chosen, most = (0, 1), -math.inf
    for start, first in enumerate(parts):
        size = sum(block.words for block in first.lead)
        value = 0.0
        for end in range(start, len(parts)):
            crosses = end > start and parts[end].path != parts[end - 1].path
            size += parts[end].words + (len(parts[end].path[-1].split()) if crosses and parts[end].path else 0)
            if size > limit and end > start:
                break
            value += worth[end] * parts[end].words - CROSSING * crosses
            if value > most:
                chosen, most = (start, end + 1), value
    return parts[chosen[0] : chosen[1]]


def _written(article: Sequence[Source], window: list[Unit]) -> Quotation:
    text = ""
    parts: list[Part] = []
    before: Block | None = None
    for block in (*window[0].lead, *(block for unit in window for block in unit.blocks)):
        text += _joint(block, before)
        source = article[block.source]
        start = len(text)
        if before is not None and block.path != before.path and block.path:
            text += f"**{block.path[-1]}**\n\n"
        text += block.text
        if parts and before is not None and before.source == block.source:
            start = parts.pop().start
        parts.append(Part(source.article_id, source.passage_id, start, len(text)))
        before = block
    return Quotation(text, tuple(parts), window[-1].continues)


def _joint(block: Block, before: Block | None) -> str:
    """What stands between two quoted blocks: as in the article, a blank line at a new section."""
    if before is None:
        return ""
    if block.path != before.path:
        return "\n\n"
    if block.source != before.source and not block.glue:
        return "\n" if block.kind is before.kind else "\n\n"
    return block.glue or "\n"
