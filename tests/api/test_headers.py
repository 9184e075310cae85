"""Security headers: every answer has exactly those of its class, whatever it says."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api import headers
from api.app import create
from api.bootstrap import Service
from api.headers import API, ASSET, DEMO, LOADER, PICTURE, PUBLIC, STAFF, class_of
from tests.api.staffing import PAGE, Colleague, browser_of
from tests.builders import article, publish

SECURITY = {
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "access-control-allow-origin",
    "strict-transport-security",
}


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    publish(service, article())
    with TestClient(create(service), raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def security_of(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items() if name.lower() in SECURITY}


def lowered(wanted: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in wanted.items() if name.lower() in SECURITY}


@pytest.mark.parametrize(
    ("method", "path", "wanted"),
    [
        ("GET", "/livez", API),
        ("GET", "/readyz", API),
        ("GET", "/openapi.json", API),
        ("GET", "/api/search?q=refund", API),
        ("GET", "/api/articles", API),  # 401
        ("PUT", "/api/articles", API),  # 415
        ("POST", "/api/conversations", API),  # 415
        ("GET", "/widget/config", API),
        ("GET", "/widget/articles/nothing", API),  # 404
        ("POST", "/internal/reindex", API),  # 415
        ("GET", "/nowhere/at/all", API),  # 404
        ("POST", "/", API),  # 405
        ("GET", "/help/x%00", API),
        ("GET", "/staff/account", API),  # 401, for a program
        ("GET", "/", PUBLIC),
        ("GET", "/help", PUBLIC),
        ("GET", "/help/nothing", PUBLIC),  # 404
        ("GET", "/faq", PUBLIC),
        ("GET", "/search?q=refund", PUBLIC),
        ("GET", "/docs", PUBLIC),
        ("GET", "/sitemap.xml", PUBLIC),
        ("GET", "/demo", DEMO),
        ("GET", "/widget/panel", headers.frame()),
        ("GET", "/widget.js", LOADER),
        ("GET", "/theme.css", ASSET),
        ("GET", "/favicon.svg", ASSET),
        ("GET", "/assets/old/page.css", ASSET),
        ("GET", "/static/page.css", ASSET),
        ("GET", "/static/nothing.css", API),  # 404
        ("GET", "/staff/login", STAFF),
        ("GET", "/staff/join/unknown", STAFF),  # 404
    ],
)
def test_an_answer_has_the_headers_of_its_class(client: TestClient, method: str, path: str, wanted: dict[str, str]) -> None:
    response = client.request(method, path)
    assert security_of(response) == lowered(wanted), response.status_code
    assert "frame-ancestors" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_picture_can_do_nothing_on_its_own() -> None:
    assert "sandbox" in PICTURE["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in PICTURE["Content-Security-Policy"]


def test_what_only_staff_or_one_visitor_may_read_is_never_kept(service: Service, client: TestClient) -> None:
    admin = Colleague.arrives(service, "admin")  # type: ignore[arg-type]
    private = [admin.get("/staff"), admin.get("/staff/account"), admin.get("/staff/login"), client.get("/staff/account", headers=PAGE)]
    started = client.post("/api/conversations", json={})
    bearer = {"Authorization": f"Bearer {started.json()['secret']}"}
    private += [
        started,
        *(client.get(f"/{side}/conversations/{started.json()['id']}/messages", headers=bearer) for side in ("api", "widget")),
    ]
    private.append(client.get("/api/articles"))
    assert {response.headers["cache-control"] for response in private} == {"no-store"}


def test_a_too_large_request_and_an_unexpected_error_have_them_too(service: Service) -> None:
    app = create(service)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    client = browser_of(app, https=False)
    large = client.post("/api/conversations", content=b"x" * 2_000_000, headers={"Content-Type": "application/json"})
    failed = client.get("/broken")
    assert (large.status_code, failed.status_code) == (413, 500)
    assert security_of(large) == security_of(failed) == lowered(API)


def test_only_over_https_a_browser_is_told_to_come_back_by_https(service: Service) -> None:
    app = create(service)
    assert browser_of(app).get("/livez").headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in browser_of(app, https=False).get("/livez").headers


def test_a_route_of_the_desk_or_the_library_is_private_from_its_first_day() -> None:
    for path in ("/desk", "/desk/tickets/1", "/library/new", "/overview", "/staff"):
        assert class_of(path, "text/html; charset=utf-8") is STAFF
        assert class_of(path, "application/json") is API
    assert class_of("/help/x", "text/html") is PUBLIC


def test_no_policy_lets_a_page_run_what_it_does_not_own() -> None:
    for policy in (one["Content-Security-Policy"] for one in (API, PUBLIC, DEMO, STAFF, ASSET, PICTURE, headers.frame())):
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "*" not in policy
    for page in (PUBLIC, DEMO, STAFF, headers.frame()):
        for part in ("object-src 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "form-action "):
            assert part in page["Content-Security-Policy"]


def test_every_route_belongs_to_a_class(service: Service) -> None:
    for route in iter_route_contexts(create(service).routes):
        assert class_of(str(route.path), "text/html")
