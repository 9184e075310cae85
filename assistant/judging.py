"""A second judge of what a chat model wrote: one call of a chat model that reads each sentence beside its own passages alone.

It can only cut further among what the literal checks let pass. Whatever is not clearly called “follows” is cut: a refusal, a silence,
nonsense, a sentence that it left out or judged twice differently.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field

from assistant.chat_model import BYTES_A_TOKEN, ChatModel
from assistant.means import Means
from assistant.pen import Pen, parsed
from assistant.prompting import Wording
from assistant.proving import Supports
from assistant.settings import AssistantSettings
from guardrails.checks.grounding import Statement, Support

MOST_READ = 3  # times the tokens of passages that a writer is shown: passages of several sentences may be repeated
FOLLOWS, CONTRADICTS = "follows", "contradicts"


class Verdict(BaseModel):
    """What the judge says of one sentence."""

    sentence: str = Field(max_length=12)
    verdict: Literal["follows", "does_not_follow", "contradicts"]


class Verdicts(BaseModel):
    """What the judge answers."""

    verdicts: list[Verdict] = Field(default_factory=list, max_length=40)


def supports(means: Means, pen: Pen) -> Supports:
    """The checker of sentences, and behind it the judge where there is one; its calls count for the pen's turn and end with it."""
    if means.judge is None:
        return means.supports
    lent = pen.lent(means.judge)

    def check(statements: Sequence[Statement]) -> list[Support]:
        found = means.supports(statements)
        open_ = [n for n, support in enumerate(found) if support.ok and not support.quoted]
        ruled = judged(lent, [statements[n] for n in open_], means.settings.chat_passage_tokens, means.settings.chat_answer_tokens)
        for n, verdict in zip(open_, ruled, strict=True):
            if verdict != FOLLOWS:
                found[n] = Support(ok=False, score=0.0, reasons=(REASONS[verdict],))
        return found

    return check


REASONS = {
    "": "the judge did not say that it follows",
    "does_not_follow": "the judge says it does not follow",
    CONTRADICTS: "the judge says it contradicts its passages",
}


def judged(pen: Pen, statements: Sequence[Statement], passage_tokens: int, answer_tokens: int) -> list[str]:
    """For each statement follows, does_not_follow, contradicts, or nothing where the judge did not say; one call for all of them."""
    if not statements:
        return []
    material = _material(statements, passage_tokens * MOST_READ * BYTES_A_TOKEN)
    answer = pen.ask(Wording("judge", Verdicts, answer_tokens).prompt(material, pen.new_mark()), Verdicts)
    said = _said(answer)
    return [_of(said.get(f"S{number}", set())) for number in range(1, len(statements) + 1)]


def trial(model: ChatModel, statements: Sequence[Statement], settings: AssistantSettings) -> list[bool]:
    """For each statement whether a model says that it follows, in one call outside of any budget. Raise ModelTrouble."""
    material = _material(statements, settings.chat_passage_tokens * MOST_READ * BYTES_A_TOKEN)
    done = model.complete(
        Wording("judge", Verdicts, settings.chat_answer_tokens).prompt(material, "0123456789abcdef"), settings.turn_seconds
    )
    said = _said(parsed(done.text, Verdicts))
    return [_of(said.get(f"S{number}", set())) == FOLLOWS for number in range(1, len(statements) + 1)]


def _said(answer: Verdicts | None) -> dict[str, set[str]]:
    """By sentence what was said of it."""
    said: dict[str, set[str]] = {}
    for one in answer.verdicts if answer else ():
        said.setdefault(one.sentence.strip(" []"), set()).add(one.verdict)
    return said


def _of(said: set[str]) -> str:
    """One verdict of what was said of a sentence: the worst, if several."""
    return next((verdict for verdict in (CONTRADICTS, "does_not_follow", FOLLOWS) if verdict in said), "")


def _material(statements: Sequence[Statement], most: int) -> dict[str, str]:
    """Sentences with the same passages stand together behind them, so that none is read beside the passages of another.

    What has no room left is not shown, and so gets no verdict.
    """
    cases: dict[tuple[str, ...], list[str]] = {}
    for number, one in enumerate(statements, start=1):
        texts = tuple(f"{passage.title}\n{passage.text}".strip() for passage in one.passages)
        cases.setdefault(texts, []).append(f"[S{number}] {one.sentence}")
    material: dict[str, str] = {}
    for number, (texts, sentences) in enumerate(cases.items(), start=1):
        most -= sum(len(text.encode()) for text in (*texts, *sentences))
        if most >= 0:
            material |= {f"passages {number}": "\n\n".join(texts), f"sentences {number}": "\n".join(sentences)}
    return material
