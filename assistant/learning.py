"""What conversations teach: stored turns, thumbs and tickets → gaps → groups → suggestions for writers.

The only place where the knowledge loop meets conversations, guards and tickets. Everything is derived from stored rows, so it can be
run at any time, twice, or after a kill.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from assistant import signs
from assistant.signs import Reading
from assistant.turn import Assistant
from knowledge import gaps
from knowledge.embedding import vectors
from knowledge.library import comparing

OVERLAP = timedelta(hours=1)  # what was read before is read again this far back: clocks differ, and a slow transaction becomes visible late
BEGINNING = timedelta(days=90)  # the first reading goes back this far


def collect(assistant: Assistant, *, now: datetime) -> int:
    """Read what happened since the last time; how many questions are new among those left open."""
    with assistant.sessions.write() as session:
        state = gaps.state(session, assistant.new_id())
        since = (state.read_until - OVERLAP) if state.read_until else now - BEGINNING
        salt = state.salt
    with assistant.sessions.read() as session:
        reading = Reading(assistant.mask, _advice(assistant), salt)
        found = signs.read(session, reading, since, now)
        found += signs.repeated(session, reading, since, lambda texts: _alike(assistant, texts))
    with assistant.sessions.write() as session:
        new = gaps.note(session, found)
        gaps.state(session, salt).read_until = now
    return len(new)


def _advice(assistant: Assistant) -> frozenset[str]:
    """The policies whose refusals are advice: what they refuse never becomes an article of ours."""
    return frozenset(p.id for p in assistant.guard.policies.values() if p.id.endswith("_advice") or p.official_page)


def _alike(assistant: Assistant, texts: Sequence[str]) -> list[bool]:
    """For each text whether it asks the same as one before it, as the escalation rules see it."""
    encoders = assistant.library.encoders
    rows = vectors(encoders[comparing(encoders)], list(texts))
    cosines = np.tril(rows @ rows.T, k=-1)
    return [bool(row.max() >= assistant.triage.settings.same_from) for row in cosines]
