"""When a person is called or offered: an ordered table over what is known of this turn; the first rule that fits decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from escalation.settings import EscalationSettings
from escalation.tables import Reason


class Form(StrEnum):
    """Forms that go to a person without a conversation."""

    CONTACT = "contact"
    BUG_REPORT = "bug_report"


class PolicyAction(StrEnum):
    """What a guard policy wants done, as far as it concerns a person."""

    HANDOVER = "handover"
    REFUSE = "refuse"
    ROUTE = "route"


@dataclass(frozen=True)
class Signals:
    """All that decides whether a person should continue; the defaults are a turn that went well.

    `same_question`: how often this question was asked, this time included. `anger`: the weight `anger.py` found.
    `offered`: reasons a person was already offered for since the boundary. `held`: a person has the conversation.
    """

    held: bool = False
    policy: str | None = None
    policy_action: PolicyAction | None = None
    form: Form | None = None
    asked_for_person: bool = False
    language_known: bool = True
    covered: bool = True
    failed_turns: int = 0
    same_question: int = 1
    not_solved: bool = False
    anger: float = 0.0
    offered: frozenset[Reason] = frozenset()


@dataclass(frozen=True)
class Escalate:
    """A person continues now."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Offer:
    """The visitor is asked whether a person shall continue."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Stay:
    """The assistant continues, or the person who already has the conversation."""


Decision = Escalate | Offer | Stay


@dataclass(frozen=True)
class Rule:
    """`sentence` is what the agent reads; `{…}` are signals. `once`: not again after it was offered."""

    reason: Reason
    then: type[Escalate] | type[Offer]
    when: Callable[[Signals, EscalationSettings], bool]
    sentence: str
    once: bool = False


# A guard's handover stands before the visitor's wish: who is in danger and asks for a person belongs in the guard's queue.
RULES: tuple[Rule, ...] = (
    Rule(
        Reason.POLICY_HANDOVER,
        Escalate,
        lambda s, _: s.policy_action is PolicyAction.HANDOVER,
        "The guard policy “{policy}” hands this over to a person.",
    ),
    Rule(Reason.FORM, Escalate, lambda s, _: s.form is not None, "The visitor sent the {form} form."),
    Rule(Reason.ASKED, Escalate, lambda s, _: s.asked_for_person, "The visitor asked for a person."),
    Rule(
        Reason.UNKNOWN_LANGUAGE,
        Escalate,
        lambda s, _: not s.language_known,
        "The visitor writes in a language the assistant does not know.",
    ),
    Rule(
        Reason.POLICY_REFUSED,
        Offer,
        lambda s, _: s.policy_action is PolicyAction.REFUSE,
        "The guard policy “{policy}” refused to answer this.",
    ),
    Rule(
        Reason.POLICY_ROUTED,
        Offer,
        lambda s, _: s.policy_action is PolicyAction.ROUTE,
        "The guard policy “{policy}” wants a person to decide this.",
    ),
    Rule(Reason.NOT_SOLVED, Offer, lambda s, _: s.not_solved, "The visitor marked the answer as not helpful and not solved."),
    Rule(
        Reason.REPEATED,
        Offer,
        lambda s, limits: s.same_question >= limits.same_question,
        "The visitor asked the same question {same_question} times.",
        once=True,
    ),
    Rule(
        Reason.FAILED_TURNS,
        Offer,
        lambda s, limits: s.failed_turns >= limits.failed_turns,
        "{failed_turns} turns in a row ended without an answer.",
    ),
    Rule(Reason.ANGER, Offer, lambda s, limits: s.anger >= limits.anger_from, "The visitor sounds angry.", once=True),
    Rule(Reason.NOT_COVERED, Offer, lambda s, _: not s.covered, "No help article answers the question."),
)


def decide(signals: Signals, settings: EscalationSettings) -> Decision:
    """What the first fitting rule says; Stay when none fits, and always while a person has the conversation."""
    if signals.held:
        return Stay()
    for rule in RULES:
        if rule.once and rule.reason in signals.offered:
            continue
        if rule.when(signals, settings):
            return rule.then(rule.reason, rule.sentence.format(**_words(signals)))
    return Stay()


@dataclass(frozen=True)
class EarlierTurn:
    """A turn before this one: when, whether it failed to answer, and the cosine of its question with the present one."""

    at: datetime
    failed: bool
    similarity: float


def since(boundary: datetime | None, turns: Sequence[EarlierTurn]) -> list[EarlierTurn]:
    """The turns that count: those after the ticket's boundary, so that a reopened conversation does not escalate by its past."""
    return [turn for turn in turns if boundary is None or turn.at > boundary]


def failed_in_a_row(turns: Sequence[EarlierTurn], *, this_failed: bool) -> int:
    """How many turns up to this one ended without an answer, oldest first given; 0 when this one was answered."""
    if not this_failed:
        return 0
    ended = [turn.failed for turn in turns]
    return 1 + (ended[::-1].index(False) if False in ended else len(ended))


def times_asked(turns: Sequence[EarlierTurn], settings: EscalationSettings) -> int:
    """How often the present question was asked, this time included."""
    return 1 + sum(turn.similarity >= settings.same_from for turn in turns)


def _words(signals: Signals) -> dict[str, object]:
    return {
        "policy": (signals.policy or "unnamed").replace("_", " "),
        "form": (signals.form or "").replace("_", " "),
        "failed_turns": signals.failed_turns,
        "same_question": signals.same_question,
    }
