"""From what was found to the draft that may leave: written by a chat model where there is one, else quoted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from assistant import replying
from assistant.answer import Manner
from assistant.choosing import chosen
from assistant.hearing import Heard
from assistant.looking import Seen
from assistant.means import Means
from assistant.pen import Pen
from assistant.question import Said
from assistant.replying import Drafted, Screened
from assistant.tables import Outcome, Role
from assistant.writing import write
from guardrails.screen import prepare
from knowledge.search import Band


@dataclass(frozen=True)
class Composed:
    """The draft that may leave, what the outgoing screen said of each that was tried, and what the trace tells of the model."""

    drafted: Drafted | None = None
    screened: tuple[Screened, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Composed()


def compose(means: Means, seen: Seen, heard: Heard, manner: Manner, pen: Pen | None, history: Sequence[Said]) -> Composed:
    """The quoted draft is always made first: it is what remains when the model fails, or writes what may not be said."""
    quoted = replying.with_safe_previews(replying.draft(seen, manner, means.rarity, off_topic=heard.off_topic), seen, means.guard)
    tried: list[Screened] = []
    told: Mapping[str, Any] = {}
    if pen is not None and _worth_writing(seen, quoted):
        attempt = write(pen, means, seen, (*history, Said(Role.VISITOR, heard.verdict.allowed)), quoted, manner)
        told = attempt.told
        if attempt.drafted is not None:
            rows = means.embed(list(prepare(attempt.drafted.text).rows))
            screened = replying.screened(attempt.drafted, seen, means.guard, rows)
            tried += [screened] if screened else []
            if screened is None or not screened.blocks:
                return Composed(attempt.drafted, tuple(tried), told)
            told = {**told, "not_used": f"held back by {screened.verdict.policy}"}
        if quoted.outcome is Outcome.OFFERED_CHOICES:
            quoted = chosen(pen, means, seen, quoted)
    screened = replying.screened(quoted, seen, means.guard, None)
    tried += [screened] if screened else []
    return Composed(replying.unless_held(quoted, screened, heard.language), tuple(tried), told)


def _worth_writing(seen: Seen, quoted: Drafted) -> bool:
    """Whether there is something to write from: nothing is written where nothing was found, nor beside the matter."""
    if seen.chosen is not None or seen.found.band is Band.ANSWER:
        return quoted.draft is not None
    return seen.found.band is Band.UNSURE and quoted.outcome is Outcome.OFFERED_CHOICES


def traced(pen: Pen | None, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the trace keeps of the model: each call, and what became of its answer; nothing without a call."""
    if pen is None or not pen.calls:
        return {}
    return {"model": {"calls": [asdict(call) for call in pen.calls], **told}}
