"""Every citation must have been retrieved in this turn, and an answer must have one."""

from collections.abc import Iterator

from guardrails.drafts import DraftToScreen

POLICY = "citations"


def uncited(draft: DraftToScreen) -> Iterator[str]:
    """What is wrong with the citations, in words."""
    if not draft.cited and draft.written.strip():
        yield "states something without naming a source"
    for passage in draft.cited:
        if passage.passage_id not in draft.retrieved:
            yield f"cites passage {passage.passage_id}, which was not retrieved"
