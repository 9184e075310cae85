"""What a chat model does for agents and writers: checked like an answer, marked, and nothing is sent or stored by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from api.bootstrap import Service
from assistant import briefing
from assistant.aiding import Aid, aid
from assistant.chat_model import ModelTrouble, Trouble
from assistant.drafting import suggestion_writer
from assistant.stand_ins import Line, ScriptedModel
from assistant.tables import Message
from escalation.tables import Ticket
from knowledge.confidence import Band
from tests.assistant.test_writing import answer, stock, with_model
from tests.builders import begin, running_in, say_to

SAID = "My refund of plan Gold fails with error E-4711 in Firefox. I want a person. Mail me at ada@lovelace.example"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_in(tmp_path_factory.mktemp("aided") / "data") as service:
        yield stock(service)


def values(**found: str) -> dict[str, Any]:
    names = ("goal", "symptom", "error", "device", "browser", "os", "app_version", "account", "role", "plan")
    return dict.fromkeys(names, "") | found


def summary(*sentences: str, of: str = "M1") -> dict[str, Any]:
    return {"sentences": [{"text": text, "passages": [of]} for text in sentences]}


def helped(stocked: Service, *lines: Line) -> tuple[Aid | None, ScriptedModel]:
    """What the model does for the ticket of a visitor who called a person."""
    held = begin(stocked)
    say_to(stocked, held.id, SAID)
    service, model = with_model(stocked, *lines, band=Band.ANSWER)
    with service.database.read() as session:
        ticket = session.scalars(select(Ticket).where(Ticket.conversation_id == held.id)).one()
        ticket.browser, ticket.plan, ticket.error_texts = None, None, []
        messages = list(session.scalars(select(Message).where(Message.conversation_id == held.id).order_by(Message.id)))
        request = briefing.request_of(ticket, messages)
        count = session.scalar(select(func.count()).select_from(Message))
        session.expunge_all()
    found = aid(service.assistant, ticket, messages, request)
    with service.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == count
    return found, model


def test_a_summary_holds_only_what_the_messages_say_and_values_stand_there_letter_by_letter(stocked: Service) -> None:
    found, model = helped(
        stocked,
        summary("The refund of plan Gold fails with error E-4711.", "They threaten with a lawyer."),
        values(error="E-4711", browser="Firefox", plan="Platinum", os="Windows"),
        answer("Press Refund in Billing for a refund."),
    )
    assert found is not None
    assert found.summary == ("The refund of plan Gold fails with error E-4711.",)
    assert found.fields == {"error": "E-4711", "browser": "Firefox"}
    assert (found.reply, [source.title for source in found.sources]) == ("Press Refund in Billing for a refund.", ["Ask for a refund"])
    assert [prompt.name for prompt in model.prompts] == ["briefing", "fields", "reply"]
    assert not any("ada@" in prompt.material for prompt in model.prompts)


@pytest.mark.parametrize("line", [ModelTrouble(Trouble.UNREACHABLE), "{}", "nonsense", summary("They bought 17 lawyers.")])
def test_an_agent_without_help_sees_what_they_saw_before(stocked: Service, line: Line) -> None:
    found, _ = helped(stocked, line)
    assert found is None


def test_a_suggestion_is_written_only_from_its_sources(stocked: Service) -> None:
    def written(*sentences: str) -> list[tuple[str, list[int]]]:
        rows = [{"text": text, "passages": ["P1"]} for text in sentences]
        service, _ = with_model(stocked, {"kind": "answer", "sentences": rows, "question": "", "missing": ""})
        assert service.assistant.writer is not None
        write = suggestion_writer(service.assistant.writer, service.assistant.means)
        found = write(["How do I get a refund?"], ["Open Billing and press Refund. It takes 5 days."], "en")
        return [(text, list(places)) for text, places in found]

    assert written("Open Billing and press Refund.", "It takes 3 days.") == [("Open Billing and press Refund.", [0])]
    assert written("It takes 3 days.") == []
