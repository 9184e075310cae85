"""The judges of written sentences that an operator has configured, as the exam asks them: a few sentences a call, as in an answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from api.bootstrap import Service
from assistant import judging
from assistant.pen import Pen, Writer
from assistant.turn import Assistant
from guardrails.checks.grounding import Statement, Support


@dataclass
class Judges:
    """`check` does what an answer's sentences go through after its literals: words and vectors, then each judge that is configured."""

    name: str
    assistant: Assistant
    ended: Counter[str]

    def check(self, statements: Sequence[Statement]) -> list[Support]:
        """One Support for each, in order."""
        size = self.assistant.settings.chat_sentences
        found: list[Support] = []
        for start in range(0, len(statements), size):
            part = list(statements[start : start + size])
            pen = self._pen()
            found += judging.supports(self.assistant.means, pen)(part) if pen else self.assistant.supports(part)
            self.ended.update(call.ended for call in pen.calls) if pen else None
        return found

    def notes(self) -> tuple[str, ...]:
        """Who judged, and how its calls have ended so far."""
        calls = ", ".join(f"{count} {ended}" for ended, count in sorted(self.ended.items()))
        return (f"judged by {self.name}" + (f"; calls so far: {calls}" if calls else ""),)

    def _pen(self) -> Pen | None:
        judge: Writer | None = self.assistant.judge
        return judge.pen(None, self.assistant.settings.turn_seconds) if judge else None


def judges(service: Service) -> Judges | None:
    """The judges beside words and vectors; None where the settings name none."""
    entailment, judge = service.settings.guardrails.entailment, service.assistant.judge
    names = [name for name in (entailment, judge.name if judge else "") if name]
    return Judges(" and ".join(names), service.assistant, Counter()) if names else None
