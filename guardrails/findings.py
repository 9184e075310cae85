"""What every check returns: findings, and the verdict of a screen over them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Action(StrEnum):
    """What is done about a finding, gravest first."""

    HANDOVER = "handover"
    REFUSE = "refuse"
    ROUTE = "route"
    REDACT = "redact"
    FLAG = "flag"

    @property
    def gravity(self) -> int:
        """0 is the gravest."""
        return _ORDER.index(self)

    @property
    def blocks(self) -> bool:
        """True when the part it was found in may not be answered."""
        return self in (Action.HANDOVER, Action.REFUSE)


_ORDER = tuple(Action)


class Stage(StrEnum):
    """Where a text comes from: a visitor, our own draft, or a help article."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    DOCUMENT = "document"


@dataclass(frozen=True)
class Finding:
    """One policy that spoke about one part of a text; `enforced` is False in shadow mode."""

    policy: str
    stage: Stage
    action: Action
    score: float
    span: tuple[int, int]
    enforced: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """All findings of a stage, the gravest enforced action, and what may still be answered ("" when nothing may)."""

    findings: tuple[Finding, ...]
    action: Action | None
    allowed: str
    policy: str | None
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def blocked(self) -> bool:
        """True when nothing of the text may be answered."""
        return self.action is not None and self.action.blocks and not self.allowed


def gravest(findings: Iterable[Finding]) -> Finding | None:
    """The enforced finding that decides: gravest action first, then the highest score."""
    enforced = [finding for finding in findings if finding.enforced]
    return min(enforced, key=lambda f: (f.action.gravity, -f.score, f.policy), default=None)
