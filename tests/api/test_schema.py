"""The interface as it is documented: every answer has a documented status, type and shape, whatever is sent (Schemathesis)."""

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import identity
from api.app import create
from api.bootstrap import Service
from api.staff.door import LOOPBACK_COOKIE
from api.tables import StaffRole
from knowledge.confidence import Band
from tests.api.staffing import Colleague
from tests.builders import START, article, client_of, decided, faq, is_problem, publish, running_in

KEY = "fl_the-key-of-schemathesis"
FOR_STAFF = ("/api/desk", "/api/library")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def open_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that takes requests as fast as they come, with a key and a conversation."""
    with running_in(
        tmp_path_factory.mktemp("schema") / "data", requests_per_minute=100_000, conversations_per_hour=100_000, messages_per_minute=10_000
    ) as service:
        publish(service, article(), faq())
        with service.database.write() as session:
            identity.create_key(session, name="tests", secret=KEY, key_id=service.new_id(), now=START)
        yield decided(service, Band.ANSWER)


@pytest.fixture(scope="module")
def api(open_service: Service) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", create(open_service))


def holds(case: Any, service: Service) -> None:
    """Send a case as a stranger, as a visitor with a conversation, or as a program with a key; check what comes back."""
    if case.path.startswith("/api/library"):
        case.call_and_validate(
            base_url="http://localhost", checks=CHECKS, headers=writer_headers(service) if len(str(case.body)) % 5 != 4 else {}
        )
        return
    if case.path.startswith(FOR_STAFF):
        case.call_and_validate(
            base_url="http://localhost", checks=CHECKS, headers=desk_headers(service) if len(str(case.body)) % 5 != 4 else {}
        )
        return
    started = conversation_for(service, next(COUNT) // RENEWED)
    ids = dict(case.path_parameters or {})
    if "conversation_id" in ids and len(str(ids["conversation_id"])) % 3:
        case.path_parameters = {**ids, "conversation_id": started["id"]}
    key = KEY if case.path.startswith("/api/articles") else started["secret"]
    stranger = len(str(case.body)) % 5 == 4
    case.call_and_validate(checks=CHECKS, headers={} if stranger else {"Authorization": f"Bearer {key}"})


COUNT, RENEWED = count(), 20  # a conversation takes so many cases, then comes a fresh one: starting one takes as long as a case


@lru_cache(maxsize=1)
def conversation_for(service: Service, number: int) -> dict[str, str]:
    """A visitor's conversation and its secret."""
    started: dict[str, str] = client_for(service).post("/api/conversations", json={}).json()
    return started


@cache
def client_for(service: Service) -> Any:
    """One client for all cases: making the app takes longer than any answer."""
    return client_of(service)


@cache
def desk_headers(service: Service) -> dict[str, str]:
    """The proof of somebody of the desk, whose first ticket is number 1."""
    colleague = Colleague.arrives(service)
    client_for(service).post("/api/forms/contact", json={"client_id": "c" * 20, "goal": "Export a dashboard"})
    return {"Cookie": f"{LOOPBACK_COOKIE}={colleague.new.token}", "X-CSRF-Token": colleague.new.csrf}


@cache
def writer_headers(service: Service) -> dict[str, str]:
    """The proof of a writer."""
    colleague = Colleague.arrives(service, StaffRole.WRITER)
    return {"Cookie": f"{LOOPBACK_COOKIE}={colleague.new.token}", "X-CSRF-Token": colleague.new.csrf}


def walk(api: Any, service: Service, examples: int) -> None:
    """Send so many valid and so many broken cases to every operation."""
    for result in api.get_all_operations():
        operation = result.ok()
        if operation.path.endswith("/events"):
            continue  # they never end; tests/api/test_visitors_tickets.py and test_desk.py read them
        few = examples // 4 if operation.path.startswith(FOR_STAFF) else examples
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
                continue

            @settings(
                max_examples=few,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.generate],
                database=None,
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                holds(case, service)

            send()


def test_every_answer_is_as_documented(api: Any, open_service: Service) -> None:
    walk(api, open_service, 40)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_one_of_very_many_answers_is_as_documented(api: Any, open_service: Service) -> None:
    walk(api, open_service, 400)


def test_every_error_is_documented_as_a_problem(client: Any) -> None:
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert list(response.get("content", {})) == ["application/problem+json"], (path, method, status)


def test_every_shape_that_comes_in_refuses_unknown_fields(client: Any) -> None:
    document = client.get("/openapi.json").json()
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for methods in document["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]
    assert bodies
    assert [name for name in bodies if document["components"]["schemas"][name].get("additionalProperties") is not False] == []


def test_what_asks_for_a_token_says_so(client: Any) -> None:
    document = client.get("/openapi.json").json()
    closed = [
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation.get("security") == [{"bearer": []}]
    ]
    assert {path for path, _ in closed} >= {"/api/articles", "/api/conversations/{conversation_id}/messages"}
    for path, method in closed:
        url = path.replace("{conversation_id}", "x").replace("{message_id}", "1").replace("{article_id}", "x")
        bodies = {"feedback": {"helpful": True}, "solved": {"solved": True}, "handover": {}, "details": {}}
        body = bodies.get(url.rpartition("/")[2], {"text": "x"})
        if method in {"get", "delete"}:
            assert is_problem(client.request(method, url), 401)
        elif "articles" not in url:
            assert is_problem(client.request(method, url, json=body), 401)


def test_no_address_takes_a_token(client: Any) -> None:
    document = client.get("/openapi.json").json()
    names = {p["name"].lower() for methods in document["paths"].values() for o in methods.values() for p in o.get("parameters", [])}
    assert names.isdisjoint({"token", "secret", "key", "api_key", "authorization", "password"})
