"""Charts as SVG that the server draws: no script, no style attribute, and a title that says the numbers in words."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, FOOT, HEAD = 640, 180, 24, 14
LEAST, MOST = 0.05, 20.0  # ends of the axis of ratios


@dataclass(frozen=True)
class Bar:
    """A bar: where it stands, how high the whole and the filled part are, in units of the view box."""

    x: float
    y: float
    width: float
    height: float
    inner_y: float
    inner_height: float
    label: str
    total: int
    part: int


def bars(values: Sequence[tuple[str, int, int]]) -> list[Bar]:
    """Label, whole and part of each → bars side by side."""
    most = max((whole for _, whole, _ in values), default=0) or 1
    step = WIDTH / max(1, len(values))
    room = HEIGHT - FOOT - HEAD

    def height(count: int) -> float:
        return round(room * count / most, 1)

    base = HEIGHT - FOOT
    return [
        Bar(round(n * step + step * 0.15, 1), base - height(a), round(step * 0.7, 1), height(a), base - height(b), height(b), label, a, b)
        for n, (label, a, b) in enumerate(values)
    ]


@dataclass(frozen=True)
class Whisker:
    """An interval of a ratio on a logarithmic axis, 0 to 100: its ends, its middle, and where 1 is. `open`: no upper limit."""

    low: float
    high: float
    middle: float
    one: float
    open: bool


def whisker(low: float | None, ratio: float | None, high: float | None) -> Whisker | None:
    """Where an interval lies; None without one."""
    if low is None or ratio is None:
        return None
    return Whisker(_place(low), _place(MOST if high is None else high), _place(ratio), _place(1.0), high is None)


def _place(ratio: float) -> float:
    inside = min(MOST, max(LEAST, ratio))
    return round(100 * (math.log(inside) - math.log(LEAST)) / (math.log(MOST) - math.log(LEAST)), 1)
