"""A follow-up made to stand alone by a chat model; kept only when it says nothing that was not said."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, Field

from assistant.hearing import Heard
from assistant.means import Means
from assistant.pen import Pen
from assistant.prompting import Wording, within
from assistant.question import Question, Said
from assistant.relevance import stems
from assistant.tables import Role
from guardrails.screen import prepare
from knowledge.passages import plain

LIMIT = 160  # tokens of its answer
MOST_CHARACTERS = 400
OF_THEIR_OWN = 0.7  # of its telling words must have been said
LITERAL = re.compile(r"[\w.+-]*\d[\w.,:/-]*|https?://\S+|\S+@\S+")


class Restated(BaseModel):
    """What the model answers."""

    question: str = Field(max_length=2000)


def restated(pen: Pen | None, means: Means, heard: Heard, history: Sequence[Said]) -> Heard:
    """The same with the model's question in place of the one that was put together by rule; as it is when that one may not be used."""
    question = heard.question
    if pen is None or question is None or question.leans_on is None:
        return heard
    message, tokens = means.mask(heard.verdict.allowed), means.settings.chat_history_tokens
    said = [f"{'Visitor' if one.role is Role.VISITOR else 'Reply'}: {means.mask(plain(one.text))}" for one in history]
    before = within(said[::-1], tokens)[::-1] if tokens else []
    wording = Wording("restate", Restated, LIMIT)
    answer = pen.ask(wording.prompt({"conversation before": "\n".join(before), "message": message}, pen.new_mark()), Restated)
    text = " ".join(answer.question.split()) if answer else ""
    if not text or not says_nothing_new(text, [*before, message]):
        return heard
    vectors = means.embed([*prepare(text).rows])
    if means.guard.incoming(prepare(text), vectors, heard.code).action is not None and heard.verdict.action is None:
        return heard  # the model made something of it that would be refused; what the visitor wrote was not
    return replace(
        heard, question=Question(text, leans_on=question.leans_on), vectors={name: of_all[:1] for name, of_all in vectors.items()}
    )


def says_nothing_new(text: str, said: Sequence[str]) -> bool:
    """Whether every number and address of a text was said, and most of its telling words."""
    whole = "\n".join(said)
    lower = whole.casefold()
    if len(text) > MOST_CHARACTERS or any(literal.casefold().strip(".,:/-") not in lower for literal in LITERAL.findall(text)):
        return False
    told = stems(text)
    return bool(told) and len(told & stems(whole)) >= OF_THEIR_OWN * len(told)
