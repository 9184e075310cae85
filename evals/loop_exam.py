"""Plays the whole knowledge loop on banking77: visitors ask, agents answer what is missing, the loop suggests, a scripted writer accepts.

57 of the 77 intents have a FAQ of ours. Visitors ask one half of the test split; what is measured is the other half.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from api.settings import Settings
from assistant import conversation, handover, signs
from assistant.conversation import Incoming
from assistant.handover import AgentReply
from assistant.learning import learn
from assistant.reception import call_person
from assistant.tables import Holder, Message
from assistant.turn import take_turn
from escalation import tickets
from escalation.tables import TicketState
from evals.datasets import EXAMPLES, Query, rows
from evals.laboratory import Laboratory, laboratory
from evals.retrieval_exam import Reader
from knowledge import deciding, suggestions
from knowledge.articles import ArticleText
from knowledge.deciding import Decision
from knowledge.loop_tables import Gap, RejectReason, Suggestion, SuggestionKind, SuggestionState
from knowledge.suggestions import Rejection
from knowledge.tables import ArticleKind

MISSING, DRAWS = 20, 5
ASKING = 12  # visitors per intent who ask; three of the missing ones' tickets are answered, each with another reply
WRITER = "a scripted writer"
GONE = signs.QUIET + timedelta(minutes=1)  # the loop runs when those who were offered choices and picked none have gone


@dataclass(frozen=True)
class Outcomes:
    """Shares of the unseen half: the right FAQ answered or offered; answered; another answered; wrong among the answered."""

    resolved: float
    answered: float
    wrong: float
    wrong_among: float


@dataclass(frozen=True)
class Played:
    """One draw: the missing intents before and after, the others' right answers before and after, what was suggested.

    `foreign` is the share of the questions in the groups of all suggested FAQs that ask something else than most of their group;
    `impure` counts the groups where that is more than a tenth.
    """

    before: Outcomes
    after: Outcomes
    others_before: float
    others_after: float
    found: int
    accepted: int
    wrong_suggestions: int
    foreign: float
    impure: int


@dataclass(frozen=True)
class Bank:
    """The set: the FAQs and replies of the invented bank, and both halves of the test split by intent."""

    faqs: Mapping[str, dict[str, Any]]
    replies: Mapping[str, Sequence[str]]
    asked: Mapping[str, Sequence[str]]
    unseen: Mapping[str, Sequence[str]]


def bank(file: Path) -> Bank:
    """Read it; the halves alternate in the order of the file."""
    by_intent: dict[str, list[str]] = {}
    for row in rows(file):
        if row["split"] == "test":
            by_intent.setdefault(row["intent"], []).append(row["text"])
    faqs = {row["intent"]: row for row in rows(EXAMPLES / "banking77_faqs.jsonl")}
    replies = {row["intent"]: row["replies"] for row in rows(EXAMPLES / "banking77_replies.jsonl")}
    return Bank(faqs, replies, {i: said[::2] for i, said in by_intent.items()}, {i: said[1::2] for i, said in by_intent.items()})


def play(data: Bank, seed: int, settings: Settings, cache: Path, tell: Callable[[str], None]) -> Played:
    """One seeded draw of the missing intents."""
    missing = sorted(random.Random(seed).sample(sorted(data.faqs), MISSING))  # noqa: S311 - a seeded draw, no secret
    with laboratory(settings, cache) as lab:
        texts = [_faq(row) for intent, row in sorted(data.faqs.items()) if intent not in missing]
        names = {article: intent for intent, article in lab.publish(texts).items()}
        before = _measured(lab, data, names)
        tell(f"draw {seed}: visitors ask")
        labels = _visited(lab, data, names)
        learned = learn(lab.service.assistant, settings.knowledge, now=lab.service.now() + GONE, rebuild=True)
        tell(f"draw {seed}: {len(learned.suggested)} suggested; not: {json.dumps(dict(learned.not_ready))}")
        foreign, impure = _purity(lab, labels)
        for line in traced(lab, labels, missing, learned.held):
            tell(line)
        accepted, wrong = _written(lab, labels, missing)
        lab.service.library.refresh()
        after = _measured(lab, data, {**names, **accepted})
    lacking = [intent in missing for intent, _ in _questions(data)]
    lacked = [_outcomes([r for r, lack in zip(results, lacking, strict=True) if lack]) for results in (before, after)]
    others = [_outcomes([r for r, lack in zip(results, lacking, strict=True) if not lack]).answered for results in (before, after)]
    found = len(set(accepted.values()) & set(missing))
    return Played(lacked[0], lacked[1], others[0], others[1], found, len(accepted), wrong, foreign, impure)


def traced(lab: Laboratory, labels: Mapping[str, str], missing: Sequence[str], held: Mapping[str, str]) -> list[str]:
    """What became of each missing intent: its open questions, the group that has most of them, and what came of that group."""
    with lab.service.database.read() as session:
        asked = [(labels.get(gap.conversation_id, ""), gap.group_id) for gap in session.scalars(select(Gap))]
        made: dict[str | None, list[str]] = {}
        for row in session.scalars(select(Suggestion)):
            twins = [f"{one['of']} “{one['title']}” {one['score']}" for one in row.similar if one["duplicate"]]
            made.setdefault(row.group_id, []).append(f"{row.kind} “{row.title}” {'; '.join(twins)}")
    sizes = Counter(group for _, group in asked)
    lines = [f"{len(asked)} open questions, {sum(intent in missing for intent, _ in asked)} of them of missing intents"]
    for intent in missing:
        groups = Counter(group for of, group in asked if of == intent)
        told = []
        for group, count in groups.most_common(3):
            others = Counter(of for of, other in asked if other == group and of != intent).most_common(2)
            fate = made.get(group) or [held.get(str(group), "fewer than three people")]
            told.append(f"{count} of {sizes[group]} {others or ''}: {'; '.join(fate)}")
        lines.append(f"  {intent}: {groups.total()} open | " + " | ".join(told))
    return lines


def _faq(row: Mapping[str, Any]) -> ArticleText:
    return ArticleText(row["intent"], row["question"], row["answer"], kind=ArticleKind.FAQ)


def _questions(data: Bank) -> list[tuple[str, str]]:
    return [(intent, text) for intent, said in sorted(data.unseen.items()) for text in said]


def _measured(lab: Laboratory, data: Bank, names: Mapping[str, str]) -> list[str]:
    """For each unseen question: right or wrong when answered, offered when the right FAQ is among the choices, else none."""
    reader = Reader(lab, names)
    results = []
    questions = _questions(data)
    lab.embed([text for _, text in questions])
    for intent, text in questions:
        asked = reader.ask(text, Query(text, text, frozenset({intent}), answerable=True), ())
        if asked.cited:
            results.append("right" if asked.cited[0] == intent else "wrong")
        else:
            results.append("offered" if intent in asked.offered[:3] else "none")
    return results


def _outcomes(results: Sequence[str]) -> Outcomes:
    counts, n = Counter(results), max(len(results), 1)
    answered = counts["right"] + counts["wrong"]
    return Outcomes((counts["right"] + counts["offered"]) / n, counts["right"] / n, counts["wrong"] / n, counts["wrong"] / max(answered, 1))


def _visited(lab: Laboratory, data: Bank, names: Mapping[str, str]) -> dict[str, str]:
    """Let visitors ask, agents answer and thumbs fall; the intent of each conversation."""
    labels: dict[str, str] = {}
    have = set(names.values())
    for intent, said in sorted(data.asked.items()):
        replies = iter([] if intent in have else data.replies[intent])
        for text in said[:ASKING]:
            labels[_visit(lab, text, intent, names, next(replies, None))] = intent
    return labels


def _visit(lab: Laboratory, text: str, intent: str, names: Mapping[str, str], told: str | None) -> str:
    """One visitor: asks, picks the right choice, gives a thumb, and is answered by an agent where one does."""
    service = lab.service
    with service.database.write() as session:
        started = conversation.start(session, secret=service.new_id(), locale="en", new_id=service.new_id, now=service.now())
    reply = take_turn(service.assistant, started.id, Incoming(text), now=service.now())
    assert isinstance(reply, Message)  # noqa: S101 - nobody else asks in this conversation
    picked = [choice["article_id"] for choice in reply.content.get("choices", ()) if names.get(choice["article_id"]) == intent]
    if picked:
        reply = take_turn(service.assistant, started.id, Incoming(text, None, picked[0]), now=service.now())
        assert isinstance(reply, Message)  # noqa: S101
    sources = reply.content.get("sources") or []
    with service.database.write() as session:
        if sources and reply.role == "assistant":
            right = names.get(sources[0]["article_id"]) == intent
            conversation.rate(session, started.id, reply.id, helpful=right, reason="", now=service.now())
    if told is not None:
        _answered(lab, started.id, told)
    return str(started.id)


def _answered(lab: Laboratory, conversation_id: Any, told: str) -> None:
    service = lab.service
    with service.database.read() as session:
        held = conversation.locked(session, conversation_id).holder == Holder.PERSON
    if not held:
        call_person(service.assistant, conversation_id, {}, now=service.now())
    with service.database.write() as session:
        ticket = tickets.of_conversation(session, conversation_id)
        assert ticket is not None  # noqa: S101 - a person was called
        reply = AgentReply(told, "an agent", "An agent", TicketState.RESOLVED)
        handover.answer(session, ticket, reply, now=service.now(), expected_version=ticket.version)


def _purity(lab: Laboratory, labels: Mapping[str, str]) -> tuple[float, int]:
    """Of the questions in groups of suggested FAQs the share that asks something else, and how many groups have over a tenth of them."""
    with lab.service.database.read() as session:
        new = [row for row in suggestions.listed(session, limit=1000) if row.kind == SuggestionKind.NEW]
        groups = [Counter(labels.get(gap.conversation_id, "") for gap in deciding.asked_by(session, row, 1000)) for row in new]
    strangers = [counts.total() - counts.most_common(1)[0][1] for counts in groups if counts]
    sizes = [counts.total() for counts in groups if counts]
    impure = sum(10 * strange > size for strange, size in zip(strangers, sizes, strict=True))
    return sum(strangers) / max(sum(sizes), 1), impure


def _written(lab: Laboratory, labels: Mapping[str, str], missing: Sequence[str]) -> tuple[dict[str, str], int]:
    """Accept what passes the checks: a new FAQ with every sentence supported; one that says what another new one says is merged into it.

    By article its intent, and how many are wrong. The intent is what most of its questions ask. Wrong: most ask what a FAQ answers
    already, no more than half ask the same, it is the second one for the same intent, or it was merged into one of another intent.
    """
    accepted: dict[str, str] = {}
    became: dict[str, str] = {}
    wrong = 0
    while True:
        with lab.service.database.read() as session:
            row = next(iter(suggestions.listed(session, limit=1)), None)
            if row is None:
                return accepted, wrong
            asked = Counter(labels.get(gap.conversation_id, "") for gap in deciding.asked_by(session, row, 1000))
        intent, count = asked.most_common(1)[0] if asked else ("", 0)
        twin = next((one for one in row.similar if one["duplicate"]), None)
        if row.kind != SuggestionKind.NEW or deciding.unsupported(row) or (twin and twin["of"] == "article"):
            with lab.service.database.write() as session:
                why = Rejection(RejectReason.ALREADY_ANSWERED)
                suggestions.reject(session, row.id, why, by=WRITER, expected_version=row.version, now=lab.service.now())
        elif twin:
            wrong += not _merged(lab, row, became.get(twin["id"]), twin["id"], accepted, intent)
        else:
            wrong += intent not in missing or count <= asked.total() / 2 or intent in accepted.values()
            done = deciding.accept(lab.service.library, row.id, Decision(WRITER, row.version), now=lab.service.now())
            became[row.id] = str(done.article_id)
            accepted[str(done.article_id)] = intent
        lab.service.library.refresh()


def _merged(lab: Laboratory, row: Suggestion, article: str | None, twin: str, accepted: Mapping[str, str], intent: str) -> bool:
    """Merge a suggestion into its twin, or into the FAQ that came of it; whether both are about the same."""
    if article is not None:
        deciding.merge_into(lab.service.library, row.id, article, Decision(WRITER, row.version), now=lab.service.now())
        return accepted[article] == intent
    with lab.service.database.write() as session:
        where = suggestions.get(session, twin)
        if where.state == SuggestionState.PENDING:
            suggestions.merge_into_suggestion(session, row.id, twin, by=WRITER, expected_version=row.version, now=lab.service.now())
        else:
            why = Rejection(RejectReason.ALREADY_ANSWERED)
            suggestions.reject(session, row.id, why, by=WRITER, expected_version=row.version, now=lab.service.now())
    return True
