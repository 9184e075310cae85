"""Whether the process lives is told at once, whatever it does; whether it can take a message is asked of the database."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import make_url, text

from api.bootstrap import Service, running
from api.database import Database
from tests.builders import article, client_of, is_problem, publish, serving, settings_in, wait_until


def test_a_service_that_works_lives_and_is_ready(service_on_both: Service) -> None:
    client = client_of(service_on_both)
    assert client.get("/livez").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def drop_tables(service: Service) -> None:
    with service.database.write() as session:
        session.execute(text("DROP TABLE index_state"))


def read_only(service: Service) -> None:
    with service.database.engine.connect() as connection:
        connection.exec_driver_sql(
            "PRAGMA query_only = ON" if "sqlite" in service.database.url else "SET default_transaction_read_only = on"
        )
        connection.commit()


@pytest.mark.parametrize("break_it", [drop_tables, read_only])
def test_a_service_without_a_working_database_lives_and_is_not_ready(service_on_both: Service, break_it: Callable[[Service], None]) -> None:
    break_it(service_on_both)
    client = client_of(service_on_both)
    assert is_problem(client.get("/readyz"), 503)
    assert client.get("/livez").status_code == 200


def test_a_database_that_does_not_answer_in_time_is_not_ready(service: Service) -> None:
    """Another process holds the write lock; SQLite would wait for it for twenty seconds."""
    other = Database(service.database.url)
    client = client_of(service)
    with other.write() as session:
        session.execute(text("UPDATE index_state SET version = version"))
        began = time.monotonic()
        assert is_problem(client.get("/readyz"), 503)
        assert time.monotonic() - began < 4
        assert client.get("/livez").status_code == 200
    other.close()
    wait_until(lambda: client.get("/readyz").status_code == 200)


def test_a_postgres_that_is_gone_is_503_everywhere_and_back_when_it_is_back(
    tmp_path: Path, postgres_server: Any, postgres_url: str
) -> None:
    with running(settings_in(tmp_path / "data", database_url=postgres_url)) as service:
        client = client_of(service)
        name = make_url(postgres_url).database
        postgres_server.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        postgres_server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert is_problem(client.get("/readyz"), 503)
        refused = client.post("/api/conversations", json={})
        assert is_problem(refused, 503)
        assert refused.headers["retry-after"]
        assert client.get("/livez").status_code == 200
        postgres_server.run(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert client.get("/readyz").status_code == 200
        assert client.post("/api/conversations", json={}).status_code == 201


def test_a_server_with_45_open_streams_says_at_once_that_it_lives(tmp_path: Path) -> None:
    """The streams wait for turns that wait for the database, whose write lock this test holds."""
    data = tmp_path / "data"
    with (
        serving(data, FIRSTLINE_CONVERSATIONS_PER_HOUR="1000", FIRSTLINE_REQUESTS_PER_MINUTE="10000") as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):
        visitors = [client.post("/api/conversations", json={}).json() for _ in range(45)]
        lock = Database(f"sqlite:///{data / 'firstline.db'}")
        opened = threading.Semaphore(0)
        ended: list[str] = []

        def listen(visitor: dict[str, Any]) -> None:
            headers = {"Authorization": f"Bearer {visitor['secret']}", "Accept": "text/event-stream"}
            url = f"{served.url}/api/conversations/{visitor['id']}/messages"
            with httpx.stream("POST", url, json={"text": "hello"}, headers=headers, timeout=60) as response:
                for line in response.iter_lines():
                    if line == "event: step":
                        opened.release()
                    if line == "event: reply":
                        ended.append(visitor["id"])

        threads = [threading.Thread(target=listen, args=(visitor,)) for visitor in visitors]
        with lock.write() as session:
            session.execute(text("UPDATE index_state SET version = version"))
            for thread in threads:
                thread.start()
            for _ in visitors:
                assert opened.acquire(timeout=30)
            began = time.monotonic()
            assert client.get("/livez").status_code == 200
            assert time.monotonic() - began < 1
        for thread in threads:
            thread.join()
        lock.close()
        assert sorted(ended) == sorted(visitor["id"] for visitor in visitors)


def test_an_unknown_error_tells_nothing(service: Service) -> None:
    publish(service, article())
    drop_tables(service)
    response = client_of(service).get("/api/search", params={"q": "refund"})
    assert response.status_code in {500, 503}
    assert is_problem(response, response.status_code)
    assert "index_state" not in response.text


def test_livez_is_fast(client: TestClient) -> None:
    client.get("/livez")
    took = []
    for _ in range(20):
        began = time.perf_counter()
        client.get("/livez")
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
