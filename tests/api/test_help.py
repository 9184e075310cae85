"""The help centre over HTTP: sections, search, FAQ, articles, thumbs, and what machines read."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.bootstrap import Service
from api.tables import ArticleFeedback
from tests.builders import CARD, article, client_of, faq, publish, running_in

PAGES = ["/", "/help", "/help/sections/billing", "/help/ask-for-a-refund", "/faq", "/search?q=refund", "/search", "/help/gone"]


@pytest.fixture
def reader(service: Service) -> TestClient:
    publish(
        service,
        article(
            "ask-for-a-refund.md",
            body="# Ask for a refund\n\nIntro.\n\n## First\n\nText [more](the-terms.md#x).\n\n## Second\n\nText.",
            section="Billing",
            summary="Your money.",
        ),
        article("the-terms.md", "The terms", "Words."),
        article("elsewhere", "Elsewhere", "Words.", url="https://docs.shop.example/moved"),
        faq("how-long", section="Billing"),
    )
    return client_of(service)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_same_headers_and_no_foreign_address(reader: TestClient, path: str) -> None:
    response = reader.get(path)
    policy = response.headers["content-security-policy"]
    for part in ("default-src 'none'", "img-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"):
        assert part in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "Accept-Language" in response.headers["vary"]
    assert " style=" not in response.text
    assert re.findall(r'(?:src|href|action)="(?!/|#|http://testserver|https://docs\.shop\.example|mailto:)', response.text) == []


def test_an_article_page_says_where_it_stands_and_what_is_in_it(reader: TestClient) -> None:
    text = reader.get("/help/ask-for-a-refund").text
    assert text.count("<h1>") == 1
    assert '<a href="/help/sections/billing">Billing</a>' in text
    assert re.findall(r'<li><a href="#(\w+)">', text) == ["first", "second"]
    assert 'href="/help/the-terms#x"' in text
    assert '<link rel="canonical" href="http://testserver/help/ask-for-a-refund">' in text
    assert '<time datetime="2026-03-29">' in text
    graph = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text)[1])["@graph"]  # type: ignore[index]
    assert [part["@type"] for part in graph] == ["TechArticle", "BreadcrumbList"]
    assert [item["name"] for item in graph[1]["itemListElement"]] == ["Help", "Billing", "Ask for a refund"]


def test_structured_data_cannot_end_its_script(service: Service) -> None:
    publish(service, article("x", "</script><script>alert(1)</script>", "Words.", summary="</script>"))
    client = client_of(service)
    slug = re.search(r"/help/([^<]+)</loc><lastmod", client.get("/sitemap.xml").text)[1]  # type: ignore[index]
    text = client.get(f"/help/{slug}").text
    assert len(re.findall(r"<script", text)) == 2
    assert len(re.findall(r"</script>", text)) == 2


def test_an_article_with_its_home_elsewhere_names_that(reader: TestClient) -> None:
    assert '<link rel="canonical" href="https://docs.shop.example/moved">' in reader.get("/help/elsewhere").text


def test_the_sitemap_lists_everything_that_is_at_home_here(reader: TestClient) -> None:
    response = reader.get("/sitemap.xml")
    assert response.headers["content-type"].startswith("application/xml")
    paths = re.findall(r"<loc>http://testserver([^<]+)</loc>", response.text)
    assert {"/help", "/faq", "/help/sections/billing", "/help/sections/more", "/help/ask-for-a-refund", "/help/the-terms"} <= set(paths)
    assert "/help/elsewhere" not in paths
    for path in paths:
        assert reader.get(path).status_code == 200


def test_the_public_address_stands_in_canonical_links(service: Service, tmp_path: Any) -> None:
    with running_in(tmp_path / "other", public_url="https://help.shop.example/", help_indexed=False) as other:
        publish(other, article("ask-for-a-refund"))
        text = client_of(other).get("/help/ask-for-a-refund").text
    assert '<link rel="canonical" href="https://help.shop.example/help/ask-for-a-refund">' in text
    assert '<meta name="robots" content="noindex">' in text


def test_search_finds_and_says_when_it_does_not(reader: TestClient) -> None:
    assert "Ask for a refund" in reader.get("/search?q=refund").text
    nothing = reader.get("/search", params={"q": "<b>zzzz</b>"}).text
    assert "&lt;b&gt;zzzz&lt;/b&gt;" in nothing
    assert "<b>zzzz" not in nothing
    assert reader.get("/search", params={"q": "x" * 201}).status_code == 422


def test_a_missing_page_has_searched_already(reader: TestClient) -> None:
    response = reader.get("/help/how-to-refund")
    assert response.status_code == 404
    assert 'value="how to refund"' in response.text
    assert "/help/ask-for-a-refund" in response.text
    assert response.headers["cache-control"] == "no-store"


def test_the_faq_shows_answers_and_tells_machines(reader: TestClient) -> None:
    text = reader.get("/faq").text
    assert "The trial lasts 14 days." in text
    graph = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', text)[1])  # type: ignore[index]
    assert graph["mainEntity"][0]["name"] == "How long is the trial?"


@pytest.mark.parametrize(
    ("header", "language"),
    [("de-AT,de;q=0.9", "de"), ("nl, fr;q=0.8", "fr"), ("zh", "en"), ("", "en"), ("*" * 5000, "en"), ("pt-BR", "pt")],
)
def test_pages_speak_the_readers_language(reader: TestClient, header: str, language: str) -> None:
    assert f'<html lang="{language}">' in reader.get("/help", headers={"Accept-Language": header}).text


def thumbs(service: Service) -> list[tuple[bool, str]]:
    with service.database.read() as session:
        return [(kept.helpful, kept.reason) for kept in session.scalars(select(ArticleFeedback))]


def test_a_thumb_up_is_kept_and_thanked(reader: TestClient, service: Service) -> None:
    response = reader.post("/help/ask-for-a-refund/feedback", data={"helpful": "yes"})
    assert "Thank you for telling us." in response.text
    assert thumbs(service) == [(True, "")]


def test_a_thumb_down_asks_for_the_reason_and_keeps_both_as_one(reader: TestClient, service: Service) -> None:
    asked = reader.post("/help/ask-for-a-refund/feedback", data={"helpful": "no"})
    name = re.search(r'name="id" value="(\w+)"', asked.text)[1]  # type: ignore[index]
    reader.post("/help/ask-for-a-refund/feedback", data={"helpful": "no", "id": name, "kind": "unclear", "reason": f"my card is {CARD}"})
    ((helpful, reason),) = thumbs(service)
    assert not helpful
    assert reason.startswith("unclear: my card is ")
    assert CARD not in reason


@pytest.mark.parametrize(
    ("form", "headers", "status"),
    [
        ({"helpful": "maybe"}, {}, 422),
        ({}, {}, 422),
        ({"helpful": "yes", "reason": "x" * 1001}, {}, 422),
        ({"helpful": "yes"}, {"Origin": "https://evil.example"}, 403),
        ({"helpful": "yes"}, {"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_wrong_or_foreign_form_keeps_nothing(
    reader: TestClient, service: Service, form: dict[str, str], headers: dict[str, str], status: int
) -> None:
    assert reader.post("/help/ask-for-a-refund/feedback", data=form, headers=headers).status_code == status
    assert thumbs(service) == []


def test_another_articles_thumb_cannot_be_changed(reader: TestClient, service: Service) -> None:
    asked = reader.post("/help/ask-for-a-refund/feedback", data={"helpful": "no"})
    name = re.search(r'name="id" value="(\w+)"', asked.text)[1]  # type: ignore[index]
    reader.post("/help/the-terms/feedback", data={"helpful": "no", "id": name, "reason": "mine"})
    assert sorted(thumbs(service)) == [(False, ""), (False, "mine")]


def test_the_front_page_links_to_everything(reader: TestClient) -> None:
    text = reader.get("/").text
    for path in ("/help", "/faq", "/demo", "/docs"):
        assert f'href="{path}"' in text
        assert reader.get(path).status_code == 200
