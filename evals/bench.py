"""How fast and how big: section 6 of the quality bars, each time beside a reference of the same run.

Times say nothing without the machine, so it is printed with them; what compares across machines is the ratio.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from api import bootstrap
from api.settings import Settings
from evals import material, reference, visiting
from evals.datasets import retrieval_set
from evals.laboratory import in_folder, laboratory, share_models
from evals.material import Echo, Questions
from evals.reference import Floor
from knowledge.articles import ArticleText
from knowledge.embedding import MiniLM, Vectors, vectors
from knowledge.library import MAIN
from knowledge.publishing import Origin

PASSAGES = 5_000
VISITORS = 8
SPEED_SET = "retrieval/techqa"
GROWN_AT_ONCE = 250  # synthetic articles; bounds the memory of one stage and swap

# The bars of section 6.
TURN_P50_MS, TURN_P95_MS, TURN_FLOORS = 15.0, 30.0, 2.5
CROWD_P95_MS = 150.0
START_SECONDS = 10.0
MEMORY_MB = 900.0
SCALE_TIMES = 1.5
INDEX_TIMES, LOST_HIT5 = 2.5, 0.005


@dataclass(frozen=True)
class Plan:
    """What is measured and how long it takes: the defaults need about a quarter of an hour on 2 cores."""

    data: Path
    cache: Path
    banking: int = 500
    mtrag: int = 100
    crowd: int = 320  # questions of the 8 visitors together
    scale: int = 100_000  # passages, synthetic ones included; 0 leaves this part out
    embedded: int = 1_000  # passages that both encoders embed


@dataclass(frozen=True)
class Figure:
    """One number: its unit, what it is compared with, the bar, and how many observations it was taken over."""

    name: str
    value: float
    unit: str
    bar: str = ""
    reached: bool | None = None
    reference: float | None = None
    n: int = 0

    @property
    def ratio(self) -> float | None:
        """To the reference of the same run."""
        return self.value / self.reference if self.reference else None


@dataclass(frozen=True)
class Machine:
    """Where the times were taken."""

    processor: str
    cores: int
    memory_gb: float
    python: str
    load: float
    """Processes that wanted to run, averaged over the minute before: more than 0 means that others disturbed the times."""


@dataclass(frozen=True)
class Bench:
    """All figures of one run."""

    machine: Machine
    figures: tuple[Figure, ...]


Tell = Callable[[str], None]


def bench(plan: Plan, settings: Settings, tell: Tell) -> Bench:
    """Measure everything in the plan. Raise MissingMaterial, ServerFailed."""
    where = machine()
    texts = material.articles(plan.data, PASSAGES)
    asked = material.questions(plan.data, banking=plan.banking, mtrag=plan.mtrag, crowd=plan.crowd)
    with TemporaryDirectory(prefix="firstline-bench-") as name:
        folder = Path(name)
        share_models(folder, plan.cache)
        here = in_folder(settings, folder)
        tell(f"publishing {PASSAGES} passages")
        passages = _fill(here, texts, plan.cache)
        tell("loading sentence-transformers for the reference")
        ours = MiniLM(folder / "models")
        floor = Floor(reference.plain_model(ours), passages)
        small = _turns(folder, asked, floor, tell)
        _tell_all(small, tell)
        figures = [*small, *_embedding(plan, settings, ours, floor, tell)]
        if plan.scale:
            tell(f"adding synthetic passages up to {plan.scale}")
            _grow(here, texts, plan.scale - PASSAGES)
            figures += _at_scale(folder, asked, small[0], plan.scale, tell)
    return Bench(where, tuple(figures))


def machine() -> Machine:
    """The computer we run on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(_processor(), os.cpu_count() or 1, round(pages / 1e9, 1), platform.python_version(), round(os.getloadavg()[0], 2))


def show(result: Bench, console: Console) -> None:
    """The machine, and one line per figure."""
    console.print(" · ".join(f"{name} {value}" for name, value in asdict(result.machine).items()))
    table = Table("what", "value", "reference", "ratio", "bar", "n", title="Speed and size")
    for figure in result.figures:
        against = f"{figure.reference:.2f}" if figure.reference is not None else ""
        ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
        style = "red" if figure.reached is False else ""
        table.add_row(figure.name, f"{figure.value:.2f} {figure.unit}", against, ratio, figure.bar, str(figure.n), style=style)
    console.print(table)


def write(result: Bench, file: Path) -> None:
    """Store machine and figures, ratios included."""
    rows = {figure.name: {k: v for k, v in asdict(figure).items() if k != "name"} | {"ratio": figure.ratio} for figure in result.figures}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": asdict(result.machine), "figures": rows}, indent=1) + "\n", encoding="utf-8")


def _fill(settings: Settings, texts: Sequence[ArticleText], cache: Path) -> Vectors:
    """Publish into the folder that is going to be served; the main vectors of its passages. Those of earlier runs are used again."""
    with laboratory(settings, cache, folder=settings.api.data) as lab:
        lab.publish(texts, "bench")
        return vectors(lab.service.library.encoders[MAIN], material.embedded_texts(texts))


def _turns(folder: Path, asked: Questions, floor: Floor, tell: Tell) -> list[Figure]:
    """One visitor, then eight, with the floor measured before and after; start and memory beside them."""
    half = len(asked.single) // 2
    floor.milliseconds(asked.warm)
    least = floor.milliseconds(asked.single[:half])
    tell("serving 5,000 passages")
    with visiting.serving(folder) as server:
        visiting.ask_in_turn(server.port, asked.warm[:1])
        first = time.perf_counter() - server.started
        visiting.ask_in_turn(server.port, asked.warm)
        tell(f"asking {len(asked.single)} questions, one after the other")
        single = visiting.ask_in_turn(server.port, asked.single)
        tell(f"asking {len(asked.crowd)} questions, {VISITORS} at once")
        crowd = visiting.ask_at_once(server.port, asked.crowd, VISITORS)
        memory = server.resident_mb
    least += floor.milliseconds(asked.single[half:])
    p50, p95, at_once, base = _p(single, 50), _p(single, 95), _p(crowd, 95), _p(least, 50)
    quick = p50 <= TURN_P50_MS and p50 <= TURN_FLOORS * base
    return [
        Figure("turn over HTTP, 5,000 passages, p50", p50, "ms", "≤ 15 ms and ≤ 2.5 ×", quick, base, len(single)),
        Figure("turn over HTTP, 5,000 passages, p95", p95, "ms", "≤ 30 ms", p95 <= TURN_P95_MS, _p(least, 95), len(single)),
        Figure("turn over HTTP, 8 visitors at once, p95", at_once, "ms", "≤ 150 ms", at_once <= CROWD_P95_MS, None, len(crowd)),
        Figure("serve to first answer", first, "s", "≤ 10 s", first <= START_SECONDS, None, 1),
        Figure("memory of the serving process", memory, "MB", "≤ 900, aim 500", memory <= MEMORY_MB, None, 1),
    ]


def _embedding(plan: Plan, settings: Settings, ours: MiniLM, floor: Floor, tell: Tell) -> list[Figure]:
    tell(f"embedding up to {plan.embedded} passages twice")
    speed_set = retrieval_set(plan.data / SPEED_SET)
    found = reference.compare_embedding(ours, floor.model, speed_set, plan.embedded)
    lost = found.plain_hit5 - found.ours_hit5
    texts = [ArticleText(d.doc_id, d.title or d.doc_id, d.text) for d in speed_set.documents]
    with laboratory(settings, plan.cache, remember=False) as lab:
        began = time.perf_counter()
        lab.publish(texts, "bench")
        total = len(material.embedded_texts(texts)) / (time.perf_counter() - began)
    rate, least = found.ours_per_second, found.plain_per_second
    return [
        Figure("indexing, the MiniLM step", rate, "passages/s", "≥ 2.5 ×", rate >= INDEX_TIMES * least, least, found.passages),
        Figure("indexing in all, both encoders, SQL and Chroma", total, "passages/s", "", None, least, len(texts)),
        Figure("hit@5 of the fast encoder alone, less by", lost, "", "≤ .005", lost <= LOST_HIT5, None, found.queries),
    ]


def _grow(settings: Settings, texts: Sequence[ArticleText], passages: int) -> None:
    """Publish synthetic articles beside the real ones, through the same door, with vectors that need no model."""
    with bootstrap.running(settings) as service:
        sample = material.embedded_texts(texts)[:500]
        service.library.encoders = {name: Echo(encoder, vectors(encoder, sample)) for name, encoder in service.library.encoders.items()}
        service.library.open()
        batch: list[ArticleText] = []
        for text in material.synthetic(texts, passages):
            batch.append(replace(text, slug=text.external_id.replace("#", "-")))
            if len(batch) == GROWN_AT_ONCE:
                service.library.publisher.publish(batch, Origin("synthetic", "bench"), now=service.now())
                batch = []
        service.library.publisher.publish(batch, Origin("synthetic", "bench"), now=service.now())


def _at_scale(folder: Path, asked: Questions, small: Figure, passages: int, tell: Tell) -> list[Figure]:
    tell(f"serving {passages} passages")
    with visiting.serving(folder) as server:
        visiting.ask_in_turn(server.port, asked.warm[:1])
        first = time.perf_counter() - server.started
        visiting.ask_in_turn(server.port, asked.warm)
        times = visiting.ask_in_turn(server.port, asked.single[: len(asked.single) // 2])
        memory = server.resident_mb
    p50, name = _p(times, 50), f"{passages:,} passages"
    level = p50 <= SCALE_TIMES * small.value
    return [
        Figure(f"turn over HTTP, {name}, p50", p50, "ms", "≤ 1.5 × 5,000", level, small.value, len(times)),
        Figure(f"turn over HTTP, {name}, p95", _p(times, 95), "ms", "", None, None, len(times)),
        Figure(f"serve to first answer, {name}", first, "s", "", None, None, 1),
        Figure(f"memory, {name}", memory, "MB", "", None, None, 1),
    ]


def _tell_all(figures: Sequence[Figure], tell: Tell) -> None:
    """What is known already: a run is long, and may not reach its end."""
    for figure in figures:
        tell(f"  {figure.name}: {figure.value:.1f} {figure.unit}" + (f", {figure.ratio:.2f} × the reference" if figure.ratio else ""))


def _p(times: Sequence[float], percent: int) -> float:
    return statistics.median(times) if percent == 50 else float(np.percentile(times, percent))  # noqa: PLR2004


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
