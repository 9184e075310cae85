"""The public pages: every source of an answer can be read there, safely, with no stranger's file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html

from api.app import create
from api.bootstrap import Service
from knowledge.articles import Picture
from knowledge.confidence import Band
from tests.builders import Visitor, article, client_of, decided, faq, is_problem, publish, settings_in

INLINE_SCRIPT = "//script[not(@src) and not(@type = 'application/ld+json')]"
PAGES = ["/", "/help", "/help/ask-for-a-refund", "/help/nosuch", "/docs"]


@pytest.fixture
def reader(service_on_both: Service) -> TestClient:
    publish(
        service_on_both,
        article(
            "guides/refunds.md",
            body="See [invoices](../invoices.md#part) and ![steps](pics/a.png).",
            images=(Picture("pics/a.png", "image/png", b"\x89PNG"),),
        ),
        article("invoices.md", "Download an invoice", "## Part\n\nOpen it.", section="Billing"),
        article("gone.md", "Long gone", "Nothing."),
        faq(),
    )
    return client_of(service_on_both)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_scripts_frames_and_strangers(reader: TestClient, path: str) -> None:
    headers = reader.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_loads_anything_from_elsewhere(reader: TestClient, path: str) -> None:
    page = html.fromstring(reader.get(path).text)
    addresses = [*page.xpath("//link[@rel != 'canonical']/@href"), *page.xpath("//script/@src"), *page.xpath("//img/@src")]
    assert [a for a in addresses if not a.startswith("/") or a.startswith("//")] == []
    assert page.xpath(f"{INLINE_SCRIPT} | //style | //*[@style]") == []
    for address in addresses:
        assert reader.get(address).status_code == 200


def test_the_docs_name_every_route_of_the_schema(reader: TestClient) -> None:
    page = reader.get("/docs").text
    schema = reader.get("/openapi.json").json()
    assert schema["paths"]
    for path in schema["paths"]:
        assert path in html.fromstring(page).text_content()


def test_every_article_can_be_reached_from_the_first_page_of_help(reader: TestClient) -> None:
    seen: set[str] = set()
    ahead = {"/help"}
    while ahead:
        path = ahead.pop()
        response = reader.get(path)
        assert response.status_code == 200, path
        seen.add(path)
        found = {link.partition("#")[0].partition("?")[0] for link in html.fromstring(response.text).xpath("//a/@href")}
        ahead |= {link for link in found if link.startswith("/help/")} - seen
    assert {"/help/ask-for-a-refund", "/help/download-an-invoice", "/help/how-long-is-the-trial"} <= seen


def test_links_between_articles_and_to_their_pictures_lead_there(reader: TestClient) -> None:
    page = html.fromstring(reader.get("/help/ask-for-a-refund").text)
    assert "/help/download-an-invoice#part" in page.xpath("//main//a/@href")
    (source,) = page.xpath("//main//img[@alt='steps']/@src")
    picture = reader.get(source)
    assert (picture.content, picture.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in picture.headers["content-security-policy"]


def test_a_retired_article_cannot_be_read(reader: TestClient, service_on_both: Service) -> None:
    (result,) = publish(service_on_both, article("gone.md", "Long gone", "Changed."))
    service_on_both.library.publisher.retire([str(result.article_id)], now=service_on_both.now())
    assert reader.get("/help/long-gone").status_code == 404
    assert "Long gone" not in reader.get("/help").text


@pytest.mark.parametrize("slug", ["nosuch", "%00", "é", "a" * 3000, "..%2f..%2fetc%2fpasswd", "%F0%9F%92%A9"])
def test_a_page_that_is_not_there_is_404(reader: TestClient, slug: str) -> None:
    assert reader.get(f"/help/{slug}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/nosuch.css",
        "/static//etc/passwd",
        "/nowhere",
        "/api",
        "/api/nowhere",
        "/internal",
    ],
)
def test_nothing_else_is_served(reader: TestClient, path: str) -> None:
    response = reader.get(path)
    assert response.status_code in {404, 405}
    assert is_problem(response, response.status_code)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/help"), ("POST", "/livez"), ("PATCH", "/api/articles"), ("PUT", "/api/conversations")]
)
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(reader: TestClient, method: str, path: str) -> None:
    response = reader.request(method, path, headers={"Content-Type": "application/json"}, content=b"{}")
    assert is_problem(response, 405)
    assert response.headers["allow"]


HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)> \"'><svg onload=alert(1)>"


@pytest.mark.parametrize("path", ["/", "/help", "/help/hostile"])
def test_a_hostile_article_is_only_text(service: Service, path: str) -> None:
    publish(service, article("h", HOSTILE, HOSTILE, section=HOSTILE, summary=HOSTILE, slug="hostile"), faq("f", f"{HOSTILE}?", HOSTILE))
    page = html.fromstring(client_of(service).get(path).text)
    assert page.xpath(f"{INLINE_SCRIPT} | //main//svg | //img[@onerror]") == []
    for data in page.xpath("//script[@type = 'application/ld+json']/text()"):
        assert "<" not in data
        assert json.loads(data)
    assert not [a for a in page.xpath("//@href") if a.lower().startswith("javascript")]


def anchors_of(page: str) -> set[str]:
    return set(re.findall(r'id="([^"]*)"', page))


def test_the_anchor_of_every_citation_stands_in_its_page(sample: Service) -> None:
    service = decided(sample, Band.ANSWER)
    visitor = Visitor.arrives(client_of(service))
    asked = [
        "How do I connect Postgres?",
        "reset my password",
        "who can see my dashboard",
        "embed a dashboard",
        "set up single sign-on",
        "why is my alert late",
    ]
    cited = [source["url"] for question in asked for source in visitor.say(question).json()["sources"]]
    assert len(cited) >= len(asked) - 1  # one of them may be offered choices
    for url in cited:
        path, _, anchor = url.partition("#")
        response = visitor.client.get(path)
        assert response.status_code == 200
        assert not anchor or anchor in anchors_of(response.text)


def test_every_passage_of_the_sample_has_its_anchor_in_its_page(sample: Service) -> None:
    from sqlalchemy import select

    from knowledge.tables import Article, Passage

    client = client_of(sample)
    with sample.database.read() as session:
        wanted: dict[str, set[str]] = {}
        query = select(Article.slug, Passage.anchor).join(Passage, Passage.article_id == Article.id).where(Passage.live)
        for slug, anchor in session.execute(query):
            wanted.setdefault(slug, set()).add(anchor)
    missing = {slug: anchors - {""} - anchors_of(client.get(f"/help/{slug}").text) for slug, anchors in wanted.items()}
    assert {slug: anchors for slug, anchors in missing.items() if anchors} == {}


def test_links_carry_the_public_address_when_there_is_one(tmp_path: Path) -> None:
    from api.bootstrap import running

    settings = settings_in(tmp_path / "data", public_url="https://help.example.org/")
    with running(settings) as service:
        publish(service, article())
        reply: dict[str, Any] = Visitor.arrives(TestClient(create(decided(service, Band.ANSWER)))).say("refund").json()
    assert reply["sources"][0]["url"] == "https://help.example.org/help/ask-for-a-refund"
