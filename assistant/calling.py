"""Whether this turn needs a person: what was heard and found → Signals → a decision, and whom to call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_core.embeddings import Embeddings

from assistant.conversation import Earlier, Received
from assistant.handover import Call
from assistant.hearing import Embed, Heard
from assistant.replying import Drafted
from escalation import rules
from escalation.rules import Decision, EarlierTurn, Escalate, Offer, PolicyAction, Signals
from escalation.tables import Priority, Reason
from escalation.triage import Triage, matter
from guardrails.findings import Action
from guardrails.policies import Policy
from knowledge.embedding import vectors as embedded
from knowledge.library import comparing

UNKNOWN_LANGUAGE = "unknown_language"
ACTIONS = {Action.HANDOVER: PolicyAction.HANDOVER, Action.REFUSE: PolicyAction.REFUSE, Action.ROUTE: PolicyAction.ROUTE}
POLICY_REASONS = frozenset({Reason.POLICY_HANDOVER, Reason.POLICY_REFUSED, Reason.POLICY_ROUTED})


@dataclass(frozen=True)
class Caller:
    """Decides for one turn. `asked` and `anger` are found once, from the whole message."""

    triage: Triage
    received: Received
    heard: Heard
    asked: bool
    anger: float

    @classmethod
    def of(cls, triage: Triage, received: Received, heard: Heard) -> "Caller":
        """Listen to the message."""
        asks = triage.asks(heard.masked, heard.whole)
        return cls(triage, received, heard, asks, triage.anger(heard.masked, heard.language))

    def early(self) -> Decision:
        """What is already certain before anything is looked up."""
        return rules.decide(self._signals(), self.triage.settings)

    def late(self, drafted: Drafted | None, similarities: Sequence[float]) -> Decision:
        """With what was found; `similarities`: of the present question with each earlier one."""
        failed = drafted is not None and drafted.outcome.family == "unanswered"
        turns = [EarlierTurn(e.at, e.failed, s) for e, s in zip(self.received.earlier, similarities, strict=True)]
        signals = self._signals(
            covered=not failed,
            failed_turns=rules.failed_in_a_row(turns, this_failed=failed),
            same_question=rules.times_asked(turns, self.triage.settings) if self.heard.question else 1,
        )
        return rules.decide(signals, self.triage.settings)

    def _signals(self, **found: object) -> Signals:
        verdict = self.heard.verdict
        unknown = verdict.policy == UNKNOWN_LANGUAGE
        return Signals(
            policy=verdict.policy,
            policy_action=None if unknown or verdict.action is None else ACTIONS.get(verdict.action),
            asked_for_person=self.asked,
            language_known=not unknown,
            anger=self.anger,
            offered=offered(self.received.earlier),
            **found,  # type: ignore[arg-type]  # the three that `late` knows
        )


def similarities(heard: Heard, earlier: Sequence[Earlier], encoders: Mapping[str, Embeddings], least: int) -> list[float]:
    """The cosine of the present question with each earlier one; zeros as long as `least` equal ones are not possible."""
    if heard.question is None or len(earlier) < least - 1:
        return [0.0] * len(earlier)
    name = comparing(encoders)
    rows = embedded(encoders[name], [one.question for one in earlier])
    return [float(cosine) for cosine in rows @ heard.vectors[name][0]]


def offered(earlier: Sequence[Earlier]) -> frozenset[Reason]:
    """The reasons for which a person was already offered."""
    return frozenset(Reason(one.offered) for one in earlier if one.offered)


def call(decision: Escalate | Offer, caller: Caller, policies: Mapping[str, Policy], embed: Embed) -> Call:
    """Whom to call: the policy's queue when one decided, else the queue that what the visitor wrote last belongs to."""
    heard = caller.heard
    policy = policies.get(heard.verdict.policy or "") if decision.reason in POLICY_REASONS else None
    if policy is not None:
        queue, priority = policy.queue, Priority(policy.priority)
    else:
        text = matter(routing_text(caller.received, heard.masked))
        queue, priority = caller.triage.route(text, embed([text]), heard.code).queue, None
    return Call(decision.reason, decision.sentence, queue, heard.language, priority, heard.code or heard.language)


def routing_text(received: Received, masked: str) -> str:
    """What the visitor wrote last, for finding the queue: this message and up to two before it."""
    before = [said.text for said in received.history if said.role == "visitor"][-2:]
    return "\n".join([*before, masked])
