"""The widget's files, pages and typed nodes over HTTP; what runs in a browser is tested in tests/browser."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api import assets
from api.help.contact import contact_of
from api.help.marking import marked
from api.help.nodes import nodes_of, words_of
from api.help.popular import most_asked
from api.help.theme import READABLE, contrast, theme_of
from api.routes.widget import MODULES
from api.settings import SettingsError, from_environment
from assistant.wording import LANGUAGES, keys, words
from tests.builders import Band, Visitor, article, client_of, decided, faq, publish, running_in

STATIC = Path(assets.STATIC)
SCRIPTS = sorted(STATIC.rglob("*.js"))


# ── words ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str) -> None:
    assert keys(language) == keys("en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", ["widget", "more", "help"])
def test_every_sentence_has_the_same_places_for_values(language: str, part: str) -> None:
    places = re.compile(r"\{\w+\}")
    english = {name: sorted(places.findall(text)) for name, text in words(part, "en").items()}
    assert {name: sorted(places.findall(text)) for name, text in words(part, language).items()} == english


def test_every_word_that_the_panel_asks_for_exists() -> None:
    def asked_in(files: list[Path]) -> set[str]:
        text = "\n".join(file.read_text() for file in files)
        return set(re.findall(r"\b(?:t|word|thumb)\((?:\"\w+\", )?\"(\w+)\"", text)) | set(re.findall(r"\"(reason_\w+)\"", text))

    first = [file for file in SCRIPTS if file.stem in MODULES]
    stories = {f"{form}_{part}" for form in ("contact", "bug_report") for part in ("goal", "happened", "more")} | {"bug_report_expected"}
    fields = {f"field_{name}" for name in ("goal", "symptom", "environment", "contact", "account", "role")}
    along = {f"along_{name}" for name in ("page", "browser", "os", "device", "app_version")}
    asked = asked_in(first) | {f"step_{step}" for step in ("received", "searching", "answering")}
    assert len(asked) > 35
    assert asked - set(words("widget", "en")) == set()
    later = asked_in(SCRIPTS) | stories | fields | along | {"form_email", "form_name"}
    assert later - set(words("widget", "en")) - set(words("more", "en")) == set()


# ── scripts ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_no_script_makes_html_or_code_of_text(script: Path) -> None:
    text = script.read_text()
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\(|new Function|setHTML"
    )
    assert re.findall(forbidden, text) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_has_at_most_330_lines(script: Path) -> None:
    assert len(script.read_text().splitlines()) <= 330


# ── files ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_loader_may_be_loaded_from_anywhere_and_carries_its_configuration(client: TestClient) -> None:
    response = client.get("/widget.js")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(response.content, 9)) <= 6 * 1024
    config = json.loads(re.search(r"const CONFIG = (\{.*\});", response.text)[1])  # type: ignore[index]
    assert set(config["words"]) == set(LANGUAGES)
    assert client.get("/widget.js", headers={"If-None-Match": response.headers["etag"]}).status_code == 304


def test_files_are_kept_for_ever_under_their_version_only(client: TestClient) -> None:
    assert client.get(assets.address("panel/main.js")).headers["cache-control"] == assets.FOREVER
    assert client.get("/assets/old/panel/main.js").headers["cache-control"] == "no-cache"
    for wrong in ("/assets/x/../settings.py", "/assets/x/%2e%2e/settings.py", "/assets/x/widget.d.ts", "/assets/x/"):
        assert client.get(wrong).status_code == 404


def test_leaving_out_comments_leaves_the_code() -> None:
    lean = assets.assets()["panel/chat.js"].content.decode()
    assert re.findall(r"(?m)^\s*(?://|/\*|\*)", lean) == []
    assert "@typedef" not in lean
    assert "export class Chat {" in lean


# ── panel ───────────────────────────────────────────────────────────────────────────────────────────


def test_only_listed_pages_may_frame_the_panel(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", widget_origins="https://www.shop.example, https://*.shop.example") as service:
        policy = client_of(service).get("/widget/panel").headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://www.shop.example https://*.shop.example")


def test_without_a_list_only_our_own_pages_may_frame_the_panel(client: TestClient) -> None:
    response = client.get("/widget/panel")
    policy = response.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self'")
    assert "unsafe" not in policy
    for part in (
        "default-src 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert " style=" not in response.text
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", response.text) == []


def test_the_panels_configuration_cannot_end_its_script(tmp_path: Path) -> None:
    with running_in(tmp_path / "data", assistant={"product": "</script><b>&"}) as service:
        publish(service, faq(title="</script><script>alert(1)</script>"))
        client = client_of(service)
        text = client.get("/widget/panel").text
        assert text.count("</script>") == 2
        assert "</script><b>" not in client.get("/widget.js").text


def test_the_configuration_is_in_the_language_asked_for(client: TestClient) -> None:
    found = client.get("/widget/config", params={"locale": "pt-BR"}).json()
    assert found["language"] == "pt"
    assert "Tallyboard" in found["notice"]
    assert client.get("/widget/config", params={"locale": "xx"}).json()["language"] == "en"
    assert client.get("/widget/config", params={"locale": "x" * 40}).status_code == 422


HOSTILE_ORIGINS = [
    "shop.example",
    "https://shop.example/",
    "https://shop.example; script-src *",
    "javascript:x",
    "https://*",
    "https://a b",
    "null",
    "'self'",
    "data:",
]
HOSTILE_TOKENS = [
    *[
        ("widget_color", value)
        for value in ("red", "#fff", "#12345g", "url(x)", "#123456;}", "expression(1)", "var(--x)", "#1234567", "", "\n#123456")
    ],
    *[("widget_side", value) for value in ("top", "", "left;", "RIGHT")],
    *[("widget_theme", value) for value in ("sepia", "", "dark;")],
    *[("widget_offset", value) for value in ("-1", "65", "1e9", "20px", "NaN", "")],
    *[("widget_origins", value) for value in HOSTILE_ORIGINS],
    *[("privacy_url", value) for value in ("javascript:alert(1)", "//x", 'https://x"onclick', "https://x y")],
]


@pytest.mark.parametrize(("name", "value"), HOSTILE_TOKENS)
def test_a_hostile_token_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.upper()):
        from_environment({f"FIRSTLINE_{name.upper()}": value})


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_becomes_readable(number: int) -> None:
    theme = theme_of(f"#{number:06x}")
    assert contrast(theme.accent, theme.on_accent) >= READABLE
    for paper in ("#ffffff", "#f2f4f8"):
        assert contrast(theme.link, paper) >= READABLE
    for paper in ("#14181d", "#1b2027", "#232a33"):
        assert contrast(theme.link_dark, paper) >= READABLE


@pytest.mark.parametrize(
    ("setting", "href"),
    [
        ("help@shop.example", "mailto:help@shop.example"),
        ("https://shop.example/contact", "https://shop.example/contact"),
        ("+43 1 2345678", "tel:+4312345678"),
        ("the desk on the first floor", ""),
        ("javascript:alert(1)", ""),
        ("a@b.example?bcc=c@d.example", ""),
    ],
)
def test_the_contact_is_a_link_only_when_it_may_be_followed(setting: str, href: str) -> None:
    found = contact_of(setting)
    assert found is not None
    assert found.href == href


# ── messages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def visitor(service: Any) -> Visitor:
    publish(
        service,
        article(body="# Ask for a refund\n\n1. Open **Billing**.\n2. Press [Refund](other.md).\n\n![x](http://evil.example/x.png)"),
        article("other.md", "Other"),
    )
    return Visitor.arrives(client_of(decided(service, Band.ANSWER)))


def panel_messages(visitor: Visitor, **query: Any) -> list[dict[str, Any]]:
    response = visitor.client.get(f"/widget/conversations/{visitor.id}/messages", headers=visitor.headers, params=query)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    found: list[dict[str, Any]] = response.json()["messages"]
    return found


def test_the_panel_reads_the_notice_first_then_nodes_and_each_message_once(visitor: Visitor) -> None:
    visitor.say("refund", client_message_id="one")
    notice, question, reply = panel_messages(visitor)
    assert notice["notice"]
    assert (question["text"], question["nodes"], question["client_message_id"]) == ("refund", [], "one")
    assert {"tag": "b", "of": ["Billing"]} in reply["nodes"][0]["of"][0]["of"]
    assert panel_messages(visitor, after=reply["id"]) == []


def test_a_thumb_is_shown_again(visitor: Visitor) -> None:
    visitor.say("refund")
    reply = panel_messages(visitor)[-1]
    visitor.client.post(f"{visitor.url}/{reply['id']}/feedback", json={"helpful": False}, headers=visitor.headers)
    assert panel_messages(visitor)[-1]["helpful"] is False


def test_a_source_opens_with_the_quoted_part_marked(visitor: Visitor) -> None:
    visitor.say("refund")
    reply = panel_messages(visitor)[-1]
    path = f"/widget/conversations/{visitor.id}/messages/{reply['id']}/sources/1"
    found = visitor.client.get(path, headers=visitor.headers).json()
    assert found["title"] == "Ask for a refund"
    assert "mark" in json.dumps(found["nodes"])
    assert visitor.client.get(path.replace("/1", "/9"), headers=visitor.headers).status_code == 404


def test_nobody_reads_another_conversation(visitor: Visitor) -> None:
    visitor.say("refund")
    reply = panel_messages(visitor)[-1]
    stranger = Visitor.arrives(visitor.client)
    source = f"messages/{reply['id']}/sources/1"
    for path in ("messages", source, "visitor"):
        method = "PUT" if path == "visitor" else "GET"
        body = {} if path == "visitor" else None
        url = f"/widget/conversations/{visitor.id}/{path}"
        assert visitor.client.request(method, url, json=body).status_code == 401
        assert visitor.client.request(method, url, json=body, headers=stranger.headers).status_code == 404
    own = f"/widget/conversations/{stranger.id}/{source}"
    assert visitor.client.get(own, headers=stranger.headers).status_code == 404


@pytest.mark.parametrize("body", [{"name": "x" * 101}, {"name": "a\nb"}, {"verified": True}, {"email": 1}])
def test_a_claim_about_the_visitor_is_limited(visitor: Visitor, body: dict[str, Any]) -> None:
    response = visitor.client.put(f"/widget/conversations/{visitor.id}/visitor", json=body, headers=visitor.headers)
    assert response.status_code == 422


def test_an_article_is_found_by_id_and_by_slug_until_it_is_retired(service: Any) -> None:
    client = client_of(service)
    publish(service, article("ask-for-a-refund", body="# Ask for a refund\n\nText."))
    by_slug = client.get("/widget/articles/ask-for-a-refund").json()
    assert by_slug["nodes"] == [{"tag": "p", "of": ["Text."]}]
    assert client.get(f"/widget/articles/{by_slug['article_id']}").json() == by_slug
    assert client.get("/widget/articles/none").status_code == 404


def test_top_questions_are_the_most_asked(service: Any) -> None:
    publish(service, faq("a", "Alpha?", "Yes."), faq("z", "How long is the trial?"))
    with service.database.read() as session:
        assert [a.title for a in most_asked(session, 5)] == ["Alpha?", "How long is the trial?"]
    Visitor.arrives(client_of(decided(service, Band.ANSWER))).say("How long is the trial?")
    with service.database.read() as session:
        assert [a.title for a in most_asked(session, 5)] == ["How long is the trial?", "Alpha?"]
        assert len(most_asked(session, 1)) == 1


# ── nodes ───────────────────────────────────────────────────────────────────────────────────────────


def links(nodes: list[Any]) -> list[dict[str, Any]]:
    found = []
    for node in nodes:
        if isinstance(node, dict):
            found += [node] if node["tag"] in {"a", "img"} else []
            found += links(node["of"])
    return found


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "/\\evil.example",
        "mailto:a@b.example",
        "other.md",
        "file:///etc/passwd",
        "http://",
        "https:evil",
        "/desk",
    ],
)
def test_a_link_that_is_not_http_is_only_its_words(link: str) -> None:
    nodes = nodes_of(f"[words](<{link}>)")
    assert links(nodes) == []
    assert "words" in words_of(nodes)


def test_a_picture_from_elsewhere_is_its_description() -> None:
    assert nodes_of("![a cat](http://evil.example/x.png)") == [{"tag": "p", "of": ["a cat"]}]
    assert nodes_of("![x][r]\n\n[r]: http://evil.example/x.png") == [{"tag": "p", "of": ["x"]}]
    assert links(nodes_of("![x](p.png)", lambda _: "/help/a/pictures/0")) == [
        {"tag": "img", "of": [], "src": "/help/a/pictures/0", "alt": "x"}
    ]


def test_html_is_text() -> None:
    assert words_of(nodes_of("a <img src=x onerror=alert(1)> b")) == "a <img src=x onerror=alert(1)> b"


TEXTS = st.text(st.sampled_from("ab *_`[]()!#>-1.\n|<&\\~:/"), max_size=120)


@given(TEXTS)
def test_any_text_becomes_known_nodes(text: str) -> None:
    known = {"p", "h", "ul", "ol", "li", "quote", "table", "tr", "th", "td", "b", "i", "s", "code", "pre", "a", "br", "hr", "img"}

    def tags(nodes: list[Any]) -> set[str]:
        return {n["tag"] for n in nodes if isinstance(n, dict)} | {t for n in nodes if isinstance(n, dict) for t in tags(n["of"])}

    assert tags(nodes_of(text)) <= known


@given(TEXTS, TEXTS)
def test_marking_changes_no_word(text: str, quote: str) -> None:
    nodes = nodes_of(text)
    assert words_of(marked(nodes, nodes_of(quote))) == words_of(nodes)
    assert words_of(marked(nodes, nodes)) == words_of(nodes)


def test_only_what_was_quoted_is_marked() -> None:
    nodes = nodes_of("First things first, dear reader. The money comes in five days. Be patient.\n\n- Open it\n- Close it")
    text = json.dumps(marked(nodes, nodes_of("The money comes in five days.\n\n- Close it")))
    assert re.findall(r'"mark", "of": \["([^"]+)"', text) == ["The money comes in five days.", "Close it"]
