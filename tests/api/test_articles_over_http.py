"""Articles for programs: only with a key, strict, and the very next answer knows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api import identity
from api.bootstrap import Service
from api.tables import ApiKey
from assistant.conversation import hash_secret
from knowledge.confidence import Band
from knowledge.publishing import Origin
from tests.builders import (
    START,
    Visitor,
    article,
    client_of,
    decided,
    find,
    firstline,
    in_line,
    is_problem,
    publish,
    running_in,
    stored_bytes,
    together,
)

KEY = "fl_a-key-of-the-tests"
REFUND = {
    "source": "handbook",
    "external_id": "billing/refunds",
    "title": "Ask for a refund",
    "body": "1. Open **Billing**.\n2. Press **Refund**.",
}


def let_in(service: Service, client: TestClient, key: str = KEY) -> TestClient:
    with service.database.write() as session:
        identity.create_key(session, name="tests", secret=key, key_id=service.new_id(), now=START)
    client.headers["Authorization"] = f"Bearer {key}"
    return client


@pytest.fixture
def program(service_on_both: Service) -> TestClient:
    return let_in(service_on_both, client_of(service_on_both))


@pytest.fixture(scope="module")
def keyholder(lasting: Service) -> TestClient:
    """A program of the lasting service."""
    return let_in(lasting, client_of(lasting), "fl_another-key")


def put(client: TestClient, **changes: Any) -> Any:
    return client.put("/api/articles", json={**REFUND, **changes})


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────

CALLS: list[Callable[[TestClient], Any]] = [
    lambda c: c.get("/api/articles"),
    lambda c: c.get(f"/api/articles/{'0' * 32}"),
    lambda c: c.put("/api/articles", json=REFUND),
    lambda c: c.delete(f"/api/articles/{'0' * 32}"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", KEY, f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {hash_secret(KEY)}"])
def test_without_a_key_no_article_is_touched(lasting: Service, call: Callable[[TestClient], Any], header: str | None) -> None:
    stranger = client_of(lasting)
    if header is not None:
        stranger.headers["Authorization"] = header
    assert is_problem(call(stranger), 401)


def test_a_visitors_secret_is_no_key_and_a_key_no_visitors_secret(program: TestClient) -> None:
    visitor = Visitor.arrives(program)
    assert is_problem(program.get("/api/articles", headers=visitor.headers), 401)
    assert is_problem(program.get(visitor.url), 401)


def test_a_key_is_made_listed_and_revoked_and_only_its_hash_is_kept(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = firstline(data, "keys", "create", "the importer")
    key = made.stdout.strip()
    assert (made.returncode, key.startswith("fl_"), len(key) >= 46) == (0, True, True)
    assert key.encode() not in stored_bytes(data)
    assert hash_secret(key).encode() in stored_bytes(data)
    with running_in(data) as service:
        client = client_of(service)
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.get("/api/articles").status_code == 200
        listed = firstline(data, "keys", "list").stdout
        assert "the importer" in listed
        assert "in use" in listed
        assert key not in listed
        with service.database.read() as session:
            id_ = session.scalars(select(ApiKey.id)).one()
        assert firstline(data, "keys", "revoke", id_).stdout == "revoked the importer\n"
        assert is_problem(client.get("/api/articles"), 401)
        assert "revoked" in firstline(data, "keys", "list").stdout
    unknown = firstline(data, "keys", "revoke", "nosuch")
    assert (unknown.returncode, unknown.stderr) == (2, "firstline: there is no key nosuch\n")


# ── upsert, read, list, delete ──────────────────────────────────────────────────────────────────────


def test_an_article_is_new_then_unchanged_then_changed(program: TestClient, service_on_both: Service) -> None:
    first, second, third = put(program), put(program), put(program, body="Write to us.")
    assert [(r.status_code, r.json()["change"]) for r in (first, second, third)] == [(201, "new"), (200, "unchanged"), (200, "changed")]
    assert len({r.json()["article_id"] for r in (first, second, third)}) == 1
    stored = program.get(f"/api/articles/{first.json()['article_id']}").json()
    assert (stored["body"], stored["revision"], stored["state"], stored["external_id"]) == (
        "Write to us.",
        2,
        "published",
        "billing/refunds",
    )
    assert in_line(service_on_both)


def test_the_next_answer_uses_what_was_put_and_not_what_was_deleted(service: Service) -> None:
    ready = decided(service, Band.ANSWER)
    program, visitor = let_in(service, client_of(ready)), Visitor.arrives(client_of(ready))
    id_ = put(program).json()["article_id"]
    assert "Press **Refund**" in visitor.say("ask for a refund").json()["text"]
    put(program, body="Write to the captain.")
    assert visitor.say("ask for a refund").json()["text"].startswith("Write to the captain.")
    assert program.delete(f"/api/articles/{id_}").status_code == 204
    reply = visitor.say("ask for a refund").json()
    assert reply["outcome"] == "unanswered_not_covered"
    assert "captain" not in reply["text"]


def test_a_faq_is_put_with_its_wordings(program: TestClient, service_on_both: Service) -> None:
    put(program, kind="faq", title="How long is the trial?", body="14 days.", wordings=["Probezeit"])
    assert find(service_on_both, "Probezeit") == ["How long is the trial?"]


def test_what_a_person_edited_is_not_overwritten(program: TestClient, service_on_both: Service) -> None:
    put(program)
    by_hand = Origin("handbook", "Ada", by_hand=True)
    publish(service_on_both, article("billing/refunds", body="Edited here."), origin=by_hand)
    assert is_problem(put(program, body="Something else."), 409)


def test_of_two_programs_putting_the_same_article_at_once_none_breaks(program: TestClient, service_on_both: Service) -> None:
    responses = together(8, lambda n: put(program, body=f"Version {n}."))
    assert {r.status_code for r in responses} <= {200, 201, 409}
    assert [r.status_code for r in responses].count(201) == 1
    assert in_line(service_on_both)


def test_articles_are_listed_page_by_page(program: TestClient) -> None:
    ids = {put(program, external_id=f"a{n}").json()["article_id"] for n in range(7)}
    seen: list[str] = []
    after = ""
    while after is not None:
        page = program.get("/api/articles", params={"after": after, "limit": 3}).json()
        assert len(page["articles"]) <= 3
        seen += [row["id"] for row in page["articles"]]
        after = page["next"]
    assert (sorted(ids), seen) == (seen, sorted(seen))


@pytest.mark.parametrize("id_", ["0" * 32, "nosuch", "é", "%00", "%F0%9F%92%A9", "a" * 3000, "';--"])
def test_an_unknown_article_is_not_found(program: TestClient, id_: str) -> None:
    assert is_problem(program.get(f"/api/articles/{id_}"), 404)
    assert is_problem(program.delete(f"/api/articles/{id_}"), 404)


WRONG: dict[str, dict[str, Any]] = {
    "an empty title": {"title": ""},
    "a blank title": {"title": " "},
    "an empty body": {"body": ""},
    "a body beyond the limit": {"body": "x" * 262_145},
    "a number as title": {"title": 5},
    "an unknown kind": {"kind": "page"},
    "an unknown field": {"state": "published"},
    "another's id": {"id": "0" * 32},
    "a script as address": {"url": "javascript:alert(1)"},
    "a relative address": {"url": "/help"},
    "a long language": {"language": "english"},
    "no source": {"source": ""},
    "a source of two lines": {"source": "a\nb"},
    "NUL in a name": {"external_id": "a\x00"},
    "a string as tags": {"tags": "a"},
    "too many tags": {"tags": ["a"] * 51},
    "an empty wording": {"wordings": [""]},
    "null as body": {"body": None},
    "half a character": {"title": "\ud800"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_an_article_that_cannot_be_taken_is_refused(keyholder: TestClient, changes: dict[str, Any]) -> None:
    before = keyholder.get("/api/articles").json()
    content = json.dumps({**REFUND, **changes})
    response = keyholder.put("/api/articles", content=content, headers={"Content-Type": "application/json"})
    assert is_problem(response, 422)
    assert keyholder.get("/api/articles").json() == before


@pytest.mark.parametrize("missing", REFUND)
def test_an_article_needs_source_name_title_and_body(keyholder: TestClient, missing: str) -> None:
    body = {name: value for name, value in REFUND.items() if name != missing}
    assert is_problem(keyholder.put("/api/articles", json=body), 422)


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": "0" * 33}, {"limit": 0}, {"limit": 201}, {"limit": "x"}])
def test_lists_are_read_within_bounds(keyholder: TestClient, query: dict[str, Any]) -> None:
    assert is_problem(keyholder.get("/api/articles", params=query), 422)


def test_what_the_limits_allow_can_be_stored(program: TestClient) -> None:
    largest = {
        "source": "s" * 80,
        "external_id": "é" * 300,
        "title": "😀" * 500,
        "section": "x" * 200,
        "summary": "x" * 2000,
        "url": "https://example.org/" + "x" * 1980,
        "tags": ["t" * 80] * 50,
        "wordings": ["w" * 500] * 20,
    }
    response = put(program, **largest)
    assert response.status_code == 201
    stored = program.get(f"/api/articles/{response.json()['article_id']}").json()
    assert {name: stored[name] for name in largest} == largest


# ── the way in for the command line ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["publish", "prune", "reindex", "ask", "explain"])
def test_only_the_token_of_the_owner_file_opens_the_inner_door(keyholder: TestClient, name: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        assert is_problem(keyholder.post(f"/internal/{name}", json={}, headers=headers), 401)
