"""Grades the whole assistant on our own examples over the sample help centre: every row is a real turn in a fresh conversation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select

from api.settings import Settings
from assistant import conversation
from assistant.conversation import Incoming, StillRunning
from assistant.question import Said, restate
from assistant.tables import ConversationId, Message, Outcome, Role, Turn
from assistant.turn import take_turn
from assistant.wording import shipped
from evals import held_out
from evals.folders import BrokenSet, checked_rows
from evals.laboratory import Laboratory, laboratory
from evals.metrics import rank_of_gold
from evals.results import Measure, SetResult, known
from evals.scorers import share
from guardrails.checks.personal_data import redact_secrets
from knowledge.articles import ArticleText
from knowledge.language import detect
from knowledge.sources import folder
from knowledge.sources.reading import Failure

SAMPLE = Path(__file__).parent.parent / "knowledge" / "sample"
EXAMPLES = Path(__file__).parent / "examples"
SHOWN = 10
NEEDED: Mapping[str, type] = {"id": str, "text": str, "gold": list}
SPEAKERS = {"user": Role.VISITOR, "assistant": Role.ASSISTANT}
ENGLISH = "english"


class Grade(StrEnum):
    """How a turn ended, seen from what would have been right."""

    RIGHT = "answered_right"
    WRONG = "answered_wrong"
    OFFERED = "offered_gold"
    OFFERED_OTHER = "offered_other"
    DECLINED = "declined"


@dataclass(frozen=True)
class Example:
    """A question a visitor might ask, and the articles that answer it: slugs, or faq:ID; none when nothing does."""

    id: str
    text: str
    kind: str
    gold: frozenset[str]
    answerable: bool
    history: tuple[Said, ...] = ()
    english: str = ""


@dataclass(frozen=True)
class Ended:
    """One example's turn: where the gold stood in the search, and what was cited and offered, by their names."""

    example: Example
    rank: int | None
    outcome: Outcome
    cited: tuple[str, ...]
    offered: tuple[str, ...]
    probability: float

    @property
    def grade(self) -> Grade:
        """Right only when the first source is a gold one."""
        gold = self.example.gold
        if self.cited:
            return Grade.RIGHT if self.example.answerable and self.cited[0] in gold else Grade.WRONG
        if self.offered:
            return Grade.OFFERED if gold & set(self.offered) else Grade.OFFERED_OTHER
        return Grade.DECLINED


@dataclass(frozen=True)
class Centre:
    """The sample help centre in a running service; `names` has each article's gold name by the service's id."""

    lab: Laboratory
    names: Mapping[str, str]

    def take(self, example: Example, text: str) -> Ended:
        """One turn in a conversation of its own, after the example's history."""
        service = self.lab.service
        conversation_id = self._conversation(example)
        reply = take_turn(service.assistant, conversation_id, Incoming(redact_secrets(text).text), now=service.now())
        if isinstance(reply, StillRunning):
            raise TypeError("a fresh conversation cannot have a running turn")
        sources, choices = reply.content["sources"], reply.content["choices"]
        ranked = self._ranked(example, text)
        return Ended(
            example,
            rank_of_gold(ranked, example.gold),
            Outcome(reply.content["outcome"]),
            tuple(self.names[source["article_id"]] for source in sources),
            tuple(self.names[choice["article_id"]] for choice in choices),
            self._probability(reply),
        )

    def _conversation(self, example: Example) -> ConversationId:
        service = self.lab.service
        with service.database.write() as session:
            started = conversation.start(session, secret=service.new_id(), locale="en", new_id=service.new_id, now=service.now())
            session.flush()
            for said in example.history:
                session.add(Message(conversation_id=started.id, role=said.role, text=said.text, content={}, at=service.now()))
            return started.id

    def _ranked(self, example: Example, text: str) -> list[str]:
        """The search's ranking of articles for the question as the turn restates it."""
        question = restate(example.history, text).text
        library = self.lab.service.library
        found = library.find(question, self.lab.embed([question]), language=shipped(detect(text) or "en"), limit=SHOWN)
        return [self.names[article] for article, _ in found.explanation.articles[:SHOWN]]

    def _probability(self, reply: Message) -> float:
        with self.lab.service.database.read() as session:
            return session.scalar(select(Turn.probability).where(Turn.reply_id == reply.id)) or 0.0


def grade(file: Path, settings: Settings, cache: Path, tell: Callable[[str], None], sample: Path = SAMPLE) -> SetResult:
    """All measures of one file of our own examples. Raise BrokenSet."""
    examples = read(file)
    fitted, note = held_out.fit_without(file.stem, settings.knowledge)
    with laboratory(settings, cache) as lab:
        lab.judge_by(fitted)
        centre = open_centre(lab, sample)
        _refuse_unknown(file, examples, set(centre.names.values()))
        tell(f"own/{file.stem}: {len(examples)} turns")
        ended = [centre.take(example, example.text) for example in examples]
        originals = [centre.take(example, example.english) for example in examples if example.english]
    found = measures(ended)
    for kind in dict.fromkeys(example.kind for example in examples):
        part = measures([e for e in ended if e.example.kind == kind])
        found |= {f"{name}@{kind}": measure for name, measure in part.items()}
    found |= {f"{name}@{ENGLISH}": measure for name, measure in measures(originals).items()}
    return SetResult(f"own/{file.stem}", found, (note,), misses=tuple(_misses(ended)))


def open_centre(lab: Laboratory, sample: Path) -> Centre:
    """Publish the sample help centre. Raise BrokenSet when a file of it cannot be read."""
    readings = list(folder.read(sample))
    if failures := [str(reading) for reading in readings if isinstance(reading, Failure)]:
        raise BrokenSet(f"{sample}: {'; '.join(failures[:3])}")
    texts = [reading for reading in readings if isinstance(reading, ArticleText)]
    ids = lab.publish(texts, "sample")
    return Centre(lab, {article: _gold_name(external_id) for external_id, article in ids.items()})


def read(file: Path) -> list[Example]:
    """The examples of a file. Raise BrokenSet naming file and line."""
    found = [_example(row) for _, row in checked_rows(file, NEEDED)]
    if not found:
        raise BrokenSet(f"{file}: is empty")
    return found


def measures(ended: Sequence[Ended]) -> dict[str, Measure]:
    """Search and outcome of these turns; shares of answerable ones unless the name says otherwise."""
    answerable = [e for e in ended if e.example.answerable]
    uncovered = [e for e in ended if not e.example.answerable]
    answered = [e for e in ended if e.cited]
    ranks = [e.rank for e in answerable]
    rows = [
        *((f"hit@{k}", share(rank is not None and rank < k for rank in ranks)) for k in (1, 5)),
        *((grade.value, share(e.grade is grade for e in answerable)) for grade in Grade),
        ("wrong_among_answered", share(e.grade is Grade.WRONG for e in answered)),
        ("uncovered_not_answered", share(not e.cited for e in uncovered)),
        ("uncovered_offered", share(bool(e.offered) for e in uncovered)),
    ]
    return known(rows)


def _example(row: Mapping[str, Any]) -> Example:
    history = tuple(Said(SPEAKERS.get(turn["role"], Role.ASSISTANT), turn["text"]) for turn in row.get("history") or ())
    return Example(
        id=row["id"],
        text=row["text"],
        kind=row.get("kind") or f"lang={row.get('lang', 'en')}",
        gold=frozenset(row["gold"]),
        answerable=bool(row.get("answerable", True)),
        history=history,
        english=row.get("english") or "",
    )


def _gold_name(external_id: str) -> str:
    """How the examples call an article: the name of its file, or faq:ID for a row of faqs.csv."""
    file, _, row = external_id.partition("#")
    return f"faq:{row}" if row else PurePosixPath(file).stem


def _refuse_unknown(file: Path, examples: Sequence[Example], names: set[str]) -> None:
    for example in examples:
        if unknown := example.gold - names:
            raise BrokenSet(f"{file}: {example.id}: there is no article {', '.join(sorted(unknown))} in the sample centre")


def _misses(ended: Sequence[Ended]) -> list[str]:
    """Turns that ended otherwise than they should, the worst kind first."""
    wrong = [e for e in ended if e.grade is Grade.WRONG]
    lost = [e for e in ended if e.example.answerable and e.grade in {Grade.DECLINED, Grade.OFFERED_OTHER}]
    return [_told(e) for e in sorted(wrong, key=lambda e: -e.probability) + lost]


def _told(ended: Ended) -> str:
    example = ended.example
    gave = ", ".join(ended.cited or ended.offered) or "nothing"
    wanted = ", ".join(sorted(example.gold)) or "nothing"
    how = f"{ended.grade} p={ended.probability:.2f} rank={ended.rank}"
    return f"{example.id} {example.kind} {how} {example.text[:120]!r}: gave {gave}; wanted {wanted}"
