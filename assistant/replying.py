"""From what was heard and found to the reply: answered, choices, not covered, refused, or a bit of each."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from assistant import answer
from assistant.answer import Draft, Manner, Rarity
from assistant.conversation import Choice, Reply
from assistant.hearing import Heard
from assistant.looking import Seen
from assistant.refusing import refusal
from assistant.settings import AssistantSettings
from assistant.tables import Outcome
from assistant.wording import say
from escalation.rules import Offer
from guardrails.drafts import CitedPassage, DraftToScreen
from guardrails.findings import Action, Verdict
from guardrails.screen import Guard
from knowledge.embedding import Vectors
from knowledge.search import Band


@dataclass(frozen=True)
class Drafted:
    """What would be said about the documented part, before the outgoing screen saw it."""

    text: str
    outcome: Outcome
    draft: Draft | None = None
    choices: tuple[Choice, ...] = ()


def draft(seen: Seen, manner: Manner, rarity: Rarity, *, off_topic: bool = False) -> Drafted:
    """Answer, offer choices, or say that nothing was found, by how probable it is that the passages answer."""
    found = seen.found
    if seen.chosen or found.band is Band.ANSWER:
        written = answer.compose(seen.asked, seen.ranked, seen.places, manner, rarity)
        if written is not None:
            return Drafted(written.text, written.outcome, written)
    choices = answer.choices(seen.question.text, found, seen.places, rarity)
    if found.band is not Band.NOT_COVERED and choices and not off_topic:
        return Drafted(say("choices", manner.language), Outcome.OFFERED_CHOICES, choices=choices)
    return Drafted(say("not_covered", manner.language), Outcome.UNANSWERED_NOT_COVERED)


@dataclass(frozen=True)
class Screened:
    """What the outgoing screen said of a draft."""

    text: str
    verdict: Verdict
    milliseconds: float

    @property
    def blocks(self) -> bool:
        """Whether the draft may not leave."""
        return self.verdict.action is not None and self.verdict.action.blocks


def screened(drafted: Drafted, seen: Seen, guard: Guard, vectors: Mapping[str, Vectors] | None) -> Screened | None:
    """What the outgoing screen says of a draft; None when it says only fixed sentences. `vectors` are needed of what a model wrote."""
    if drafted.draft is None:
        return None
    started = time.perf_counter()
    cited = [
        CitedPassage(place.passage.id, place.passage.text, place.article.title, source.url)
        for source in drafted.draft.sources
        for place in seen.places[source.article_id]
    ]
    retrieved = frozenset(str(place.passage.id) for places in seen.places.values() for place in places)
    quoted = not drafted.draft.written
    verdict = guard.outgoing(DraftToScreen(drafted.text, tuple(cited), retrieved, quoted=quoted, ours=drafted.draft.ours), vectors)
    return Screened(drafted.text, verdict, 1000 * (time.perf_counter() - started))


def unless_held(drafted: Drafted, screened: Screened | None, language: str) -> Drafted:
    """The draft, or “not covered” when the outgoing screen holds it back."""
    if screened is None or not screened.blocks:
        return drafted
    return Drafted(say("not_covered", language), Outcome.UNANSWERED_NOT_COVERED)


def with_safe_previews(drafted: Drafted, seen: Seen, guard: Guard) -> Drafted:
    """The draft, without those previews of its choices that the outgoing screen would not let pass in an answer; titles stay."""
    return replace(drafted, choices=tuple(_with_safe_preview(choice, seen, guard) for choice in drafted.choices))


def _with_safe_preview(choice: Choice, seen: Seen, guard: Guard) -> Choice:
    if not choice.preview:
        return choice
    found = {hit.passage_id for hit in seen.found.passages}  # previews are taken from these alone
    passages = [place.passage for place in seen.places[choice.article_id] if place.passage.id in found]
    cited = tuple(CitedPassage(passage.id, passage.text, choice.title) for passage in passages)
    action = guard.outgoing(DraftToScreen(choice.preview, cited, frozenset(str(p.id) for p in passages), quoted=True)).action
    return choice if action is None or not action.blocks else replace(choice, preview="")


def join(heard: Heard, drafted: Drafted | None, guard: Guard, settings: AssistantSettings, locale: str) -> Reply:
    """One reply of the refused part and the answered part, or small talk; its text may be empty when only a person answers."""
    if heard.smalltalk and heard.verdict.action is None:
        return Reply(say(heard.smalltalk, heard.language, product=settings.product), Outcome.SMALLTALK, heard.language)
    said = refusal(heard.verdict, guard.policies, language=heard.language, locale=locale)
    if drafted is None:
        return Reply(said, Outcome.REFUSED_POLICY, heard.language)
    parts = [drafted.text, said] if heard.verdict.action is Action.ROUTE else [said, drafted.text]
    text = "\n\n".join(part for part in parts if part)
    sources = drafted.draft.sources if drafted.draft else ()
    outcome = drafted.outcome
    if said and heard.verdict.allowed and outcome.family == "answered" and heard.verdict.action is Action.REFUSE:
        outcome = Outcome.ANSWERED_IN_PART
    written = drafted.draft.written if drafted.draft else ""
    return Reply(text, outcome, heard.language, sources=sources, choices=drafted.choices, written=written)


def offering(reply: Reply, offer: Offer, contact: str) -> Reply:
    """The reply with a person offered, and the operator's own contact where there is one. Nobody is called yet."""
    parts = [reply.text, say("offer_person", reply.language)]
    if contact:
        parts.append(say("person_contact", reply.language, contact=contact))
    return replace(reply, text="\n\n".join(part for part in parts if part), offer=offer.reason, because=offer.sentence)


def handed_over(reply: Reply, outcome: Outcome, text: str, handover: dict[str, Any]) -> Reply:
    """The reply of a turn that called a person: what had to be said first, then word of the ticket."""
    said = "\n\n".join(part for part in (reply.text, text) if part)
    return replace(reply, text=said, outcome=outcome, handover=handover)
