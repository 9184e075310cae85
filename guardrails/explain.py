"""Why a message would be answered or not: scores, thresholds, the nearest examples, and the words a visitor would read."""

from dataclasses import dataclass

from guardrails.classifier import material
from guardrails.findings import Verdict
from guardrails.replay import embedded
from guardrails.screen import Guard, prepare


@dataclass(frozen=True)
class PolicyScore:
    """One policy's score of the whole message and of its highest sentence, with the threshold of both."""

    policy: str
    whole: float
    highest: float
    threshold: float


@dataclass(frozen=True)
class Near:
    """An example or neighbour that the message is like, from 0 to 1; ordinary messages have no policy."""

    policy: str
    caught: bool
    text: str
    likeness: float


@dataclass(frozen=True)
class Explanation:
    """All that decided about a message."""

    text: str
    verdict: Verdict
    scores: tuple[PolicyScore, ...]
    nearest: tuple[Near, ...]
    said: str
    version: str


def explain(text: str, guard: Guard, language: str = "en", count: int = 5) -> Explanation:
    """Screen a message and tell how it came out; `said` is empty when nothing is refused."""
    message = prepare(text)
    vectors = embedded(guard.encoders, message.rows)
    scores = guard.fitted.scores(vectors)
    verdict = guard.judge(message, scores)
    by_policy = [
        PolicyScore(name, float(scores[0, n]), float(scores[:, n].max()), guard.threshold(name))
        for n, name in enumerate(guard.fitted.policies)
    ]
    rows = material(list(guard.policies.values()))
    nearest = guard.fitted.nearest({name: row[:1] for name, row in vectors.items()}, count)[0]
    near = tuple(Near(rows[i].policy, rows[i].caught, rows[i].text, likeness) for i, likeness in nearest)
    policy = guard.policies.get(verdict.policy or "")
    said = policy.say(language) if policy is not None and verdict.action is not None and verdict.action.blocks else ""
    return Explanation(text, verdict, tuple(sorted(by_policy, key=lambda s: -s.highest)), near, said, guard.version)
