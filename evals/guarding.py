"""Brings the guard's exam into the run: looks its files over, shows it the good ones, and hands its measures on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from api.settings import Settings
from evals import guard_exam
from evals.folders import BrokenSet, Source, checked_rows, inspect_retrieval
from evals.laboratory import laboratory
from evals.results import SetResult, Trouble, from_json
from guardrails.screen import Guard

KIND = "guardrails"
NO_TEXT = "its rows are no messages with a text; attacks on the whole assistant are graded by `python -m evals.redteam`"
NO_GUARD = "the stand-in encoder sees words but no meaning, so it has no guard"


def grade(sources: Sequence[Source], around: Path | None, settings: Settings, cache: Path) -> Iterator[SetResult | Trouble]:
    """The measures of each set; a Trouble for each that is broken or holds conversations.

    `around` is the data folder whose other sets must pass the guard too: ordinary questions, and passages of clean articles.
    Results bear the kind of the sources.
    """
    good: list[Source] = []
    for source in sources:
        try:
            if _holds_messages(source.path):
                good.append(source)
            else:
                yield Trouble(source.name, NO_TEXT, broken=False)
        except BrokenSet as trouble:
            yield Trouble(source.name, str(trouble))
    if not good:
        return
    with laboratory(settings, cache) as lab:
        guard = lab.service.assistant.guard
        if guard.encoders:
            yield from measured(good, around, guard)
        else:
            yield from (Trouble(source.name, NO_GUARD, broken=False) for source in good)


def measured(sources: Sequence[Source], around: Path | None, guard: Guard) -> Iterator[SetResult]:
    """The exam over sets that were looked over; at least one."""
    with TemporaryDirectory(prefix="firstline-evals-") as name:
        for called, entry in guard_exam.grade(_view(Path(name), sources, around), guard).items():
            yield SetResult(called.replace(KIND, sources[0].kind, 1), from_json(entry))


def _holds_messages(file: Path) -> bool:
    """Whether a file can be graded message by message. Raise BrokenSet."""
    rows = list(checked_rows(file, {}))
    if not rows:
        raise BrokenSet(f"{file}: is empty")
    if not any("text" in row for _, row in rows):
        return False
    spans = any(row.get("spans") for _, row in rows)
    for number, row in rows:
        wrong = [field for field in (("text",) if spans else ("text", "label")) if not isinstance(row.get(field), str)]
        if wrong:
            raise BrokenSet(f"{file}, line {number}: “{wrong[0]}” is missing or no text")
        for span in row.get("spans") or ():
            if not isinstance(span, dict) or not {"type", "start", "end"} <= span.keys():
                raise BrokenSet(f"{file}, line {number}: a span needs type, start and end")
    return True


def _view(folder: Path, sources: Sequence[Source], around: Path | None) -> Path:
    """A data folder of links in which everything can be read."""
    (folder / KIND).mkdir()
    for source in sources:
        (folder / KIND / source.path.name).symlink_to(source.path.resolve())
    if around is not None:
        for path in [*around.glob("retrieval/*"), *around.glob("corpora/*.jsonl"), *around.glob("intents/*.jsonl")]:
            if _readable(path):
                (folder / path.parent.name).mkdir(exist_ok=True)
                (folder / path.parent.name / path.name).symlink_to(path.resolve())
    return folder


def _readable(path: Path) -> bool:
    """Whether a set beside the guard's can be read; if not, it is reported where it is graded itself."""
    try:
        if path.parent.name == "retrieval":
            inspect_retrieval(path)
        else:
            fields = {"title": str, "text": str} if path.parent.name == "corpora" else {"text": str}
            list(checked_rows(path, fields))
    except BrokenSet:
        return False
    return True
