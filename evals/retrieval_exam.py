"""Grades finding and knowing when not to answer on a set of articles and questions, through the real library."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from api.settings import Settings
from assistant import replying
from assistant.answer import Manner
from assistant.looking import Picked, look
from assistant.question import Question, Said, restate
from assistant.tables import Role
from assistant.wording import shipped
from evals import answer_recall, held_out, searching
from evals.datasets import Document, Query, RetrievalSet, faq_set, retrieval_set, rows
from evals.folders import inspect_lines, inspect_retrieval
from evals.laboratory import Laboratory, laboratory
from evals.results import Measure, SetResult
from evals.scorers import Asked, by_part, curve, finding, knowing, share
from knowledge.articles import ArticleText
from knowledge.language import detect
from knowledge.library import MAIN
from knowledge.tables import ArticleKind

SHOWN = 10  # articles a ranking is graded on
FIRST = 600  # of a long set, its first questions are graded apart too
FLAGS = ("hub", "lang", "collection")  # fields of a question by which a set is also graded in parts
RESTATED = "restated"
WORDINGS = (100, 5, 1)  # of a FAQ made of an intent: all of its training wordings, several, and one
PER_INTENT, OUTSIDE = 5, 300  # questions asked of each intent, and out of scope
SPEAKERS = {"user": Role.VISITOR, "assistant": Role.ASSISTANT}


@dataclass(frozen=True)
class Reader:
    """The library with a set in it; `names` has the set's own name of each article by the library's id."""

    lab: Laboratory
    names: Mapping[str, str]

    def ask(self, question: str, query: Query, parts: tuple[str, ...]) -> Asked:
        """What a visitor would get for this question, incoming guards and small talk aside."""
        service = self.lab.service
        settings, guard = service.settings.assistant, service.assistant.guard
        spoken = shipped(detect(question) or "en")
        manner = Manner(settings.answer_words, settings.max_sources, spoken, service.assistant.link)
        with service.database.read() as session:
            seen = look(session, service.library, Question(question), self.lab.embed([question]), Picked())
        drafted = replying.draft(seen, manner, service.library.rarity)
        drafted = replying.unless_held(drafted, replying.screened(drafted, seen, guard, None), spoken)
        cited = tuple(self.names[source.article_id] for source in (drafted.draft.sources if drafted.draft else ()))
        offered = tuple(self.names[choice.article_id] for choice in drafted.choices)
        ranked = tuple(self.names[article] for article, _ in seen.found.explanation.articles[:SHOWN])
        return Asked(question, query.answerable, query.gold, ranked, seen.found.probability, cited, offered, parts)


def grade(folder: Path, settings: Settings, cache: Path, tell: Callable[[str], None]) -> SetResult:
    """All measures of one retrieval set. Raise BrokenSet when the folder cannot be read as one."""
    inspect_retrieval(folder)
    data = retrieval_set(folder)
    parts = _parts(list(rows(folder / "queries.jsonl")))
    note, asked, more = _asked(data, parts, settings, cache, tell)
    found = by_part(asked, finding) | by_part(asked, knowing) | more
    return SetResult(f"retrieval/{folder.name}", found, (note,), curve(asked), tuple(_misses(asked)))


def grade_faqs(file: Path, settings: Settings, cache: Path, tell: Callable[[str], None]) -> SetResult:
    """Finding and knowing over FAQs made of an intent set with questions out of scope: all training wordings, or the first few.

    Their answers only repeat the questions, so how they are quoted is not graded. Raise BrokenSet.
    """
    inspect_lines(file, {"text": str, "intent": str, "split": str})
    found: dict[str, Measure] = {}
    note = ""
    shown: tuple[tuple[float, float], ...] = ()
    for wordings in WORDINGS:
        data = faq_set(file, wordings=wordings, per_intent=PER_INTENT, outside=OUTSIDE)
        note, asked, _ = _asked(replace(data, name=file.stem), [()] * len(data.queries), settings, cache, tell)
        part = "" if wordings == WORDINGS[0] else f"@wordings={wordings}"
        found |= {f"{name}{part}": measure for name, measure in (finding(asked) | knowing(asked)).items()}
        shown = shown or curve(asked)
    return SetResult(f"intents/{file.stem}", found, (note,), shown)


def _asked(
    data: RetrievalSet, parts: Sequence[tuple[str, ...]], settings: Settings, cache: Path, tell: Callable[[str], None]
) -> tuple[str, list[Asked], dict[str, Measure]]:
    """By which fit, what came of each question, and the measures that need the library while it is open."""
    fitted, note = held_out.fit_without(data.name, settings.knowledge)
    with laboratory(settings, cache) as lab:
        lab.judge_by(fitted)
        tell(f"{data.name}: publishing {len(data.documents)} articles")
        ids = lab.publish([_article(document) for document in data.documents])
        reader = Reader(lab, {article: name for name, article in ids.items()})
        lab.embed([query.text for query in data.queries])
        tell(f"{data.name}: asking {len(data.queries)} questions")
        asked = [reader.ask(query.text, query, of_query) for query, of_query in zip(data.queries, parts, strict=True)]
        more = _answer_recall(data, lab, settings.assistant.answer_words)
        restated = [reader.ask(_restated(query), query, ()) for query in data.queries] if any(q.history for q in data.queries) else []
    more |= {f"{name}@{RESTATED}": measure for name, measure in (finding(restated) | knowing(restated)).items()}
    leaning = [place for place, query in enumerate(data.queries) if query.gold and _restated(query) != query.text]
    if leaning:
        more |= {f"{name}@leaning": measure for name, measure in finding([asked[place] for place in leaning]).items()}
        more |= {f"{name}@leaning_{RESTATED}": measure for name, measure in finding([restated[place] for place in leaning]).items()}
    return note, asked, more


def _answer_recall(data: RetrievalSet, lab: Laboratory, words: int) -> dict[str, Measure]:
    """How much of the known answers' words the quoted parts of the gold articles hold: the mean, and the share with enough."""
    if not any(query.answer and query.answerable for query in data.queries):
        return {}
    graded = answer_recall.grade(data, searching.bench(data, lab.service.library.encoders[MAIN], None), words)
    values = np.array([row.recall for row in graded], dtype=np.float64)
    low, high = answer_recall.interval(values, lambda drawn: drawn.mean(axis=-1))
    enough = share(value >= answer_recall.ENOUGH for value in values.tolist())
    return {"answer_recall": Measure(float(values.mean()), low, high, len(values)), "answer_recall_enough": enough}


def _article(document: Document) -> ArticleText:
    """As a source would give it; an article that is only a title has the title for its text."""
    title = document.title.strip() or document.doc_id
    text = document.text if document.text.strip() else title
    return ArticleText(
        document.doc_id, title, text, kind=ArticleKind(document.kind), language=document.language or "en", wordings=document.wordings
    )


def _parts(queries: Sequence[Mapping[str, object]]) -> list[tuple[str, ...]]:
    """Of each question: whether it is among the first of a long set, and what the set says of it by FLAGS; unsaid is false."""
    flags = [flag for flag in FLAGS if any(flag in row for row in queries)]
    named = [tuple(f"{flag}={str(row.get(flag, False)).lower()}" for flag in flags) for row in queries]
    if len(queries) <= FIRST:
        return named
    return [((f"first_{FIRST}",) if place < FIRST else ()) + names for place, names in enumerate(named)]


def _restated(query: Query) -> str:
    said = [Said(SPEAKERS.get(role, Role.ASSISTANT), text) for role, text in query.history]
    return restate(said, query.text).text


def _misses(asked: Sequence[Asked]) -> list[str]:
    """The questions answered wrongly, surest first."""
    wrong = sorted((row for row in asked if row.answered_wrong), key=lambda row: -row.probability)
    return [
        f"{row.probability:.2f}  {row.question[:160]!r} → {row.cited[0]}; right: {', '.join(sorted(row.gold)) or 'nothing'}"
        for row in wrong
    ]
