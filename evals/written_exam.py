"""Our own examples with answers written by a chat model, side by side with the quoting answer over the same service."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from api.settings import Settings
from assistant.chat_model import ChatModel
from assistant.tables import ModelCall, Outcome, Turn
from evals import held_out
from evals.assistant_exam import SAMPLE, Centre, Ended, Example, open_centre, read
from evals.laboratory import laboratory
from evals.results import Measure, SetResult, known
from evals.scorers import bootstrapped_mean, share


@dataclass(frozen=True)
class Written:
    """One turn: how it ended, what the trace tells of the model, its milliseconds and tokens."""

    ended: Ended
    model: dict[str, Any]
    milliseconds: float
    tokens: int


def grade(
    file: Path, settings: Settings, cache: Path, tell: Callable[[str], None], chat: ChatModel | None = None, sample: Path = SAMPLE
) -> SetResult:
    """Every example once quoted and once with the model of the settings, or with `chat`. Raise BrokenSet, ChatModelError."""
    examples = read(file)
    fitted, note = held_out.fit_without(file.stem, settings.knowledge)
    with laboratory(settings, cache, chat=chat) as lab:
        lab.judge_by(fitted)
        centre = open_centre(lab, sample)
        assistant = lab.service.assistant
        alone = replace(lab.service, assistant=replace(assistant, writer=None))
        tell(f"written/{file.stem}: {len(examples)} turns twice")
        quoted = [_taken(replace(centre, lab=replace(lab, service=alone)), example) for example in examples]
        written = [_taken(centre, example) for example in examples]
        name = assistant.writer.name if assistant.writer else ""
    by_both = {"quoted": measures(quoted), "written": measures(written)}
    metrics = dict.fromkeys(metric for of_one in by_both.values() for metric in of_one)
    found = {f"{metric}_{how}": by_both[how][metric] for metric in metrics for how in by_both if metric in by_both[how]}
    return SetResult(f"written/{file.stem}", found, (note, f"written by {name}"))


def measures(turns: Sequence[Written]) -> dict[str, Measure]:
    """Coverage of answerable examples, share of cited articles that are right, what the model said without support, and what it took."""
    answered = [turn for turn in turns if turn.ended.cited]
    cited = [(name, turn.ended.example) for turn in answered for name in turn.ended.cited]
    sentences = [ok for turn in turns for ok in [True] * turn.model.get("kept", 0) + [False] * len(turn.model.get("cut", ()))]
    asked = [turn for turn in turns if turn.model]
    milliseconds = [turn.milliseconds for turn in turns]
    rows = [
        ("coverage", share(bool(turn.ended.cited) for turn in turns if turn.ended.example.answerable)),
        ("citation_precision", share(_is_gold(name, example) for name, example in cited)),
        ("answered_by_model", share(turn.ended.outcome is Outcome.ANSWERED_WRITTEN for turn in turns)),
        ("unsupported_sentences_of_model", share(not ok for ok in sentences)),
        ("failed_calls", share(call["ended"] != "ok" for turn in asked for call in turn.model["calls"])),
        ("milliseconds", bootstrapped_mean(milliseconds)),
        ("tokens_per_turn", bootstrapped_mean([float(turn.tokens) for turn in asked])),
    ]
    return known(rows)


def _is_gold(name: str, example: Example) -> bool:
    return example.answerable and name in example.gold


def _taken(centre: Centre, example: Example) -> Written:
    ended = centre.take(example, example.text)
    with centre.lab.service.database.read() as session:
        turn = session.scalars(select(Turn).order_by(Turn.started_at.desc(), Turn.message_id.desc()).limit(1)).one()
        spent = select(func.coalesce(func.sum(ModelCall.input_tokens + ModelCall.output_tokens), 0))
        tokens = session.scalar(spent.where(ModelCall.conversation_id == turn.conversation_id)) or 0
    return Written(ended, turn.trace.get("model", {}), turn.trace["milliseconds"], int(tokens))
