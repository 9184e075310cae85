"""The choices that a chat model holds to fit, the best first; without its help all of them stand as they were found."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel, Field

from assistant.conversation import Choice
from assistant.looking import Seen
from assistant.means import Means
from assistant.pen import Pen
from assistant.prompting import Wording
from assistant.replying import Drafted
from knowledge.passages import plain

FIRST_CHARACTERS = 240  # of an article that the model sees beside its title
LIMIT = 120  # tokens of its answer


class Fitting(BaseModel):
    """What the model answers."""

    articles: list[str] = Field(default_factory=list, max_length=20)


def chosen(pen: Pen, means: Means, seen: Seen, offered: Drafted) -> Drafted:
    """The same draft with its choices in the model's order, without those it leaves out; the titles are never its own."""
    if len(offered.choices) < 2:  # noqa: PLR2004 - one cannot be ordered
        return offered
    labelled = {f"A{number}": choice for number, choice in enumerate(offered.choices, start=1)}
    material = {
        "articles": "\n".join(f"[{label}] {choice.title}: {_beginning(seen, choice.article_id)}" for label, choice in labelled.items()),
        "message": means.mask(seen.question.text),
    }
    answer = pen.ask(Wording("choices", Fitting, LIMIT).prompt(material, pen.new_mark()), Fitting)
    kept = _named(answer, labelled) if answer else []
    return replace(offered, choices=tuple(kept)) if kept else offered


def _named(answer: Fitting, labelled: Mapping[str, Choice]) -> list[Choice]:
    return [labelled[label] for label in dict.fromkeys(name.strip(" []") for name in answer.articles) if label in labelled]


def _beginning(seen: Seen, article_id: str) -> str:
    places = seen.places.get(article_id) or ()
    return plain(places[0].passage.text)[:FIRST_CHARACTERS].replace("\n", " ") if places else ""
