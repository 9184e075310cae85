"""What the library has for a question, read from SQL this very moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from assistant.question import Question
from knowledge.embedding import Vectors
from knowledge.library import Library, Place
from knowledge.search import Found, Hit


@dataclass(frozen=True)
class Seen:
    """The question, what was found for it, and where that stands; `chosen` is the article the visitor picked.

    `before` is the question asked before.
    """

    question: Question
    found: Found
    places: Mapping[str, list[Place]]
    chosen: str | None
    before: str = ""

    @property
    def asked(self) -> str:
        """What is to be answered: of a title that was picked, the question that it was offered for."""
        if self.chosen is None or not self.before:
            return self.question.text
        picked = self.places[self.chosen][0].article.title.casefold() == self.question.text.partition("\n")[0].strip().casefold()
        return self.before if picked else self.question.text

    @property
    def ranked(self) -> list[Hit]:
        """What may be quoted: the picked article, or else what was found, best first."""
        if self.chosen is None:
            return list(self.found.passages)
        hits = [hit for hit in self.found.passages if hit.article_id == self.chosen]
        first = self.places[self.chosen][0]
        return hits or [Hit(self.chosen, first.passage.id, first.article.title, 1.0, {})]


@dataclass(frozen=True)
class Picked:
    """The article that the visitor picked, if any, and the question asked before."""

    choice: str | None = None
    before: str = ""


def look(session: Session, library: Library, question: Question, vectors: Mapping[str, Vectors], picked: Picked) -> Seen:
    """Search, then read the live passages of what was found; a choice that is no longer there is forgotten."""
    choice = picked.choice
    found = library.find(question.text, vectors)
    ids = dict.fromkeys(hit.article_id for hit in found.passages)
    places = library.places(session, [*ids, *([choice] if choice else [])])
    return Seen(question, found, places, choice if choice in places else None, picked.before)
