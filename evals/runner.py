"""Runs every exam there is: our own examples, and each set of a data folder by the grader of its kind.

A set that is broken says why and the others go on; a set without a grader is named, never skipped in silence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api.settings import Settings
from evals import assistant_exam, retrieval_exam
from evals.folders import BrokenSet, Source, sources
from evals.laboratory import IngestError
from evals.results import Report, SetResult, Trouble

CACHE = Path("build/evals")
OWN = ("sample_centre", "sample_centre_languages")

Tell = Callable[[str], None]
Grader = Callable[["Run", Source], SetResult]


@dataclass(frozen=True)
class Run:
    """What is graded, how, and who is told how far it is. `only` names sets or kinds, such as own or retrieval/techqa."""

    settings: Settings
    data: Path | None = None
    only: Sequence[str] = ()
    cache: Path = CACHE
    tell: Tell = field(default=lambda _: None)

    def wants(self, name: str) -> bool:
        """Whether a set is to be graded."""
        return not self.only or any(name == only or name.startswith(f"{only.rstrip('/')}/") for only in self.only)


def run(plan: Run) -> Report:
    """Grade everything that is wanted. Raise BrokenSet when the data folder holds no sets, or nothing bears a wanted name."""
    found = [source for source in _every(plan) if plan.wants(source.name)]
    if not found:
        raise BrokenSet(f"no set is called {', '.join(plan.only)}")
    done: list[SetResult] = []
    broken: list[Trouble] = []
    ungraded: list[Trouble] = []
    for source in found:
        grader = GRADERS.get(source.kind)
        if grader is None:
            ungraded.append(Trouble(source.name, f"there is no grader for {source.kind} yet"))
            continue
        plan.tell(source.name)
        try:
            done.append(grader(plan, source))
        except (BrokenSet, IngestError) as trouble:
            broken.append(Trouble(source.name, str(trouble)))
    return Report(tuple(done), tuple(broken), tuple(ungraded), _about(plan))


def _every(plan: Run) -> list[Source]:
    own = [Source("own", assistant_exam.EXAMPLES / f"{name}.jsonl") for name in OWN]
    return own + (sources(plan.data) if plan.data else [])


def _own(plan: Run, source: Source) -> SetResult:
    return assistant_exam.grade(source.path, plan.settings, plan.cache, plan.tell)


def _retrieval(plan: Run, source: Source) -> SetResult:
    return retrieval_exam.grade(source.path, plan.settings, plan.cache, plan.tell)


GRADERS: dict[str, Grader] = {"own": _own, "retrieval": _retrieval}


def _about(plan: Run) -> dict[str, str]:
    knowledge = plan.settings.knowledge
    return {"embedder": knowledge.embedder, "multilingual": str(knowledge.multilingual), "target error": f"{knowledge.target_error:g}"}
