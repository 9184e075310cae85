"""The visitor's side over HTTP: a conversation, its messages exactly once, progress while waiting, and nothing of it lost or told."""

import json
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from starlette.types import Message as AsgiMessage

from api.app import create
from api.bootstrap import Service
from assistant.conversation import hash_secret
from assistant.tables import Feedback, Message
from assistant.wording import LANGUAGES, say
from knowledge.confidence import Band
from tests.builders import (
    CARD,
    Visitor,
    article,
    client_of,
    decided,
    events_of,
    faq,
    is_problem,
    publish,
    running_in,
    stored_bytes,
    together,
    wait_until,
)

HEX = "0" * 32


@pytest.fixture
def sure(service_on_both: Service) -> TestClient:
    """A client of a service that answers everything it finds."""
    publish(service_on_both, article(), article("invoices", "Download an invoice", "Open **Invoices**."), faq())
    return client_of(decided(service_on_both, Band.ANSWER))


@pytest.fixture
def visitor(sure: TestClient) -> Visitor:
    return Visitor.arrives(sure)


# ── a conversation ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_conversation_begins_with_the_notice_of_an_ai(sure: TestClient, language: str) -> None:
    (first,) = Visitor.arrives(sure, language).messages
    assert (first["role"], first["text"]) == ("assistant", say("ai_notice", language, product="Tallyboard"))


def test_every_conversation_has_its_own_secret_of_256_bits(sure: TestClient) -> None:
    secrets = {Visitor.arrives(sure).secret for _ in range(5)}
    assert len(secrets) == 5
    assert all(len(secret) >= 43 for secret in secrets)


def test_a_reply_comes_with_its_source(visitor: Visitor) -> None:
    reply = visitor.say("refund please").json()
    assert (reply["role"], reply["outcome"]) == ("assistant", "answered_quoted")
    assert reply["sources"][0]["url"] == "/help/ask-for-a-refund"
    assert "Press **Refund**" in reply["text"]


def test_messages_are_read_in_order_and_after_an_id(visitor: Visitor) -> None:
    visitor.say("refund", client_message_id="m1")
    visitor.say("invoice")
    messages = visitor.read()
    assert [m["role"] for m in messages] == ["assistant", "visitor", "assistant", "visitor", "assistant"]
    assert [m["id"] for m in messages] == sorted(m["id"] for m in messages)
    assert messages[1]["client_message_id"] == "m1"
    assert [m["id"] for m in visitor.read(after=messages[2]["id"])] == [m["id"] for m in messages[3:]]
    assert visitor.read(after=2**31 - 1) == []
    assert len(visitor.read(limit=2)) == 2


def test_the_same_id_and_text_gets_the_same_reply(visitor: Visitor) -> None:
    first, again = (visitor.say("refund", client_message_id="m1") for _ in range(2))
    assert first.json() == again.json()
    assert len(visitor.read()) == 3


def test_the_same_id_with_another_text_is_a_conflict(visitor: Visitor) -> None:
    visitor.say("refund", client_message_id="m1")
    assert is_problem(visitor.say("invoice", client_message_id="m1"), 409)


def test_fifty_posts_of_one_id_at_once_are_one_message_and_one_reply(visitor: Visitor) -> None:
    responses = together(50, lambda _: visitor.say("refund", client_message_id="m1"))
    assert {r.status_code for r in responses} <= {200, 202}
    assert len({r.json()["id"] for r in responses if r.status_code == 200}) == 1
    assert all(r.json() == {"status": "running"} and r.headers["retry-after"] for r in responses if r.status_code == 202)
    assert [m["role"] for m in visitor.read()] == ["assistant", "visitor", "assistant"]


def test_a_turn_that_fails_is_a_problem_and_the_message_is_kept(service: Service) -> None:
    def breaks() -> None:
        raise RuntimeError("secret detail")

    publish(service, article())
    visitor = Visitor.arrives(client_of(decided(service, Band.ANSWER, before_quoting=breaks)))
    response = visitor.say("refund")
    assert is_problem(response, 500)
    assert "secret detail" not in response.text
    assert visitor.read()[-1]["text"] == "refund"


def test_offered_choices_can_be_picked(service: Service) -> None:
    publish(service, article(), article("invoices", "Download an invoice", "Open **Invoices**."))
    visitor = Visitor.arrives(client_of(decided(service, Band.UNSURE)))
    offered = visitor.say("refund invoice").json()
    assert offered["outcome"] == "offered_choices"
    picked = next(choice for choice in offered["choices"] if "invoice" in choice["title"])
    reply = visitor.say(picked["title"], choice=picked["article_id"]).json()
    assert [source["article_id"] for source in reply["sources"]] == [picked["article_id"]]


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────

STRANGERS = {
    "no header": {},
    "a wrong secret": {"Authorization": "Bearer nonsense"},
    "an empty one": {"Authorization": "Bearer "},
    "another scheme": {"Authorization": "Basic Zm9vOmJhcg=="},
    "signs beyond ASCII": {"Authorization": "Bearer schlüssel".encode("latin-1")},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS.keys())
def test_without_its_secret_a_conversation_is_closed(guest: Visitor, headers: Any) -> None:
    for response in (
        guest.client.get(guest.url, headers=headers),
        guest.client.post(guest.url, headers=headers, json={"text": "refund"}),
        guest.client.post(f"{guest.url}/1/feedback", headers=headers, json={"helpful": True}),
    ):
        assert is_problem(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("id_", [HEX, "nosuch", "é", "%F0%9F%92%A9", "a" * 500, "%00", "..%2F..", "'; DROP TABLE message; --"])
def test_a_secret_opens_no_other_conversation(visitor: Visitor, id_: str) -> None:
    url = f"/api/conversations/{id_}/messages"
    assert is_problem(visitor.client.get(url, headers=visitor.headers), 404)
    if "%2F" not in id_:
        assert is_problem(visitor.client.post(url, headers=visitor.headers, json={"text": "refund"}), 404)


def test_a_foreign_conversation_looks_like_one_that_never_was(sure: TestClient) -> None:
    one, other = Visitor.arrives(sure), Visitor.arrives(sure)
    foreign = sure.get(other.url, headers=one.headers)
    unknown = sure.get(f"/api/conversations/{HEX}/messages", headers=one.headers)
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_a_secret_is_taken_from_the_header_only(guest: Visitor) -> None:
    assert is_problem(guest.client.get(guest.url, params={"token": guest.secret, "secret": guest.secret}), 401)
    guest.client.cookies.set("secret", guest.secret)
    assert is_problem(guest.client.get(guest.url), 401)


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────

REFUSED_MESSAGES: dict[str, Any] = {
    "empty": {"text": ""},
    "blank": {"text": " \n\t "},
    "nothing but control characters": {"text": "\x00\x01\x7f"},
    "4,001 characters": {"text": "x" * 4001},
    "no text": {},
    "a number": {"text": 5},
    "null": {"text": None},
    "a list": {"text": ["refund"]},
    "truth": {"text": True},
    "an extra field": {"text": "refund", "role": "assistant"},
    "an empty id": {"text": "refund", "client_message_id": ""},
    "a long id": {"text": "refund", "client_message_id": "x" * 101},
    "an id of two lines": {"text": "refund", "client_message_id": "a\nb"},
    "an id with NUL": {"text": "refund", "client_message_id": "a\x00b"},
    "a number as id": {"text": "refund", "client_message_id": 7},
    "a long choice": {"text": "refund", "choice": "x" * 33},
    "a list instead": ["refund"],
    "a string instead": "refund",
}


@pytest.mark.parametrize("body", REFUSED_MESSAGES.values(), ids=REFUSED_MESSAGES.keys())
def test_a_message_that_cannot_be_taken_is_refused_and_nothing_is_lost(guest: Visitor, body: Any) -> None:
    guest.say("refund")
    before = guest.read()
    response = guest.client.post(guest.url, json=body, headers=guest.headers)
    assert is_problem(response, 422)
    assert response.json()["errors"]
    assert guest.read() == before
    assert guest.say("invoice").status_code == 200


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"text": "a \ud800 b"}',
        rb'{"text": "\udc00"}',
        b'{"text": "\xff\xfe"}',
        b'{"text": ',
        b"",
        b"NaN",
        b'{"text": "a"}{"text": "b"}',
        b"[" * 100_000,
    ],
)
def test_what_is_not_json_text_is_refused(guest: Visitor, raw: bytes) -> None:
    response = guest.client.post(guest.url, content=raw, headers={**guest.headers, "Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert is_problem(response, response.status_code)
    assert len(guest.read()) == 1


def test_control_characters_inside_a_message_are_dropped_and_lines_stay(guest: Visitor) -> None:
    guest.say("refund\x00\x1b[31m for\tme\nplease\x7f")
    assert guest.read()[1]["text"] == "refund[31m for\tme\nplease"


def test_a_message_of_4000_characters_is_taken(guest: Visitor) -> None:
    assert guest.say("refund " + "x" * 3993).status_code == 200


def test_a_shorter_limit_of_the_operator_holds(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", message_characters=100) as service:
        visitor = Visitor.arrives(client_of(service))
        response = visitor.say("x" * 101)
        assert is_problem(response, 422)
        assert "at most 100 characters" in response.json()["detail"]


@pytest.mark.parametrize("text", ["😀" * 2000, "ﷺ" * 3000, "\u202e\u200b refund", "a" * 3999 + "é", "🏳️‍🌈 refund"])
def test_every_other_sign_is_taken(visitor: Visitor, text: str) -> None:
    assert visitor.say(text).status_code == 200
    assert visitor.read()[1]["text"] == text.strip()


@pytest.mark.parametrize("locale", ["", "x", "deutsch-viel-zu-lang", "de\n", "<b>", 5, None])
def test_a_locale_is_a_language_tag(guest: Visitor, locale: Any) -> None:
    assert is_problem(guest.client.post("/api/conversations", json={"locale": locale}), 422)


@pytest.mark.parametrize("query", [{"after": -1}, {"after": "x"}, {"after": 2**31}, {"after": 10**30}, {"limit": 0}, {"limit": 501}])
def test_messages_are_read_within_bounds(guest: Visitor, query: dict[str, Any]) -> None:
    assert is_problem(guest.client.get(guest.url, headers=guest.headers, params=query), 422)


# ── thumbs ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_thumb_with_a_reason_is_kept_and_the_last_one_counts(visitor: Visitor, service_on_both: Service) -> None:
    reply = visitor.say("refund").json()
    for body in ({"helpful": True}, {"helpful": False, "reason": f"My card is {CARD}"}):
        assert visitor.client.post(f"{visitor.url}/{reply['id']}/feedback", json=body, headers=visitor.headers).status_code == 204
    with service_on_both.database.read() as session:
        (thumb,) = session.scalars(select(Feedback))
    assert thumb.helpful is False
    assert thumb.reason.startswith("My card is ")
    assert CARD not in thumb.reason


@pytest.mark.parametrize(
    ("message_id", "status"), [("999", 404), ("2", 404), ("0", 422), ("-1", 422), ("x", 422), (str(2**31), 422), (str(10**30), 422)]
)
def test_only_a_reply_can_be_rated(guest: Visitor, message_id: str, status: int) -> None:
    guest.say("refund")
    assert is_problem(guest.client.post(f"{guest.url}/{message_id}/feedback", json={"helpful": True}, headers=guest.headers), status)


@pytest.mark.parametrize(
    "body", [{}, {"helpful": "yes"}, {"helpful": 1}, {"helpful": True, "reason": "x" * 1001}, {"helpful": True, "extra": 1}]
)
def test_a_thumb_is_up_or_down(guest: Visitor, body: Any) -> None:
    reply = guest.say("refund").json()
    assert is_problem(guest.client.post(f"{guest.url}/{reply['id']}/feedback", json=body, headers=guest.headers), 422)


# ── progress ────────────────────────────────────────────────────────────────────────────────────────

STREAM = {"Accept": "text/event-stream"}


def test_a_waiting_visitor_sees_steps_and_then_the_reply(visitor: Visitor) -> None:
    response = visitor.say("refund", STREAM)
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"
    events = events_of(response.text)
    assert [name for name, _ in events] == ["step", "step", "step", "reply"]
    assert [data["step"] for _, data in events[:3]] == ["received", "searching", "answering"]
    assert events[3][1] == visitor.read()[-1]


def test_a_stream_of_a_known_message_gives_the_same_reply(visitor: Visitor) -> None:
    first = visitor.say("refund", client_message_id="m1").json()
    events = events_of(visitor.say("refund", STREAM, client_message_id="m1").text)
    assert events[-1] == ("reply", first)


def test_a_problem_after_the_stream_began_travels_inside_it(visitor: Visitor) -> None:
    visitor.say("refund", client_message_id="m1")
    events = events_of(visitor.say("invoice", STREAM, client_message_id="m1").text)
    assert events[-1][0] == "problem"
    assert events[-1][1]["status"] == 409


def test_a_failure_inside_a_stream_tells_nothing_of_its_inside_and_is_logged(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> None:
        raise RuntimeError("secret detail")

    publish(service, article())
    visitor = Visitor.arrives(client_of(decided(service, Band.ANSWER, before_quoting=breaks)))
    response = visitor.say("refund", STREAM)
    assert events_of(response.text)[-1][1]["status"] == 500
    assert "secret detail" not in response.text
    assert "unexpected_error" in capsys.readouterr().out


def test_a_stranger_gets_no_stream(visitor: Visitor) -> None:
    response = visitor.client.post(visitor.url, json={"text": "refund"}, headers={**STREAM, "Authorization": "Bearer no"})
    assert is_problem(response, 401)


def test_a_turn_is_finished_though_nobody_listens_any_more(service: Service) -> None:
    """The visitor's program goes away after the first event; the reply is there when it comes back."""
    publish(service, article())
    go_on, done = threading.Event(), threading.Event()

    def waits() -> None:
        assert go_on.wait(30)

    ready = decided(service, Band.ANSWER, before_quoting=waits)
    app = create(ready)
    visitor = Visitor.arrives(client_of(ready))
    body = json.dumps({"text": "refund", "client_message_id": "m1"}).encode()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": visitor.url,
        "raw_path": visitor.url.encode(),
        "query_string": b"",
        "client": ("203.0.113.7", 1),
        "server": ("test", 80),
        "headers": [
            (b"content-type", b"application/json"),
            (b"accept", b"text/event-stream"),
            (b"authorization", f"Bearer {visitor.secret}".encode()),
            (b"content-length", str(len(body)).encode()),
        ],
    }


    async def talk() -> None:
        first_event = anyio.Event()
        sent = False

        async def receive() -> AsgiMessage:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": body, "more_body": False}
            await first_event.wait()
            return {"type": "http.disconnect"}

        async def send(message: AsgiMessage) -> None:
            if message["type"] == "http.response.body" and message.get("body"):
                first_event.set()

        await app(scope, receive, send)
        go_on.set()
        await anyio.to_thread.run_sync(wait_until, replied)
        done.set()

    def replied() -> bool:
        with service.database.read() as session:
            return len(session.scalars(select(Message)).all()) == 3

    anyio.run(talk)
    assert done.is_set()
    assert visitor.say("refund", client_message_id="m1").json()["outcome"] == "answered_quoted"


# ── what is kept, and where it shows ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("headers", [{}, STREAM])
def test_a_card_number_never_reaches_the_disk(tmp_path: Path, headers: dict[str, str]) -> None:
    with running_in(tmp_path / "data") as service:
        publish(service, article())
        visitor = Visitor.arrives(client_of(service))
        for number in (CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "5555 5555 5555 4444"):
            assert visitor.say(f"I paid with {number} and want a refund", headers).status_code == 200
        assert "I paid with" in visitor.read()[1]["text"]
        everything = stored_bytes(tmp_path / "data")  # while the write-ahead log is still there
    everything += stored_bytes(tmp_path / "data")
    assert b"I paid with" in everything
    for number in (CARD, CARD.replace(" ", ""), CARD.replace(" ", "-"), "5555 5555 5555 4444", "5555555555554444"):
        assert number.encode() not in everything


def test_only_hashes_of_secrets_reach_the_disk(tmp_path: Path) -> None:
    with running_in(tmp_path / "data") as service:
        visitor = Visitor.arrives(client_of(service))
        everything = stored_bytes(tmp_path / "data")
    assert hash_secret(visitor.secret).encode() in everything
    assert visitor.secret.encode() not in everything


def test_neither_secrets_nor_words_of_a_visitor_are_logged(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    from api.serving import configure_logs

    configure_logs("debug")

    def breaks() -> None:
        raise RuntimeError("it broke")

    publish(service, article())
    visitor = Visitor.arrives(client_of(decided(service, Band.ANSWER, before_quoting=breaks)))
    visitor.say("refund for my aunt Eulalia")
    visitor.say("refund for my aunt Eulalia", STREAM)
    visitor.client.get(visitor.url)
    written = "".join(capfd.readouterr())
    assert "it broke" in written
    assert visitor.secret not in written
    assert "Eulalia" not in written


# ── search as you type ──────────────────────────────────────────────────────────────────────────────


def titles(client: TestClient, words: str) -> list[str]:
    response = client.get("/api/search", params={"q": words})
    assert response.status_code == 200, response.text
    return [found["title"] for found in response.json()["articles"]]


def test_somebody_who_types_is_shown_articles(sure: TestClient) -> None:
    assert titles(sure, "inv")[0] == "Download an invoice"
    assert titles(sure, "refund")[0] == "Ask for a refund"
    assert titles(sure, "TRIAL")[0] == "How long is the trial?"


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "\x00",
        "%",
        "_",
        "\\",
        "'",
        '"',
        "%%%",
        "a" * 200,
        "😀",
        "\ud800".encode("utf-8", "replace").decode(),
        "(",
        "title:x AND",
        "*",
    ],
)
def test_whatever_is_typed_is_only_words(sure: TestClient, words: str) -> None:
    assert isinstance(titles(sure, words), list)


@pytest.mark.parametrize("words", ["%", "_", "\\"])
def test_a_wildcard_matches_only_itself(service: Service, words: str) -> None:
    publish(service, article("a", "Plain", "x"), article("b", f"With {words} inside", "x"))
    assert titles(client_of(service), words)[0] == f"With {words} inside"


def test_a_query_has_bounds(guest: Visitor) -> None:
    assert is_problem(guest.client.get("/api/search", params={"q": "a" * 201}), 422)
    assert is_problem(guest.client.get("/api/search"), 422)
