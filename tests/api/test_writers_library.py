"""The library over HTTP: pages that work by forms alone, and the same as an interface; what was not read is never overwritten."""

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from api.bootstrap import Service
from api.library import numbers as library_numbers
from api.library.shelf import PAGE, Chosen, shelf
from api.tables import ArticleCited, ArticleViews, StaffRole
from knowledge.confidence import Band
from knowledge.tables import Article
from tests.api.shelving import article_now, by_title, called
from tests.api.staffing import Colleague, account_of, browser_of, said
from tests.builders import START, Clock, Visitor, article, client_of, decided, faq, find, in_line, is_problem, publish, quoted

BODY = "In this article you ask for your money back.\n\n1. Open **Billing**.\n2. Press **Refund**.\n\n## What's next\n\n- [Plans](plans.md)"
NEW = {"title": "Close your account", "body": "You will close it.\n\n1. Open **Zeppelin**.", "kind": "article", "language": "en"}


@pytest.fixture
def ada(service: Service) -> Colleague:
    return Colleague.arrives(service, account=account_of(service, StaffRole.WRITER, name="Ada Palmer"))


def edited(service: Service, name: str = "refunds", **changes: str) -> dict[str, str]:
    """What the editor of an article sends."""
    now = article_now(service, name)
    sent = {
        "title": now.title,
        "body": now.body,
        "kind": now.kind,
        "language": now.language,
        "revision": str(now.revision),
        "do": "publish",
    }
    return sent | changes


def address(service: Service, name: str = "refunds") -> str:
    return f"/library/articles/{article_now(service, name).id}"


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_article_is_kept_in_review_then_published_and_answered_from_at_once(service: Service, ada: Colleague) -> None:
    form = ada.get("/library/articles/new")
    name = re.search(r'name="name" value="(\w+)"', form.text)
    assert name
    kept = ada.post("/library/articles/new", **NEW, name=name[1], do="keep", section="Account", tags="close, reference")
    assert (kept.status_code, by_title(service, NEW["title"]).state) == (303, "in_review")
    assert "zeppelin" not in quoted(service, "close my account zeppelin").lower()
    assert client_of(service).get("/help/close-your-account").status_code == 404
    made = by_title(service, NEW["title"])
    assert (made.section, made.tags, made.reviewed_by, made.source) == ("Account", ["close", "reference"], "", "library")
    assert "Kept in review" in said(ada.get(kept.headers["location"]))
    moved = ada.post(f"/library/articles/{made.id}/move", to="published", revision="1", note="checked with Kim")
    assert moved.status_code == 303
    assert "Zeppelin" in quoted(service, "close my account zeppelin")
    assert by_title(service, NEW["title"]).reviewed_by == ada.account.id
    assert in_line(service)
    history = said(ada.get(f"/library/articles/{made.id}/revisions"))
    assert "Revision 2 Newest Published Ada Palmer" in history
    assert "checked with Kim" in history


def test_the_same_new_article_sent_twice_is_one(service: Service, ada: Colleague) -> None:
    sent = {**NEW, "name": "a" * 32, "do": "publish"}
    assert ada.post("/library/articles/new", **sent).status_code == 303
    assert ada.post("/library/articles/new", **sent).status_code == 409
    assert by_title(service, NEW["title"]).revision == 1


def test_a_published_change_is_answered_at_once_and_a_withdrawn_article_never_again(service: Service, ada: Colleague) -> None:
    publish(service, article())
    ada.post(address(service), **edited(service, body="1. Ring the **Zeppelin** bell for a refund."))
    assert "Zeppelin" in quoted(service, "refund")
    ada.post(f"{address(service)}/move", to="in_review", revision="2", note="wrong")
    assert "Zeppelin" not in quoted(service, "refund")
    assert client_of(service).get("/help/ask-for-a-refund").status_code == 404
    ada.post(f"{address(service)}/move", to="retired", revision="3")
    assert article_now(service).state == "retired"
    assert "Already" not in said(ada.get(address(service)))
    assert is_problem(called(ada, "POST", f"/articles/{article_now(service).id}/move", {"to": "retired", "revision": 4}), 409)


def test_of_two_writers_the_second_sees_what_the_first_wrote_and_keeps_their_own_text(service: Service, ada: Colleague) -> None:
    publish(service, article())
    kim = Colleague.arrives(service, StaffRole.WRITER, app=ada.app)
    hers, his = edited(service, body="Hers is here."), edited(service, body="His is there.")
    assert ada.post(address(service), **hers).status_code == 303
    stale = kim.post(address(service), **his)
    assert stale.status_code == 409
    assert "<del>Hers</del><ins>His</ins>" in stale.text
    assert "Your text is kept" in said(stale)
    assert "His is there.</textarea>" in stale.text
    assert article_now(service).body == "Hers is here."
    anyway = kim.post(address(service), **{**his, "revision": re.findall(r'name="revision" value="(\d+)"', stale.text)[0]})
    assert (anyway.status_code, article_now(service).body) == (303, "His is there.")


def test_a_revision_of_thousands_of_digits_is_told_like_any_other_that_cannot_be(service: Service, ada: Colleague) -> None:
    publish(service, article())
    answer = ada.post(address(service), **{**edited(service, body="New."), "revision": "9" * 5000})
    assert (answer.status_code, article_now(service).revision) == (422, 1)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("title", "  ", "Title"),
        ("body", "", "Body"),
        ("language", "english", "Language"),
        ("review_due", "soon", "Next review"),
        ("kind", "poem", "Kind"),
    ],
)
def test_a_form_that_cannot_be_meant_is_told_and_keeps_what_was_typed(
    service: Service, ada: Colleague, field: str, value: str, told: str
) -> None:
    publish(service, article())
    again = ada.post(address(service), **edited(service, summary="A long thought.", **{field: value}))
    assert again.status_code == 422
    assert told in said(again)
    assert "A long thought." in again.text
    assert article_now(service).revision == 1


def test_what_departs_from_the_house_style_is_named_by_line(service: Service, ada: Colleague) -> None:
    publish(service, article("plans.md", "Plans"), article(body=BODY, section="Billing", summary="Money back."))
    assert "Nothing departs from the house style." in said(ada.get(address(service)))
    wrong = BODY.replace("plans.md", "nowhere.md").replace("1. Open", "# Top\n\n1. Open")
    checked = said(ada.post(address(service), **edited(service, body=wrong, do="check")))
    assert "Line 3 The title is the only heading of level 1; use ## here." in checked
    assert "Line 10 The link nowhere.md leads nowhere." in checked
    assert article_now(service).body == BODY
    told = called(ada, "POST", "/check", {"title": "T", "body": "## Only", "kind": "faq"}).json()
    assert [one["rule"] for one in told["complaints"]] == []


def test_the_preview_is_the_page_that_readers_will_get(service: Service, ada: Colleague) -> None:
    publish(service, article(body=BODY, section="Billing"))
    previewed = html.unescape(re.findall(r'<iframe class="as-help"[^>]*srcdoc="([^"]*)"', ada.get(address(service)).text)[0])
    page = client_of(service).get("/help/ask-for-a-refund").text
    main = re.compile(r"(?s)<article.*</article>")
    assert main.findall(previewed) == main.findall(page)
    assert "widget.js" not in previewed


def test_what_is_typed_is_never_html(service: Service, ada: Colleague) -> None:
    nasty = "<img src=x onerror=alert(1)><b>bold</b>"
    publish(service, article(title=nasty, body=f"{nasty}\n\n[x](javascript:alert(1))", section=nasty))
    for path in ("/library", f"/library?q={nasty}", address(service), f"{address(service)}/revisions"):
        page = ada.get(path).text
        assert "<img" not in page
        assert "<b>bold" not in page
        for frame in re.findall(r'srcdoc="([^"]*)"', page):
            assert "<img" not in html.unescape(frame)


# ── history ─────────────────────────────────────────────────────────────────────────────────────────


def test_any_two_revisions_are_compared_and_an_earlier_one_restored(service: Service, ada: Colleague) -> None:
    publish(service, article(body="Wait five days."))
    ada.post(address(service), **edited(service, body="Wait nine days.", note="slower now"))
    ada.post(address(service), **edited(service, body="Wait nine long days.", section="Billing"))
    shown = ada.get(f"{address(service)}/revisions?of=3&against=1")
    assert "Wait <del>five</del><ins>nine long</ins> days." in shown.text
    assert "Section: nothing Billing" in said(shown)
    assert "slower now" in said(shown)
    back = ada.post(f"{address(service)}/restore", number="1", revision="3")
    assert back.status_code == 303
    now = article_now(service)
    assert (now.body, now.revision, now.section, now.reviewed_by) == ("Wait five days.", 4, "", ada.account.id)
    assert "five" in quoted(service, "refund days")
    assert ada.get(f"{address(service)}/revisions?of=9").status_code == 404


def test_an_imported_article_edited_here_says_so_and_its_source_reports_a_conflict(service: Service, ada: Colleague) -> None:
    publish(service, article())
    assert "edited here" not in said(ada.get("/library"))
    ada.post(address(service), **edited(service, body="Edited by hand."))
    assert "edited here" in said(ada.get("/library"))
    assert publish(service, article(body="New at the source."))[0].change == "conflict"


def test_what_a_machine_wrote_says_so_and_who_reviewed_it(service: Service, ada: Colleague) -> None:
    from knowledge.publishing import Origin

    service.library.publisher.keep(article(ai_generated=True), Origin("handbook", "machine"), now=START)
    ada.post(f"{address(service)}/move", to="published", revision="1")
    page = client_of(service).get("/help/ask-for-a-refund").text
    assert '<meta name="ai_generated" content="true">' in page
    assert '<meta name="reviewed_by" content="Ada Palmer">' in page
    assert "An AI drafted this; Ada Palmer reviewed it on 2026-03-29" in page
    assert "drafted by AI · reviewed by Ada Palmer" in said(ada.get(f"{address(service)}/revisions"))


# ── the list ────────────────────────────────────────────────────────────────────────────────────────


def test_the_list_is_searched_filtered_and_sorted(service: Service, ada: Colleague) -> None:
    publish(service, article(section="Billing"), article("b", "Add a seat", "You will add a seat.", section="Team"), faq(section="Team"))
    assert titles(ada, "") != []
    assert titles(ada, "?q=seat")[0] == "Add a seat"
    assert titles(ada, "?section=Team&sort=title") == ["Add a seat", "How long is the trial?"]
    assert titles(ada, "?kind=faq") == ["How long is the trial?"]
    assert titles(ada, "?state=retired") == []
    assert titles(ada, "?q=days+money") == ["Ask for a refund", *titles(ada, "?q=days+money")[1:]]
    assert "No article is like that" in said(ada.get("/library?section=Nowhere"))
    assert len(titles(ada, "?kind=poem&state=x&sort=y")) == 3


def test_freshness_is_told_and_reading_through_makes_it_good(service: Service, ada: Colleague, clock: Clock) -> None:
    publish(service, article(), article("b", "Add a seat", "You will add a seat."))
    ada.post(address(service), **edited(service, body="Another.", review_due=START.date().isoformat()))
    assert titles(ada, "?fresh=due") == ["Ask for a refund"]
    clock.at += timedelta(days=200)
    late = Colleague.arrives(service, account=ada.account, app=ada.app)
    assert titles(late, "?fresh=old") == ["Add a seat"]
    late.post(f"{address(service, 'b')}/reviewed", due="2027-01-01")
    assert titles(late, "?fresh=old") == []
    assert (article_now(service, "b").review_due, article_now(service, "b").revision) == (date(2027, 1, 1), 1)
    assert "Ada Palmer" in said(late.get(address(service, "b")))


def test_views_answers_and_thumbs_are_counted(service_on_both: Service, clock: Clock) -> None:
    service = decided(service_on_both, Band.ANSWER)
    publish(service, faq())
    ada = Colleague.arrives(service, StaffRole.WRITER)
    reader = browser_of(ada.app)
    for _ in range(3):
        assert reader.get("/help/how-long-is-the-trial").status_code == 200
    assert reader.get("/widget/articles/how-long-is-the-trial").status_code == 200
    visitor = Visitor.arrives(reader)
    reply = visitor.say("How long is the trial?").json()
    reader.post(f"{visitor.url}/{reply['id']}/feedback", json={"helpful": True}, headers=visitor.headers)
    reader.post("/help/how-long-is-the-trial/feedback", data={"helpful": "no"})
    clock.move(61)
    assert library_numbers.follow(service)
    assert library_numbers.follow(service)
    (line,) = called(ada, "GET", "/articles").json()["articles"]
    assert line["numbers"] == {"views": 4, "answers": 1, "up": 1, "down": 1}
    assert "How long is the trial?" in said(ada.get(address(service, "faq-1"))).split("Questions it answered lately")[1]
    for sort in ("views", "answers", "helpful", "review", "title"):
        assert called(ada, "GET", f"/articles?sort={sort}").json()["total"] == 1


def titles(writer: Colleague, query: str) -> list[str]:
    return [line["title"] for line in called(writer, "GET", f"/articles{query}").json()["articles"]]


def test_ten_thousand_articles_are_listed_page_by_page(service: Service, ada: Colleague) -> None:
    publish(service, article())
    model = article_now(service)
    columns = {column.key: getattr(model, column.key) for column in Article.__table__.columns}
    rows = [
        {**columns, "id": f"{n:032x}", "external_id": str(n), "slug": f"s{n}", "title": f"Article {n}", "section": f"S{n % 40}"}
        for n in range(10_000)
    ]
    views = [
        {"article_id": f"{n:032x}", "day": START.date() - timedelta(days=d), "count": n % 7 + 1} for n in range(10_000) for d in range(3)
    ]
    with service.database.write() as session:
        session.execute(insert(Article), rows)
        session.execute(insert(ArticleViews), views)
        session.execute(insert(ArticleCited), [{"article_id": f"{n:032x}", "message_id": n, "at": START} for n in range(10_000)])
    for sort in ("updated", "title", "views", "answers", "helpful"):
        for page in ("1", "200"):
            with service.database.read() as session:
                found = shelf(session, Chosen.read({"sort": sort, "page": page}), service.now(), 180)
            assert len(found.lines) == PAGE
    assert "Page 2" in said(ada.get("/library?page=2&sort=title"))


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────


def test_agents_have_no_library_in_their_navigation_and_writers_begin_there(service: Service, ada: Colleague) -> None:
    assert '<a href="/library" aria-current="page">Library</a>' in ada.get("/library").text
    agent = Colleague.arrives(service, app=ada.app)
    assert 'href="/library"' not in agent.get("/desk").text
    assert agent.get("/library").status_code == 403
    assert browser_of(ada.app).get("/library", headers={"Accept": "text/html"}).status_code == 303


def test_the_interface_writes_with_the_same_rules(service: Service, ada: Colleague) -> None:
    made = called(ada, "POST", "/articles", {**NEW, "publish": True, "wordings": ["delete me"], "id": "b" * 32})
    assert (made.status_code, made.json()["state"]) == (201, "published")
    id_ = made.json()["id"]
    assert find(service, "delete me") == [NEW["title"]]
    assert is_problem(called(ada, "PUT", f"/articles/{id_}", {**NEW, "body": "x", "revision": 0}), 409)
    kept = called(ada, "PUT", f"/articles/{id_}", {**NEW, "body": "Another zeppelin.", "revision": 1, "learned": []})
    assert kept.json() == {"id": id_, "revision": 2, "state": "in_review"}
    assert called(ada, "GET", f"/articles/{id_}").json()["body"] == "Another zeppelin."
    difference: Any = called(ada, "GET", f"/articles/{id_}/revisions/2").json()
    assert {piece["kind"] for piece in difference["body"]} >= {"old", "new"}
    assert [one["number"] for one in called(ada, "GET", f"/articles/{id_}/revisions").json()["revisions"]] == [2, 1]
    assert called(ada, "POST", f"/articles/{id_}/restore", {"number": 1, "revision": 2}).json()["state"] == "published"
    assert called(ada, "POST", f"/articles/{id_}/reviewed", {"due": "2027-01-01"}).status_code == 200
    assert is_problem(called(ada, "GET", "/articles/ffff"), 404)
