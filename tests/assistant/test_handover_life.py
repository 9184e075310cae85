"""Whatever visitors and agents do, doubled and out of order: never two who answer, never nobody, never a handover that loops."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule, run_state_machine_as_test
from sqlalchemy import select

from api.bootstrap import Service
from assistant import conversation, handover, reception
from assistant.handover import AgentReply
from assistant.tables import Conversation, ConversationId, Holder, Message, Role, Turn, TurnState
from escalation import linking, tickets
from escalation.tables import Ticket, TicketState
from escalation.tickets import AlreadyOpen, IllegalMove, StaleVersion
from knowledge.confidence import Band
from tests.builders import Clock, article, begin, decided, publish, running_in, say_to

REFUSED = (IllegalMove, StaleVersion, AlreadyOpen)
TEXTS = st.sampled_from(
    [
        "refund",
        "and on mobile?",
        "I want to talk to a human please",
        "thanks!",
        "It is STILL broken!!!",
        "Kann ich mit einem Menschen sprechen?",
    ]
)
STATES = st.sampled_from([None, TicketState.IN_DIAGNOSIS, TicketState.WAITING_CUSTOMER, TicketState.RESOLVED])


class Handover(RuleBasedStateMachine):
    """Several conversations, messages with ids of their own, agents who act on what they saw a while ago."""

    service: Service
    clock: Clock
    conversations = Bundle("conversations")
    posted = Bundle("posted")
    seen = Bundle("seen")

    def __init__(self) -> None:
        super().__init__()
        self.mine: list[ConversationId] = []
        self.count = 0
        self.spoken: dict[ConversationId, tuple[str, int]] = {}

    @initialize(target=conversations)
    def first(self) -> Any:
        return self.arrives()

    @rule(target=conversations)
    def arrives(self) -> Any:
        if len(self.mine) >= 4:
            return multiple()
        started = begin(self.service).id
        self.mine.append(started)
        return started

    @rule(target=posted, to=conversations, text=TEXTS)
    def says(self, to: ConversationId, text: str) -> tuple[ConversationId, str, str, int]:
        self.count += 1
        name = f"m{self.count}"
        self.clock.move(1)
        reply = say_to(self.service, to, text, name)
        return to, text, name, reply.id

    @rule(again=posted)
    def says_again(self, again: tuple[ConversationId, str, str, int]) -> None:
        to, text, name, reply = again
        assert say_to(self.service, to, text, name).id == reply

    @rule(to=conversations)
    def presses_the_button(self, to: ConversationId) -> None:
        reception.call_person(self.service.assistant, to, {"email": "ada@example.org"}, now=self.clock.move(1))

    @rule(to=conversations, yes=st.booleans())
    def tells_whether_it_is_solved(self, to: ConversationId, yes: bool) -> None:
        self._try(lambda session: handover.solved(session, conversation.locked(session, to), yes=yes, now=self.clock.move(1)))

    @rule(days=st.sampled_from([1, 8]))
    def time_passes(self, days: int) -> None:
        self.clock.move(days * 86_400)

    @rule(target=seen, of=conversations)
    def an_agent_looks(self, of: ConversationId) -> Any:
        with self.service.database.read() as session:
            ticket = tickets.of_conversation(session, of) or handover.last_ticket(session, session.get_one(Conversation, of))
            return (ticket.id, ticket.version) if ticket else multiple()

    @rule(of=seen, then=STATES)
    def an_agent_answers(self, of: tuple[str, int], then: TicketState | None) -> None:
        reply = AgentReply("Hello", "kim", "Kim", then)
        self._try(lambda s: handover.answer(s, tickets.get(s, of[0]), reply, now=self.clock.move(1), expected_version=of[1]))

    @rule(of=seen, to=st.sampled_from(TicketState))
    def an_agent_moves(self, of: tuple[str, int], to: TicketState) -> None:
        self._try(lambda s: handover.move(s, tickets.get(s, of[0]), to, by="kim", now=self.clock.move(1), expected_version=of[1]))

    @rule(of=conversations, then=STATES)
    def an_agent_answers_what_is_there(self, of: ConversationId, then: TicketState | None) -> None:
        reply = AgentReply("Hello", "kim", "Kim", then)

        def answer(session: Any) -> None:
            if ticket := tickets.of_conversation(session, of):
                handover.answer(session, ticket, reply, now=self.clock.move(1), expected_version=ticket.version)

        self._try(answer)

    @rule(of=conversations)
    def an_agent_resolves_and_closes(self, of: ConversationId) -> None:
        self.an_agent_answers_what_is_there(of, TicketState.RESOLVED)

        def close(session: Any) -> None:
            if ticket := tickets.of_conversation(session, of):
                handover.move(session, ticket, TicketState.CLOSED, by="kim", now=self.clock.move(1), expected_version=ticket.version)

        self._try(close)

    @rule(one=consumes(seen), into=seen)
    def an_agent_merges(self, one: tuple[str, int], into: tuple[str, int]) -> None:
        self._try(
            lambda s: handover.merge(
                s,
                tickets.get(s, one[0]),
                tickets.get(s, into[0]),
                by="kim",
                now=self.clock.move(1),
                expected_version=one[1],
                into_version=into[1],
            )
        )

    @rule(one=seen, incident=seen)
    def an_agent_links(self, one: tuple[str, int], incident: tuple[str, int]) -> None:
        self._try(
            lambda s: linking.link(
                s, tickets.get(s, one[0]), tickets.get(s, incident[0]), by="kim", now=self.clock.move(1), expected_version=one[1]
            )
        )

    def _try(self, do: Callable[[Any], object]) -> None:
        """What a raised verb leaves behind is thrown away with its transaction, as the door does."""
        try:
            with self.service.database.write() as session:
                do(session)
        except REFUSED:
            pass

    @invariant()
    def somebody_holds_it_and_only_one(self) -> None:
        with self.service.database.read() as session:
            for id_ in self.mine:
                held = session.get_one(Conversation, id_)
                living = tickets.of_conversation(session, id_)
                assert (held.holder == Holder.PERSON) == (living is not None)

    @invariant()
    def the_assistant_is_silent_while_a_person_holds_it(self) -> None:
        """Not a word more as long as a ticket holds the conversation; a new ticket's own message is the last one said."""
        with self.service.database.read() as session:
            for id_ in self.mine:
                living = tickets.of_conversation(session, id_)
                spoken = [m for m in conversation.messages_after(session, id_, 0, 1000) if m.role == Role.ASSISTANT]
                before = self.spoken.pop(id_, None)
                if living is None:
                    continue
                self.spoken[id_] = (living.id, len(spoken))
                if before is not None and before[0] == living.id:
                    assert before[1] == len(spoken)
                elif living.conversation_id == id_ and living.reopened_at is None:
                    assert "handover" in spoken[-1].content

    @invariant()
    def every_ticket_is_told_once_and_every_message_answered_once(self) -> None:
        with self.service.database.read() as session:
            messages = session.scalars(select(Message).where(Message.conversation_id.in_(self.mine))).all()
            told = [message.content["handover"]["number"] for message in messages if "handover" in message.content]
            opened = session.scalars(select(Ticket.number).where(Ticket.conversation_id.in_(self.mine))).all()
            assert sorted(told) == sorted(opened)
            turns = session.scalars(select(Turn).where(Turn.conversation_id.in_(self.mine))).all()
            assert all(turn.state == TurnState.DONE for turn in turns)


def run(folder: Path, prepared: Path, examples: int, steps: int) -> None:
    clock = Clock()
    folder.mkdir()
    shutil.copy(prepared, folder)
    with running_in(folder, clock) as service:
        publish(service, article())
        machine = type("Machine", (Handover,), {"service": decided(service, Band.ANSWER), "clock": clock})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck), database=None
            ),
        )


def test_somebody_always_has_the_conversation_and_never_two(tmp_path: Path, prepared_sqlite: Path) -> None:
    run(tmp_path / "data", prepared_sqlite, 60, 50)


@pytest.mark.slow
def test_somebody_always_has_the_conversation_and_never_two_in_full(tmp_path: Path, prepared_sqlite: Path) -> None:
    run(tmp_path / "data", prepared_sqlite, 1000, 80)
