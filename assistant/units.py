"""What must be quoted together: a list with the sentence that introduces it, a step with what explains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from assistant.blocks import Block, Kind

SLACK = 1.4  # a numbered list is shown whole up to this many times the limit

_LISTED = (Kind.STEP, Kind.ITEM, Kind.ROW)


@dataclass(frozen=True)
class Unit:
    """Blocks that stay together; `lead` goes before them when a quotation begins here, inside a longer list."""

    blocks: tuple[Block, ...]
    lead: tuple[Block, ...] = ()
    continues: bool = False  # the list goes on in the next unit
    group: int = 0  # units of one group are pieces of one list

    @property
    def path(self) -> tuple[str, ...]:
        """The headings above it."""
        return self.blocks[0].path

    @cached_property
    def words(self) -> int:
        """Words as a reader counts them, without the lead."""
        return sum(block.words for block in self.blocks)

    @cached_property
    def text(self) -> str:
        """All its blocks, one a line."""
        return "\n".join(block.text for block in self.blocks)

    def follows(self, before: "Unit") -> bool:
        """Whether nothing was left unread between the two."""
        return self.blocks[0].source - before.blocks[-1].source <= 1

    @property
    def has_steps(self) -> bool:
        """Whether it tells what to do, step by step."""
        return any(block.kind is Kind.STEP for block in self.blocks)


def units(found: Sequence[Block], limit: int) -> list[Unit]:
    """The blocks of an article in units of at most about `limit` words where that is possible."""
    made: list[Unit] = []
    joined = _joined(found)
    start = 0
    for at in range(1, len(found) + 1):
        if at == len(found) or not joined[at]:
            made.extend(replace(unit, group=start) for unit in _whole_or_parts(tuple(found[start:at]), limit))
            start = at
    return made


def _joined(found: Sequence[Block]) -> list[bool]:
    """Per block: whether it must not be parted from the block before."""
    joined = [False] * len(found)
    steps: dict[int, tuple[int, int]] = {}  # by indent: where the last step stands, and its number
    for at, block in enumerate(found):
        if at == 0 or block.path != found[at - 1].path or block.source - found[at - 1].source > 1:
            steps.clear()
        else:
            joined[at] = _belongs(block, found[at - 1])
        if block.kind is Kind.STEP:
            last, number = steps.get(block.indent, (at, block.number))
            if block.number == number + 1:
                joined[last + 1 : at + 1] = [True] * (at - last)
            steps[block.indent] = (at, block.number)
    return joined


def _belongs(block: Block, before: Block) -> bool:
    same_list = block.kind is before.kind and block.kind in _LISTED
    return same_list or before.text.endswith((":", "：", ":**", ":*"))


def _whole_or_parts(group: tuple[Block, ...], limit: int) -> Iterator[Unit]:
    size = sum(block.words for block in group)
    steps = any(block.kind is Kind.STEP for block in group)
    if size <= limit * (SLACK if steps else 1) or len(group) == 1:
        yield Unit(group)
        return
    starts = [at for at, block in enumerate(group) if block.kind is Kind.STEP or (not steps and block.kind in _LISTED)]
    if group[-1].kind is Kind.ROW:
        starts = starts[2:]  # the first two rows of a table are its header
    if starts[1:]:
        yield from _parts(group, starts)
    else:
        yield from (Unit((block,)) for block in group)


def _parts(group: tuple[Block, ...], starts: list[int]) -> Iterator[Unit]:
    """A list too long to be shown whole, item by item; each knows the lines that introduce the list."""
    lead = group[: starts[0]]
    for begin, end in zip(starts, [*starts[1:], len(group)], strict=True):
        first = begin == starts[0]
        yield Unit(group[0 if first else begin : end], () if first else lead, continues=end < len(group))
