"""What a message says about needing a person: does it ask for one, is it angry, which queue would take it."""

from collections.abc import Mapping
from dataclasses import dataclass

from escalation import hearing, routing
from escalation.anger import anger
from escalation.asked import SENTENCE, asks_for_person
from escalation.learned import Learned, Vectors
from escalation.routing import Routed, Router, sure_words
from escalation.settings import EscalationSettings

UNROUTED = "technical"  # where a ticket begins whose visitor only asked for a person
FEWEST = 2  # words that say something about a matter


@dataclass(frozen=True)
class Triage:
    """The learned voices are None where the encoders they were fitted on do not run; then words alone decide."""

    settings: EscalationSettings
    router: Router | None = None
    ears: Learned | None = None

    @classmethod
    def over(cls, encoders: Mapping[str, object], settings: EscalationSettings) -> "Triage":
        """With the shipped fits, as far as these encoders can feed them."""
        router, ears = routing.load(), hearing.load()
        fits = {*router.english.spaces, *router.other.spaces} <= encoders.keys()
        return cls(settings, router if fits else None, ears if {*ears.spaces} <= encoders.keys() else None)

    def asks(self, text: str, vectors: Mapping[str, Vectors]) -> bool:
        """Whether a message asks for a person; `vectors` hold one row by encoder."""
        heard = hearing.heard(self.ears, vectors) if self.ears else 0.0
        return asks_for_person(text, heard=heard, heard_from=self.settings.asked_from)

    def anger(self, text: str, language: str | None) -> float:
        """The weight of the signs of anger; 0 is calm."""
        return anger(text, language).weight

    def route(self, text: str, vectors: Mapping[str, Vectors], language: str | None) -> Routed:
        """The queue for what `matter` left of a text, with one row of vectors by encoder."""
        if len(text.split()) < FEWEST:
            return Routed(UNROUTED, 0.0, {UNROUTED: 0.0})
        if self.router is not None:
            return self.router.route(text, vectors, language)
        named = [name for name, patterns in sure_words().items() if any(pattern.search(text) for pattern in patterns)]
        queue = named[0] if len(named) == 1 else UNROUTED
        return Routed(queue, 0.0, {queue: 0.0})


def matter(text: str) -> str:
    """A text without the sentences that only ask for a person: they say nothing about the queue."""
    return "\n".join(sentence for sentence in SENTENCE.split(text) if sentence.strip() and not asks_for_person(sentence))
