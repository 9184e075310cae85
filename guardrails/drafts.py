"""What the outgoing screen is given: a draft, the passages it cites, and what really happened in this turn."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CitedPassage:
    """A passage that the draft names as its source."""

    passage_id: str
    text: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class DraftToScreen:
    """An answer before anybody has seen it. `ours` are fixed sentences of the product, which need no source."""

    text: str
    cited: tuple[CitedPassage, ...] = ()
    retrieved: frozenset[str] = frozenset()
    quoted: bool = False
    """True when the text is word for word from published articles: then only scores kept from ingest speak about advice."""
    kept_scores: Mapping[str, float] = field(default_factory=dict)
    """Policy → the highest score of the cited passages at ingest."""
    ours: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    """What this turn really did: `handed_over`, `ticket_opened`, `mail_sent`, …"""

    @property
    def evidence(self) -> str:
        """Everything a statement of the draft may rest on."""
        return "\n".join(f"{passage.title}\n{passage.text}\n{passage.url}" for passage in self.cited)

    @property
    def written(self) -> str:
        """The draft without the product's own fixed sentences."""
        text = self.text
        for sentence in self.ours:
            text = text.replace(sentence, " ")
        return text
