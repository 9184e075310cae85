"""Runs every exam there is: our own examples, and each set of a data folder by the grader of its kind.

A set that is broken says why and the others go on; a set without a grader is named, never skipped in silence.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from api.settings import Settings
from evals import assistant_exam, groundedness_exam, grouping_exam, guarding, judging_exam, retrieval_exam, written_exam
from evals.folders import BrokenSet, Source, checked_rows, sources
from evals.laboratory import IngestError, laboratory
from evals.results import Report, SetResult, Trouble
from guardrails.checks.grounding import Grounding

CACHE = Path("build/evals")
CENTRE = ("sample_centre", "sample_centre_languages")  # our own examples for the whole assistant

FITTED_ON = "development"  # the pairs that the checker of drafts is fitted on: never graded
OUTSIDE = "oos"  # the intent of questions that nothing answers

T = TypeVar("T")
Tell = Callable[[str], None]
Graded = Iterator[SetResult | Trouble]
Grader = Callable[["Run", Sequence[Source]], Graded]


@dataclass(frozen=True)
class Run:
    """What is graded, how, and who is told how far it is. `only` names sets or kinds, such as own or retrieval/techqa."""

    settings: Settings
    data: Path | None = None
    only: Sequence[str] = ()
    cache: Path = CACHE
    tell: Tell = field(default=lambda _: None)
    chat_model: str = ""
    """Where it is named, our own examples are also graded with answers written by it."""
    judged: Settings | None = None
    """Settings with judges of written sentences; by default those of `settings`."""

    @property
    def judging(self) -> Settings:
        """The settings with the judges that they name, whose tokens are then not limited."""
        whole = self.judged or self.settings
        return _with(whole, chat_model=self.chat_model or whole.assistant.chat_model, chat_tokens_day=0)

    @property
    def writing(self) -> Settings:
        """The settings with chat model and judges, whose tokens are then not limited."""
        return _with(self.judged or self.settings, chat_model=self.chat_model, chat_tokens_day=0)

    def wants(self, name: str) -> bool:
        """Whether a set is to be graded."""
        return not self.only or any(name == only or name.startswith(f"{only.rstrip('/')}/") for only in self.only)


def quoting(settings: Settings) -> Settings:
    """The same without any model that writes or judges: what everything else is graded with."""
    guards = settings.guardrails.model_copy(update={"entailment": "", "written_caught": None})
    return _with(settings, chat_model="", chat_judge="").model_copy(update={"guardrails": guards})


def _with(settings: Settings, **chat: object) -> Settings:
    return settings.model_copy(update={"assistant": settings.assistant.model_copy(update=chat)})


def run(plan: Run) -> Report:
    """Grade everything that is wanted. Raise BrokenSet when the data folder holds no sets, or nothing bears a wanted name."""
    found = [source for source in _every(plan) if plan.wants(source.name)]
    if not found:
        raise BrokenSet(f"no set is called {', '.join(plan.only)}")
    graded: list[SetResult | Trouble] = []
    for kind in dict.fromkeys(source.kind for source in found):
        plan.tell(kind)
        graded += GRADERS.get(kind, _nobody)(plan, [source for source in found if source.kind == kind])
    results = tuple(result for result in graded if isinstance(result, SetResult))
    return Report(results, tuple(trouble for trouble in graded if isinstance(trouble, Trouble)), _about(plan))


def _every(plan: Run) -> list[Source]:
    own = [assistant_exam.EXAMPLES / f"{name}.jsonl" for name in CENTRE]
    own += sorted((assistant_exam.EXAMPLES / guarding.KIND).glob("*.jsonl"))
    own += [file for file in sorted((assistant_exam.EXAMPLES / groundedness_exam.KIND).glob("*.jsonl")) if file.stem != FITTED_ON]
    return [Source("own", path) for path in own] + (sources(plan.data) if plan.data else [])


def _own(plan: Run, members: Sequence[Source]) -> Graded:
    guards = [source for source in members if source.path.parent.name == guarding.KIND]
    drafts = [source for source in members if source.path.parent.name == groundedness_exam.KIND]
    for source in members:
        if source not in guards and source not in drafts:
            yield _tried(source, lambda path: assistant_exam.grade(path, plan.settings, plan.cache, plan.tell))
            if plan.chat_model:
                yield _tried(source, lambda path: written_exam.grade(path, plan.writing, plan.cache, plan.tell))
    yield from guarding.grade(guards, None, plan.settings, plan.cache)
    yield from _groundedness(plan, drafts)


def _groundedness(plan: Run, members: Sequence[Source]) -> Graded:
    """By words and vectors alone, as shipped; our own sets also with the judges that the settings name, side by side."""
    if members:
        with laboratory(plan.judging, plan.cache) as lab:
            alone = Grounding(lab.service.library.encoders).check
            judges = judging_exam.judges(lab.service)
            for source in members:
                yield _tried(source, partial(groundedness_exam.grade, source.name, alone))
                if judges is not None and source.name.startswith("own/"):
                    plan.tell(f"judged by {judges.name}")
                    graded = partial(groundedness_exam.grade, f"judged/{source.path.stem}", judges.check)
                    yield _tried(source, lambda path, graded=graded: graded(path, judges.notes()))  # type: ignore[misc]


def _retrieval(plan: Run, members: Sequence[Source]) -> Graded:
    for source in members:
        yield _tried(source, lambda path: retrieval_exam.grade(path, plan.settings, plan.cache, plan.tell))


def _guardrails(plan: Run, members: Sequence[Source]) -> Graded:
    whole = plan.wants(f"{guarding.KIND}/of ordinary questions and passages")
    yield from guarding.grade(members, plan.data if whole else None, plan.settings, plan.cache)


def _intents(plan: Run, members: Sequence[Source]) -> Graded:
    """Every set is graded as groups; one with training wordings and questions out of scope as FAQs too."""
    for source in members:
        grouped = _tried(source, lambda path: grouping_exam.grade(path, plan.settings, plan.cache))
        faqs = _tried(source, lambda path: _faqs(plan, path)) if isinstance(grouped, SetResult) else None
        if isinstance(grouped, SetResult) and isinstance(faqs, SetResult):
            yield replace(faqs, metrics={**grouped.metrics, **faqs.metrics})
        else:
            yield grouped
            if isinstance(faqs, Trouble):
                yield faqs


def _faqs(plan: Run, file: Path) -> SetResult | None:
    rows = [row for _, row in checked_rows(file, {})]
    if {"train", "test"} <= {row.get("split") for row in rows} and any(row.get("intent") == OUTSIDE for row in rows):
        return retrieval_exam.grade_faqs(file, plan.settings, plan.cache, plan.tell)
    return None


def _nobody(_plan: Run, members: Sequence[Source]) -> Graded:
    yield from (Trouble(source.name, f"there is no grader for {source.kind} yet", broken=False) for source in members)


def _tried(source: Source, grade: Callable[[Path], T]) -> T | Trouble:
    try:
        return grade(source.path)
    except (BrokenSet, IngestError) as trouble:
        return Trouble(source.name, str(trouble))
    except Exception as error:  # noqa: BLE001 - what nobody foresaw in one set must not lose the others
        return Trouble(source.name, f"the grader failed: {type(error).__name__}: {error}")


GRADERS: dict[str, Grader] = {
    "own": _own,
    "retrieval": _retrieval,
    "guardrails": _guardrails,
    "intents": _intents,
    "groundedness": _groundedness,
}


def _about(plan: Run) -> dict[str, str]:
    knowledge = plan.settings.knowledge
    return {"embedder": knowledge.embedder, "multilingual": str(knowledge.multilingual), "target error": f"{knowledge.target_error:g}"}
