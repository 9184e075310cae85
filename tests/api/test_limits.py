"""How much and how often: each limit holds, says when to come back, and counts the right caller."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient
from starlette.types import Message as AsgiMessage

from api.app import create
from api.bootstrap import Service
from api.errors import TooMany
from api.limits import Rate
from tests.builders import Clock, Visitor, client_of, is_problem, running_in

TEN_MEBIBYTES = 10 * 1024 * 1024


def limited(tmp_path: Path, **limits: Any) -> Any:
    return running_in(tmp_path / "data", Clock(), **limits)


# ── how often ───────────────────────────────────────────────────────────────────────────────────────


def start(client: TestClient) -> Any:
    return client.post("/api/conversations", json={})


def search(client: TestClient) -> Any:
    return client.get("/api/search", params={"q": ""})


def front(client: TestClient) -> Any:
    return client.get("/")


def articles(client: TestClient) -> Any:
    return client.get("/api/articles")


@pytest.mark.parametrize(
    ("setting", "allowed", "request_it", "ok"),
    [
        ("conversations_per_hour", 3, start, 201),
        ("requests_per_minute", 4, search, 200),
        ("requests_per_minute", 4, front, 200),
        ("requests_per_minute", 4, articles, 401),
    ],
)
def test_one_address_may_do_so_much(tmp_path: Path, setting: str, allowed: int, request_it: Any, ok: int) -> None:
    with limited(tmp_path, **{setting: allowed}) as service:
        client = client_of(service)
        assert [request_it(client).status_code for _ in range(allowed)] == [ok] * allowed
        refused = request_it(client)
        assert is_problem(refused, 429)
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        assert refused.headers["retry-after"] in refused.json()["detail"]


def test_one_conversation_may_send_so_many_messages_and_another_still_may(tmp_path: Path) -> None:
    with limited(tmp_path, messages_per_minute=3) as service:
        client = client_of(service)
        loud, quiet = Visitor.arrives(client), Visitor.arrives(client)
        assert [loud.say(f"hello {n}").status_code for n in range(3)] == [200] * 3
        refused = loud.say("hello")
        assert is_problem(refused, 429)
        assert refused.headers["retry-after"]
        assert quiet.say("hello").status_code == 200
        assert len(loud.read()) == 7


def test_health_is_never_limited(tmp_path: Path) -> None:
    with limited(tmp_path, requests_per_minute=1) as service:
        client = client_of(service)
        assert [client.get("/livez").status_code for _ in range(10)] == [200] * 10


class Ticks:
    """Seconds that the test counts."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("most", "seconds"), [(1, 60.0), (3, 60.0), (60, 3600.0), (7, 10.0), (1000, 1.0)])
def test_who_waits_as_long_as_told_may_go_on_and_not_much_sooner(most: int, seconds: float) -> None:
    clock = Ticks()
    rate = Rate("things", most, seconds, clock)
    for _ in range(most):
        rate.take("a")
    with pytest.raises(TooMany) as refused:
        rate.take("a")
    rate.take("b")
    if refused.value.retry_after > 1:
        clock.now += refused.value.retry_after - 1
        with pytest.raises(TooMany) as refused:
            rate.take("a")
    clock.now += refused.value.retry_after
    rate.take("a")


def test_a_rate_refills_to_its_most_and_no_further() -> None:
    clock = Ticks()
    rate = Rate("things", 2, 10, clock)
    clock.now = 10_000
    rate.take("a")
    clock.now = 20_000
    rate.take("a")
    rate.take("a")
    with pytest.raises(TooMany):
        rate.take("a")


def test_the_number_of_remembered_callers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from api import limits

    monkeypatch.setattr(limits, "MOST_CALLERS", 100)
    rate = Rate("things", 1, 60, Ticks())
    for number in range(1000):
        rate.take(str(number))
    assert len(rate._buckets) == 100


# ── whose address ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def one_each(tmp_path: Path) -> Iterator[Service]:
    """One conversation an hour from each address; 10.0.0.0/8 are our proxies."""
    with limited(tmp_path, conversations_per_hour=1, trusted_proxies="10.0.0.0/8, ::1") as service:
        yield service


def arrivals(service: Service, *calls: tuple[str, Any]) -> list[int]:
    """The status of each call, a pair of the peer's address and X-Forwarded-For."""
    app = create(service)
    statuses = []
    for peer, forwarded in calls:
        lines = forwarded if isinstance(forwarded, list) else [forwarded] if forwarded else []
        headers = [("x-forwarded-for", line) for line in lines]
        statuses.append(TestClient(app, client=(peer, 1)).post("/api/conversations", json={}, headers=headers).status_code)
    return statuses


@pytest.mark.parametrize(
    ("calls", "statuses"),
    [
        ([("203.0.113.1", None), ("203.0.113.2", None), ("203.0.113.1", None)], [201, 201, 429]),
        # a stranger writes what he likes
        ([("203.0.113.1", "198.51.100.1"), ("203.0.113.1", "198.51.100.2")], [201, 429]),
        # a trusted proxy tells who called
        ([("10.0.0.1", "198.51.100.1"), ("10.0.0.1", "198.51.100.2"), ("10.9.9.9", "198.51.100.1")], [201, 201, 429]),
        # what the caller wrote before the proxy's own entry does not count
        ([("10.0.0.1", "1.1.1.1, 198.51.100.1"), ("10.0.0.1", "2.2.2.2, 198.51.100.1")], [201, 429]),
        # nor in a header line of its own
        ([("10.0.0.1", ["1.1.1.1", "198.51.100.1"]), ("10.0.0.1", ["2.2.2.2", "198.51.100.1"])], [201, 429]),
        # two proxies in a row
        ([("10.0.0.1", "198.51.100.1, 10.0.0.2"), ("10.0.0.1", "198.51.100.1, 10.0.0.3")], [201, 429]),
        # an IPv6 caller owns a whole /64
        ([("2001:db8::1", None), ("2001:db8::ffff", None), ("2001:db8:0:1::1", None)], [201, 429, 201]),
        # IPv4 callers of an IPv6 socket are not one network
        ([("::ffff:203.0.113.1", None), ("::ffff:203.0.113.2", None), ("203.0.113.1", None)], [201, 201, 429]),
        ([("::ffff:10.0.0.1", "198.51.100.1"), ("::1", "198.51.100.1")], [201, 429]),
        # nonsense from a proxy is a caller like any other
        ([("10.0.0.1", "nonsense"), ("10.0.0.1", "nonsense"), ("10.0.0.1", "x" * 5000)], [201, 429, 201]),
        ([("10.0.0.1", ", ,"), ("10.0.0.1", None)], [201, 429]),
    ],
)
def test_a_forwarded_address_counts_only_from_a_trusted_proxy(one_each: Service, calls: Any, statuses: list[int]) -> None:
    assert arrivals(one_each, *calls) == statuses


# ── how much ────────────────────────────────────────────────────────────────────────────────────────


def counting(chunks: int, size: int) -> Iterator[bytes]:
    yield b'{"text": "'
    for _ in range(chunks):
        yield b"x" * size


@pytest.mark.parametrize("path", ["/api/conversations", "/api/articles", "/internal/publish", "/nowhere", "/livez"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_of_ten_mebibytes_is_refused(guest: Visitor, path: str, method: str) -> None:
    body = b'{"text": "' + b"x" * TEN_MEBIBYTES + b'"}'
    assert is_problem(guest.client.request(method, path, content=body, headers={"Content-Type": "application/json"}), 413)


def test_a_body_that_does_not_tell_its_length_is_refused_too(guest: Visitor) -> None:
    response = guest.client.post("/api/conversations", content=counting(160, 65_536), headers={"Content-Type": "application/json"})
    assert is_problem(response, 413)


@pytest.mark.parametrize("length", [b"x", b"-1", b"1e3", b"99999999999999999999", "١٢".encode()])
def test_a_nonsensical_length_is_refused(lasting: Service, length: bytes) -> None:
    status, _ = asgi(lasting, [(b"content-length", length)], [b"{}"])
    assert status == 413


def test_a_body_is_refused_before_it_is_read(lasting: Service) -> None:
    status, read = asgi(lasting, [(b"content-length", str(TEN_MEBIBYTES).encode())], [b"x" * 65_536] * 160)
    assert (status, read) == (413, 0)


def test_a_body_without_length_is_read_no_further_than_the_limit(lasting: Service) -> None:
    status, read = asgi(lasting, [], [b"x" * 65_536] * 160)
    assert status == 413
    assert read <= 17


def test_a_body_that_lies_about_its_length_is_counted(lasting: Service) -> None:
    status, read = asgi(lasting, [(b"content-length", b"2")], [b"x" * 65_536] * 160)
    assert status == 413
    assert read <= 17


def asgi(service: Service, headers: list[tuple[bytes, bytes]], chunks: list[bytes]) -> tuple[int, int]:
    """The status of a raw request, and how many of its chunks were read."""
    app = create(service)
    sent: list[AsgiMessage] = []
    left = list(chunks)

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message: AsgiMessage) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/conversations",
        "raw_path": b"/api/conversations",
        "query_string": b"",
        "client": ("203.0.113.7", 1),
        "server": ("test", 80),
        "headers": [(b"content-type", b"application/json"), *headers],
    }
    anyio.run(app, scope, receive, send)
    return sent[0]["status"], len(chunks) - len(left)


def test_the_command_line_may_send_more_with_its_token_only(service: Service) -> None:
    client = client_of(service, control_token="the token")
    body = json.dumps({"texts": [], "origin": {"source": "s", "author": "a"}, "dry_run": True, "filler": "x" * 2_000_000})
    headers = {"Content-Type": "application/json"}
    assert client.post("/internal/publish", content=body, headers={**headers, "Authorization": "Bearer the token"}).json() == []
    assert is_problem(client.post("/internal/publish", content=body, headers={**headers, "Authorization": "Bearer another"}), 413)
    assert is_problem(client.post("/internal/publish", content=body, headers=headers), 413)


def test_the_operator_decides_how_much(tmp_path: Path) -> None:
    with limited(tmp_path, body_bytes=16_384) as service:
        client = client_of(service)
        assert is_problem(client.post("/api/conversations", json={"locale": "x" * 16_384}), 413)
        assert client.post("/api/conversations", json={}).status_code == 201


# ── what kind ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json-patch+json",
        "application/xml",
    ],
)
@pytest.mark.parametrize("path", ["/api/conversations", "/api/conversations/x/messages", "/internal/ask"])
def test_only_json_is_taken(guest: Visitor, kind: str, path: str) -> None:
    response = guest.client.post(path, content=b'{"locale": "en"}', headers={"Content-Type": kind} if kind else {})
    assert is_problem(response, 415)


def test_a_form_sent_as_json_is_refused(guest: Visitor) -> None:
    response = guest.client.post("/api/conversations", content=b"locale=en", headers={"Content-Type": "application/json"})
    assert is_problem(response, 422)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_written_in_any_way(guest: Visitor, kind: str) -> None:
    assert guest.client.post("/api/conversations", content=b"{}", headers={"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize(
    "payload",
    [b'{"a":' * 200_000, b"[" * 1_000_000, b'{"locale": ' + b"9" * 1_000_000 + b"}", b'"' + b"\\u0000" * 170_000 + b'"', b";" * 1_000_000],
)
def test_a_mebibyte_made_to_be_slow_is_refused_soon(guest: Visitor, payload: bytes) -> None:
    import time

    began = time.process_time()
    response = guest.client.post("/api/conversations", content=payload[: 1_048_576 - 1], headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 413, 422}
    assert is_problem(response, response.status_code)
    assert time.process_time() - began < 5  # a worse than linear reader takes minutes
