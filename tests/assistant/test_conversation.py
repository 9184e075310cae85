"""A message is received once and answered once, whoever sends it how often; what is kept holds no secrets."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api.database import Database
from assistant import conversation
from assistant.conversation import (
    AlreadyAnswered,
    Incoming,
    NoSuchConversation,
    NoSuchMessage,
    Received,
    Reply,
    SameIdOtherText,
    StillRunning,
    hash_secret,
)
from assistant.question import Said
from assistant.tables import Conversation, ConversationId, Feedback, Holder, Message, Outcome, Role, Turn, TurnState
from assistant.wording import LANGUAGES, say
from tests.builders import Clock, Counted, together

LEASE = timedelta(seconds=30)
REPLY = Reply("Open Billing.", Outcome.ANSWERED_QUOTED, "en", probability=0.9, question="refund?")


class Desk:
    """The verbs of a conversation, each in a transaction of its own, as the turn uses them."""

    def __init__(self, database: Database, clock: Clock, new_id: Counted) -> None:
        self.database, self.clock, self.new_id = database, clock, new_id

    def start(self, secret: str = "s", locale: str = "en") -> ConversationId:
        with self.database.write() as session:
            return conversation.start(session, secret=secret, locale=locale, new_id=self.new_id, now=self.clock()).id

    def receive(self, to: ConversationId, text: str, name: str | None = None, *, history: int = 6, **more: Any) -> Any:
        with self.database.write() as session:
            return conversation.receive(
                session, to, Incoming(text, name, **more), new_id=self.new_id, lease=LEASE, history=history, now=self.clock()
            )

    def reply(self, received: Received, answer: Reply = REPLY) -> Message:
        with self.database.write() as session:
            return conversation.reply(session, received, answer, now=self.clock())

    def count(self, table: type) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def desk(database: Database, clock: Clock, counted: Counted) -> Desk:
    return Desk(database, clock, counted)


def test_only_the_hash_of_a_secret_is_stored(desk: Desk) -> None:
    id_ = desk.start("the secret")
    with desk.database.read() as session:
        stored = session.get_one(Conversation, id_)
        assert stored.secret_hash == hash_secret("the secret")
        assert "the secret" not in repr(vars(stored))
        assert conversation.by_secret(session, "the secret").id == id_
        with pytest.raises(NoSuchConversation):
            conversation.by_secret(session, "another")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_message_says_that_the_visitor_talks_to_an_ai(desk: Desk, language: str) -> None:
    id_ = desk.start(locale=f"{language}-XX")
    with desk.database.write() as session:
        message = conversation.notice(session, session.get_one(Conversation, id_), "Tallyboard", now=desk.clock())
    assert message.text == say("ai_notice", language, product="Tallyboard")
    assert "AI" in message.text or "KI" in message.text or "IA" in message.text
    assert "Tallyboard" in message.text


def test_a_new_message_is_to_be_answered_with_what_came_before(desk: Desk) -> None:
    id_ = desk.start()
    desk.reply(desk.receive(id_, "How do I get a refund?"))
    received = desk.receive(id_, "and on mobile?")
    assert received.history == (Said(Role.VISITOR, "How do I get a refund?"), Said(Role.ASSISTANT, "Open Billing."))
    assert (received.text, received.holder, received.attempt) == ("and on mobile?", Holder.ASSISTANT, 1)


def test_the_history_is_the_latest_messages_oldest_first(desk: Desk) -> None:
    id_ = desk.start()
    for number in range(5):
        desk.reply(desk.receive(id_, f"question {number}"))
    received = desk.receive(id_, "last", history=3)
    assert [said.text for said in received.history] == ["Open Billing.", "question 4", "Open Billing."]
    assert desk.receive(id_, "again", history=0).history == ()


def test_no_message_of_another_conversation_is_in_the_history(desk: Desk) -> None:
    one, other = desk.start("a"), desk.start("b")
    desk.reply(desk.receive(one, "mine"))
    assert desk.receive(other, "yours").history == ()


def test_the_same_id_and_text_gets_the_same_reply(desk: Desk) -> None:
    id_ = desk.start()
    stored = desk.reply(desk.receive(id_, "refund?", "m1"))
    again = desk.receive(id_, "refund?", "m1")
    assert isinstance(again, AlreadyAnswered)
    assert again.reply.id == stored.id
    assert desk.count(Message) == 2


def test_a_message_that_is_being_answered_is_not_answered_twice(desk: Desk) -> None:
    id_ = desk.start()
    desk.receive(id_, "refund?", "m1")
    assert desk.receive(id_, "refund?", "m1") == StillRunning(desk.clock() + LEASE)
    assert desk.count(Message) == 1


def test_a_turn_that_was_killed_runs_again_when_its_lease_is_over(desk: Desk) -> None:
    id_ = desk.start()
    first = desk.receive(id_, "refund?", "m1")
    desk.clock.move(29.9)
    assert isinstance(desk.receive(id_, "refund?", "m1"), StillRunning)
    desk.clock.move(0.1)
    second = desk.receive(id_, "refund?", "m1")
    assert isinstance(second, Received)
    assert (second.message_id, second.turn_id, second.attempt) == (first.message_id, first.turn_id, 2)
    assert isinstance(desk.receive(id_, "refund?", "m1"), StillRunning)


def test_of_a_slow_turn_and_its_second_run_the_first_reply_counts(desk: Desk) -> None:
    id_ = desk.start()
    slow = desk.receive(id_, "refund?", "m1")
    desk.clock.move(31)
    second = desk.receive(id_, "refund?", "m1")
    stored = desk.reply(second, REPLY)
    late = desk.reply(slow, Reply("Too late.", Outcome.ANSWERED_QUOTED, "en"))
    assert late.id == stored.id
    assert desk.count(Message) == 2


def test_two_runs_that_end_at_the_same_moment_leave_one_reply(desk: Desk) -> None:
    for number in range(5):
        id_ = desk.start(f"s{number}")
        runs = [desk.receive(id_, "refund?", "m1")]
        desk.clock.move(31)
        runs.append(desk.receive(id_, "refund?", "m1"))
        replies = together(2, lambda n, runs=runs: desk.reply(runs[n]).id)
        assert replies[0] == replies[1]
    assert desk.count(Message) == 10


def test_the_same_id_with_another_text_is_a_mistake(desk: Desk) -> None:
    id_ = desk.start()
    desk.receive(id_, "refund?", "m1")
    with pytest.raises(SameIdOtherText):
        desk.receive(id_, "invoice?", "m1")
    assert desk.count(Message) == 1


def test_an_id_means_nothing_in_another_conversation(desk: Desk) -> None:
    one, other = desk.start("a"), desk.start("b")
    desk.receive(one, "refund?", "m1")
    assert isinstance(desk.receive(other, "invoice?", "m1"), Received)


def test_messages_without_an_id_are_never_twins(desk: Desk) -> None:
    id_ = desk.start()
    assert [desk.receive(id_, "refund?").message_id for _ in range(3)] == [1, 2, 3]


def test_fifty_twins_at_once_are_one_message_and_one_turn(desk: Desk) -> None:
    id_ = desk.start()
    results = together(50, lambda _: desk.receive(id_, "refund?", "m1"))
    assert sorted(type(result).__name__ for result in results) == ["Received"] + ["StillRunning"] * 49
    assert (desk.count(Message), desk.count(Turn)) == (1, 1)


def test_fifty_messages_at_once_are_all_kept(desk: Desk) -> None:
    id_ = desk.start()
    results = together(50, lambda n: desk.receive(id_, f"question {n}", f"m{n}"))
    assert {type(result) for result in results} == {Received}
    assert desk.count(Message) == 50


def test_a_conversation_that_never_was_takes_no_message(desk: Desk) -> None:
    with pytest.raises(NoSuchConversation):
        desk.receive(ConversationId("nosuch"), "refund?")


def test_a_reply_is_kept_with_how_it_came_about(desk: Desk) -> None:
    id_ = desk.start()
    received = desk.receive(id_, "refund?")
    desk.clock.move(2)
    stored = desk.reply(received)
    with desk.database.read() as session:
        turn = session.get_one(Turn, received.turn_id)
    assert (turn.state, turn.reply_id, turn.outcome, turn.probability) == (TurnState.DONE, stored.id, Outcome.ANSWERED_QUOTED, 0.9)
    assert turn.finished_at - turn.started_at == timedelta(seconds=2) if turn.finished_at else False
    assert stored.content == {"outcome": "answered_quoted", "language": "en", "sources": [], "choices": []}


def test_messages_after_an_id_come_in_order_and_only_from_this_conversation(desk: Desk) -> None:
    one, other = desk.start("a"), desk.start("b")
    for number in range(4):
        desk.receive(one, f"question {number}")
        desk.receive(other, "noise")
    with desk.database.read() as session:
        messages = conversation.messages_after(session, one, 1, 2)
    assert [m.text for m in messages] == ["question 1", "question 2"]


def test_the_last_thumb_on_a_reply_counts(desk: Desk) -> None:
    id_ = desk.start()
    stored = desk.reply(desk.receive(id_, "refund?"))
    for helpful, reason in ((False, "wrong"), (True, "")):
        with desk.database.write() as session:
            conversation.rate(session, id_, stored.id, helpful=helpful, reason=reason, now=desk.clock())
    with desk.database.read() as session:
        thumb = session.get_one(Feedback, stored.id)
    assert (thumb.helpful, thumb.reason) == (True, "")
    assert desk.count(Feedback) == 1


@pytest.mark.parametrize("which", ["own message", "another's reply", "unknown"])
def test_only_a_reply_of_this_conversation_can_be_rated(desk: Desk, which: str) -> None:
    id_, other = desk.start("a"), desk.start("b")
    received = desk.receive(id_, "refund?")
    foreign = desk.reply(desk.receive(other, "refund?"))
    message_id = {"own message": received.message_id, "another's reply": foreign.id, "unknown": 999}[which]
    with pytest.raises(NoSuchMessage), desk.database.write() as session:
        conversation.rate(session, id_, message_id, helpful=True, reason="", now=desk.clock())


def test_readers_see_a_message_only_once_it_is_committed(desk: Desk) -> None:
    id_ = desk.start()
    received, seen = threading.Event(), threading.Event()

    def slow() -> None:
        with desk.database.write() as session:
            conversation.receive(session, id_, Incoming("refund?"), new_id=desk.new_id, lease=LEASE, history=6, now=desk.clock())
            received.set()
            assert seen.wait(30)

    writer = threading.Thread(target=slow)
    writer.start()
    assert received.wait(30)
    assert desk.count(Message) == 0
    seen.set()
    writer.join()
    assert desk.count(Message) == 1
