"""The queues, read from queues.yaml: who continues with what."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml

from escalation.tables import Priority

SHIPPED = Path(__file__).parent / "queues.yaml"


class NoSuchQueue(LookupError):
    """No queue has that id."""


@dataclass(frozen=True)
class Queue:
    """People who take tickets of one kind."""

    id: str
    title: str
    who: str
    description: str
    priority: Priority


@cache
def load(file: Path = SHIPPED) -> Mapping[str, Queue]:
    """Queues by id, in the file's order. Raise KeyError or ValueError for a row that is not a queue."""
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    found = {name: Queue(name, row["title"], row["who"], row["description"], Priority(row["priority"])) for name, row in rows.items()}
    return MappingProxyType(found)


def get(name: str) -> Queue:
    """The shipped queue. Raise NoSuchQueue."""
    try:
        return load()[name]
    except KeyError:
        raise NoSuchQueue(f"there is no queue {name!r}; there are {', '.join(load())}") from None
