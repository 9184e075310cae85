"""What everything that uses a chat model needs of the assistant: who checks, who embeds, and how answers are written here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from langchain_core.embeddings import Embeddings

from assistant.hearing import Embed
from assistant.pen import Writer
from assistant.proving import Supports
from assistant.settings import AssistantSettings
from guardrails.screen import Guard


@dataclass(frozen=True)
class Means:
    """`mask` puts placeholders for personal data; `rarity` is how telling a stemmed word is; `judge` judges what `supports` lets pass."""

    guard: Guard
    encoders: Mapping[str, Embeddings]
    settings: AssistantSettings
    mask: Callable[[str], str]
    embed: Embed
    rarity: Callable[[str], float]
    supports: Supports
    judge: Writer | None = None
