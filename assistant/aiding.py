"""What a chat model can do for an agent who opens a ticket: a summary, a reply to read and change, and values for empty fields.

All of it is checked like an answer to a visitor, is marked as written by a model, and nothing is sent or stored by itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel, Field

from assistant import judging, replying
from assistant.answer import Manner
from assistant.conversation import Citation
from assistant.looking import Picked, look
from assistant.means import Means
from assistant.pen import Pen
from assistant.prompting import Wording, within
from assistant.proving import Sentence, prove
from assistant.question import Question, Said
from assistant.replying import Drafted
from assistant.tables import ConversationId, Message, Role
from assistant.turn import Assistant
from assistant.wording import shipped
from assistant.writing import write
from escalation.tables import Ticket
from guardrails.drafts import CitedPassage
from guardrails.screen import prepare
from knowledge.passages import plain

LIMIT = 400  # tokens of a summary or of field values
MOST_SENTENCES = 4
LONGEST_VALUE = 200
MARKS = re.compile(r" (?:\[\d\])+")  # of sources, which an agent's own reply does not carry
SPEAKERS = {Role.VISITOR: "Visitor", Role.ASSISTANT: "Assistant", Role.AGENT: "Agent"}


class Summary(BaseModel):
    """What the model answers when it briefs an agent; `passages` of a sentence name messages."""

    sentences: list[Sentence] = Field(default_factory=list, max_length=8)


class Values(BaseModel):
    """What the model finds in a visitor's messages."""

    goal: str = Field("", max_length=600)
    symptom: str = Field("", max_length=600)
    error: str = Field("", max_length=600)
    device: str = Field("", max_length=200)
    browser: str = Field("", max_length=200)
    os: str = Field("", max_length=200)
    app_version: str = Field("", max_length=200)
    account: str = Field("", max_length=200)
    role: str = Field("", max_length=200)
    plan: str = Field("", max_length=200)


@dataclass(frozen=True)
class Aid:
    """What may help; each part may be empty. `model` wrote it."""

    model: str
    summary: tuple[str, ...] = ()
    reply: str = ""
    sources: tuple[Citation, ...] = ()
    fields: Mapping[str, str] | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.summary or self.reply or self.fields)


def aid(assistant: Assistant, ticket: Ticket, messages: Sequence[Message], request: str) -> Aid | None:
    """Help with a ticket, within the time of one turn; None without a model or where it found nothing. No transaction may be open."""
    pen = assistant.pen(ConversationId(ticket.conversation_id))
    told = [message for message in messages if not message.content.get("notice")]
    if pen is None or not told or not request:
        return None
    means = assistant.means
    made = Aid(pen.name, summary=summarised(pen, means, told), fields=found(pen, means, ticket, told))
    text, sources = replied(pen, assistant, ticket, told, request)
    made = replace(made, reply=text, sources=sources)
    return None if made.empty else made


def summarised(pen: Pen, means: Means, messages: Sequence[Message]) -> tuple[str, ...]:
    """The ticket in a few sentences, each of which the messages it names say."""
    shown = _labelled(means, messages)
    material = {"conversation": "\n".join(f"[{label}] {text}" for label, text in shown.items())}
    prompt = Wording("briefing", Summary, LIMIT).prompt(material, pen.new_mark(), product=means.settings.product)
    answer = pen.ask(prompt, Summary)
    if answer is None:
        return ()
    sources = {label: CitedPassage(label, text) for label, text in shown.items()}
    proof = prove(answer.sentences[:MOST_SENTENCES], sources, means.guard, judging.supports(means, pen))
    return tuple(claim.text for claim in proof.kept)


def found(pen: Pen, means: Means, ticket: Ticket, messages: Sequence[Message]) -> dict[str, str]:
    """Values for the ticket's empty fields, letter by letter from the visitor's messages."""
    said = [means.mask(message.text) for message in messages if message.role == Role.VISITOR]
    shown = within(said, means.settings.chat_passage_tokens)
    prompt = Wording("fields", Values, LIMIT).prompt({"messages": "\n".join(shown)}, pen.new_mark(), product=means.settings.product)
    answer = pen.ask(prompt, Values)
    if answer is None:
        return {}
    whole = " ".join("\n".join(shown).casefold().split())
    held = {"error": ticket.error_texts}
    values = {name: " ".join(value.split()).strip(" .,;:") for name, value in answer.model_dump().items()}
    empty = {name: value for name, value in values.items() if value and not held.get(name, getattr(ticket, name, None))}
    return {name: value for name, value in empty.items() if len(value) <= LONGEST_VALUE and "[" not in value and value.casefold() in whole}


def replied(pen: Pen, assistant: Assistant, ticket: Ticket, messages: Sequence[Message], request: str) -> tuple[str, tuple[Citation, ...]]:
    """A reply from the articles, every sentence checked, and its sources; empty where none can be made."""
    means = assistant.means
    question = Question(means.mask(request))
    with assistant.sessions.read() as session:
        seen = look(session, assistant.library, question, assistant.embed([question.text]), Picked())
    manner = Manner(means.settings.answer_words, means.settings.max_sources, shipped(ticket.language), assistant.link)
    spoken = [*(Said(Role(message.role), message.text) for message in messages), Said(Role.VISITOR, request)]
    quoted: Drafted = replying.draft(seen, manner, means.rarity)
    attempt = write(pen, means, seen, spoken, quoted, manner, wording="reply")
    if attempt.drafted is None or attempt.drafted.draft is None:
        return "", ()
    screened = replying.screened(attempt.drafted, seen, means.guard, means.embed(list(prepare(attempt.drafted.text).rows)))
    if screened is not None and screened.blocks:
        return "", ()
    return MARKS.sub("", attempt.drafted.text), attempt.drafted.draft.sources


def _labelled(means: Means, messages: Sequence[Message]) -> dict[str, str]:
    """The newest messages that fit, oldest first, labelled M1, M2, …, personal data masked."""
    lines = [f"{SPEAKERS[Role(message.role)]}: {means.mask(plain(message.text))}" for message in messages]
    kept = within(lines[::-1], means.settings.chat_passage_tokens)[::-1]
    return {f"M{number}": line for number, line in enumerate(kept, start=1)}
