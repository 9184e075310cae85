"""A server killed again and again while visitors call people and send forms: what was acknowledged is there, once."""

import random
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.database import Database
from assistant.tables import Conversation, Holder, Message
from escalation import tickets
from escalation.tables import Ticket
from tests.builders import serving, wait_until

VISITORS = 4
LIMITS = {
    "FIRSTLINE_CONVERSATIONS_PER_HOUR": "100000",
    "FIRSTLINE_MESSAGES_PER_MINUTE": "10000",
    "FIRSTLINE_REQUESTS_PER_MINUTE": "100000",
}


@dataclass
class Told:
    """What the server has acknowledged: messages by conversation, and tickets by what was asked for."""

    messages: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    forms: dict[str, int] = field(default_factory=dict)


def visit(url: str, name: str, told: Told, stop: threading.Event) -> None:
    """Ask, call a person, write to them, send a form; everything with an id, as the widget does. Ends when the server does."""
    with httpx.Client(base_url=url, timeout=10) as client, suppress(httpx.HTTPError):
        for number in range(10_000):
            if stop.is_set():
                return
            started = client.post("/api/conversations", json={}).json()
            headers = {"Authorization": f"Bearer {started['secret']}"}
            base = f"/api/conversations/{started['id']}"
            kept = told.messages.setdefault(started["id"], [])
            for text in ("My export fails with E42", "I want to talk to a human please", "It is Firefox 120"):
                body = {"text": f"{text} {name} {number}", "client_message_id": text}
                if client.post(f"{base}/messages", json=body, headers=headers).status_code == 200:
                    kept.append(body["text"])
            called = client.post(f"{base}/handover", json={}, headers=headers)
            if called.status_code == 200:
                told.calls[started["id"]] = called.json()["handover"]["number"]
            form = {"client_id": f"{name}-{number:020}", "goal": "Export a dashboard"}
            for _ in range(2):
                sent = client.post("/api/forms/contact", json=form)
                if sent.status_code == 201:
                    told.forms[form["client_id"]] = sent.json()["ticket"]["number"]


def check(database: Database, told: Told) -> None:
    """Every acknowledged message and ticket stands in the database; numbers have no gaps; the holder fits."""
    with database.read() as session:
        numbers = sorted(session.scalars(select(Ticket.number)))
        assert numbers == list(range(1, len(numbers) + 1))
        for conversation_id, texts in told.messages.items():
            stored = list(session.scalars(select(Message.text).where(Message.conversation_id == conversation_id)))
            assert all(stored.count(text) == 1 for text in texts)
        for conversation_id, number in told.calls.items():
            ticket = tickets.of_conversation(session, conversation_id)
            assert ticket is not None
            assert ticket.number == number
        assert len(set(told.forms.values())) == len(told.forms)
        assert set(told.forms.values()) <= set(numbers)
        for held in session.scalars(select(Conversation)):
            assert (held.holder == Holder.PERSON) == (tickets.of_conversation(session, held.id) is not None)


def killed(data: Path, rounds: int, chance: random.Random, **settings: str) -> Told:
    told = Told()
    for number in range(rounds):
        with serving(data, **LIMITS, **settings) as server:
            stop = threading.Event()
            names = [f"r{number}v{n}" for n in range(VISITORS)]
            visitors = [threading.Thread(target=visit, args=(server.url, name, told, stop)) for name in names]
            for visitor in visitors:
                visitor.start()
            if number == 0:
                wait_until(lambda: bool(told.forms), 60)  # the first round gets somewhere, however slow the machine is
            stop.wait(chance.uniform(0.1, 2.0))
            server.process.send_signal(signal.SIGKILL)
            stop.set()
            for visitor in visitors:
                visitor.join()
    return told


def run(tmp_path: Path, rounds: int, url: str, settings: dict[str, str], check_each: Callable[[Database, Told], None] = check) -> None:
    told = killed(tmp_path / "data", rounds, random.Random(7), **settings)
    database = Database(url)
    check_each(database, told)
    database.close()
    assert told.calls
    assert told.forms


def test_a_killed_server_loses_no_acknowledged_ticket(tmp_path: Path) -> None:
    run(tmp_path, 2, f"sqlite:///{tmp_path / 'data' / 'firstline.db'}", {})


@pytest.mark.slow
def test_twenty_kills_lose_no_acknowledged_ticket(tmp_path: Path) -> None:
    run(tmp_path, 20, f"sqlite:///{tmp_path / 'data' / 'firstline.db'}", {})


@pytest.mark.slow
@pytest.mark.postgres
def test_twenty_kills_lose_no_acknowledged_ticket_on_postgres(tmp_path: Path, postgres_url: Any) -> None:
    run(tmp_path, 20, postgres_url, {"FIRSTLINE_DATABASE_URL": postgres_url})
