"""A folder of articles published batch by batch, with progress, and what became of each."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from api.operations import Operations
from knowledge.articles import ArticleText
from knowledge.publishing import Change, Origin, Published
from knowledge.sources.folder import read
from knowledge.sources.reading import Caution, Failure

BATCH = 32


@dataclass
class Report:
    """What became of each article so far; `counts` by change, and the reasons of what failed or conflicts."""

    counts: Counter[Change] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether something could not be read or published."""
        return bool(self.counts[Change.FAILED])

    @property
    def per_second(self) -> float:
        """Articles handled per second."""
        return sum(self.counts.values()) / self.seconds if self.seconds else 0.0

    def add(self, result: Published) -> None:
        """Count one result."""
        self.counts[result.change] += 1
        if result.reason:
            self.troubles.append(f"{result.external_id}: {result.reason}")


@dataclass(frozen=True)
class Order:
    """What to ingest and how."""

    path: Path
    source: str
    prune: bool = False
    dry_run: bool = False
    overwrite: bool = False


def ingest(order: Order, operations: Operations, progress: Callable[[int, int], None]) -> Report:
    """Publish everything under a path. A file that cannot be read never stops the rest, and prevents pruning."""
    started = time.monotonic()
    report = Report()
    origin = Origin(order.source, order.source, overwrite=order.overwrite)
    readings = list(read(order.path))
    articles = [r for r in readings if isinstance(r, ArticleText)]
    for reading in readings:
        if isinstance(reading, Failure):
            report.add(Published(reading.file, Change.FAILED, reason=str(reading).removeprefix(f"{reading.file}: ")))
        elif isinstance(reading, Caution):
            report.cautions.append(str(reading))
    done = 0
    for batch in _batches(articles):
        for result in _publish(operations, batch, origin, dry_run=order.dry_run):
            report.add(result)
        done += len(batch)
        progress(done, len(articles))
    if order.prune and not report.failed:
        for result in operations.prune(order.source, [a.external_id for a in articles], dry_run=order.dry_run):
            report.add(result)
    elif order.prune:
        report.troubles.append("nothing was retired, because some files could not be read: they might be what is missing")
    report.seconds = time.monotonic() - started
    return report


def _publish(operations: Operations, batch: list[ArticleText], origin: Origin, *, dry_run: bool) -> list[Published]:
    """The results of a batch; when it fails as a whole, each article is tried alone, so that one does not stop the rest."""
    try:
        return operations.publish(batch, origin, dry_run=dry_run)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one article is reported with its name
        if len(batch) == 1:
            return [Published(batch[0].external_id, Change.FAILED, reason=f"could not be published: {error}")]
    return [result for article in batch for result in _publish(operations, [article], origin, dry_run=dry_run)]


def _batches(articles: list[ArticleText]) -> Iterator[list[ArticleText]]:
    for start in range(0, len(articles), BATCH):
        yield articles[start : start + BATCH]
