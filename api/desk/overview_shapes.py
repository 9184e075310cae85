"""The operator's numbers as the desk's interface tells them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, StrictStr

from api.desk.clock_shapes import PromisesOut


class FigureOut(BaseModel):
    """A number and what it counts."""

    name: str
    value: float | None
    unit: Literal["", "%", "of 5"]
    definition: StrictStr


class OverviewOut(BaseModel):
    """The operator's numbers from `since` on; tables by their row and column."""

    since: datetime
    until: datetime
    figures: list[FigureOut]
    outcomes: dict[str, int]
    open_by_queue_and_age: dict[str, dict[str, int]]
    ratings: dict[str, int]
    blocks: list[dict[str, Any]]
    promises: list[PromisesOut]
