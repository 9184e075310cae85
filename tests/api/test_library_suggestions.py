"""Suggestions over HTTP: reviewed beside their evidence, decided once, and answered from at once."""

from typing import Any

import pytest

from api.bootstrap import Service
from api.tables import StaffRole
from knowledge.lift_tables import SuggestionLift
from knowledge.loop_tables import SuggestionKind
from knowledge.suggestions import Similar, Target
from tests.api.shelving import LOOSE, QUESTIONS, SAID, SUPPORTED, article_now, by_title, called, suggested, suggestion_now
from tests.api.staffing import Colleague, account_of, said
from tests.builders import article, client_of, find, is_problem, publish, quoted, together


@pytest.fixture
def ada(service: Service) -> Colleague:
    return Colleague.arrives(service, account=account_of(service, StaffRole.WRITER, name="Ada Palmer"))


def act(writer: Colleague, suggestion_id: str, verb: str, version: int = 1, **fields: str) -> Any:
    return writer.post(f"/library/suggestions/{suggestion_id}/{verb}", version=str(version), **fields)


def test_suggestions_stand_by_rank_with_who_asked_and_how_it_goes(service: Service, ada: Colleague) -> None:
    suggested(service, title="How do I leave?", rank=3.0)
    suggested(service)
    listed = said(ada.get("/library/suggestions"))
    assert listed.index(QUESTIONS[0]) < listed.index("How do I leave?")
    assert "New FAQ 4 4 ↗ rising 25 just now" in listed
    assert "4 people asked this in two weeks" in listed
    assert "Nothing here" in said(ada.get("/library/suggestions?state=rejected"))
    groups = said(ada.get("/library/groups"))
    assert "Suggested 4 4 ↗ rising 90 %" in groups


def test_every_sentence_stands_beside_its_evidence_or_says_that_it_has_none(service: Service, ada: Colleague) -> None:
    near = publish(service, article())[0].article_id or ""
    id_ = suggested(service, SUPPORTED, LOOSE, similar=(Similar("article", near, "Ask for a refund", 0.83, duplicate=True),))
    page = said(ada.get(f"/library/suggestions/{id_}")).replace(" ,", ",")
    assert f"{SAID.replace('**', '')} Please open Billing, choose Export and pick a month. Reply of an agent, ticket t1" in page
    assert "It takes three days. No evidence" in page
    assert "Ask for a refund Says the same 83 % alike Merge into this" in page
    assert "bulk invoice export?" in page


def test_an_accepted_suggestion_is_answered_from_at_once_and_names_its_reviewer(service: Service, ada: Colleague) -> None:
    id_ = suggested(service)
    done = act(ada, id_, "accept")
    assert (done.status_code, done.headers["location"]) == (303, "/library/suggestions?said=accepted")
    assert SAID in quoted(service, QUESTIONS[0])
    assert find(service, QUESTIONS[3])[0] == QUESTIONS[0]
    page = client_of(service).get("/help/how-do-i-export-my-invoices").text
    assert "An AI drafted this; Ada Palmer reviewed it" in page
    shown = said(ada.get(f"/library/suggestions/{id_}"))
    assert "Accepted by Ada Palmer" in shown


def test_a_sentence_without_evidence_is_published_only_when_somebody_answers_for_it(service: Service, ada: Colleague) -> None:
    id_ = suggested(service, SUPPORTED, LOOSE)
    refused = act(ada, id_, "accept")
    assert refused.status_code == 422
    assert "without evidence" in said(refused)
    assert suggestion_now(service, id_).state == "pending"
    assert act(ada, id_, "accept", override="yes").status_code == 303
    assert suggestion_now(service, id_).overridden


def test_an_edited_suggestion_keeps_the_evidence_of_what_stays(service: Service, ada: Colleague) -> None:
    id_ = suggested(service)
    act(ada, id_, "edit", title="How do I export?", text=f"{SAID} Ask Zeppelin for more.", wordings="export\nexport\nget invoices")
    now = suggestion_now(service, id_)
    assert [row["supported"] for row in now.body] == [True, False]
    assert (now.title, now.wordings, now.version) == ("How do I export?", ["export", "get invoices"], 2)
    stale = act(ada, id_, "edit", title="Mine", text="My own long text.")
    assert stale.status_code == 409
    assert "My own long text.</textarea>" in stale.text


def test_of_two_writers_only_one_decides_and_the_other_reads_who_did(service: Service, ada: Colleague) -> None:
    id_ = suggested(service)
    kim = Colleague.arrives(service, account=account_of(service, StaffRole.WRITER, name="Kim Lee"), app=ada.app)
    assert act(ada, id_, "reject", reason="single_case", text="only one firm").status_code == 303
    late = act(kim, id_, "accept")
    assert late.status_code == 409
    assert "Ada Palmer has already decided this one: rejected." in said(late)
    assert find(service, QUESTIONS[0]) == []
    assert "A single case" in said(ada.get("/library/suggestions?state=rejected")).replace("a single case", "A single case")


def test_two_decisions_at_the_same_moment_publish_once(service: Service, ada: Colleague) -> None:
    id_ = suggested(service)
    results = together(2, lambda _: act(ada, id_, "accept").status_code)
    assert sorted(results) == [303, 409]
    assert by_title(service, QUESTIONS[0]).revision == 1


def test_after_a_decision_the_next_one_is_there(service: Service, ada: Colleague) -> None:
    first, second = suggested(service), suggested(service, title="How do I leave?", rank=3.0)
    done = act(ada, first, "snooze", days="7")
    assert done.headers["location"] == f"/library/suggestions/{second}?said=snoozed"
    assert suggestion_now(service, first).state == "snoozed"
    assert (
        f'href="/library/suggestions/{second}"' not in ada.get(f"/library/suggestions/{second}").text.split("</main>")[0].split("Next")[0]
    )


def test_what_is_answered_already_teaches_its_article_how_people_ask(service: Service, ada: Colleague) -> None:
    near = publish(service, article())[0].article_id or ""
    id_ = suggested(service)
    assert act(ada, id_, "merge", into=f"article:{near}").status_code == 303
    assert QUESTIONS[0] in article_now(service).learned
    assert suggestion_now(service, id_).state == "merged"
    other, third = suggested(service, title="One?"), suggested(service, title="Two?")
    assert act(ada, other, "merge", into=f"suggestion:{third}").status_code == 303
    assert act(ada, third, "merge", into=f"suggestion:{third}").status_code == 422
    assert act(ada, third, "merge", into="").status_code == 422


def test_an_edit_shows_what_changes_and_asks_again_when_the_article_moved_on(service: Service, ada: Colleague) -> None:
    near = publish(service, article(body="Open the menu."))[0].article_id or ""
    id_ = suggested(service, kind=SuggestionKind.EDIT, title="Ask for a refund", target=Target(near, 1))
    assert "<del>" in ada.get(f"/library/suggestions/{id_}").text
    publish(service, article(body="Open the new menu."))
    asked = act(ada, id_, "accept")
    assert asked.status_code == 409
    assert "Although the article was changed since" in said(asked)
    assert act(ada, id_, "accept", anyway="yes").status_code == 303
    assert article_now(service).body == SAID


def test_the_interface_decides_by_the_same_rules(service: Service, ada: Colleague) -> None:
    id_, other = suggested(service, SUPPORTED, LOOSE), suggested(service, title="Other?", rank=1.0)
    listed = called(ada, "GET", "/suggestions").json()
    assert ([one["id"] for one in listed["suggestions"]], listed["counts"]) == ([id_, other], {"pending": 2})
    read = called(ada, "GET", f"/suggestions/{id_}").json()
    assert [row["supported"] for row in read["sentences"]] == [True, False]
    assert sorted(read["questions"]) == sorted(QUESTIONS)
    assert is_problem(called(ada, "POST", f"/suggestions/{id_}/accept", {"version": 1}), 422)
    assert is_problem(called(ada, "POST", f"/suggestions/{id_}/accept", {"version": 7, "override": True}), 409)
    done = called(ada, "POST", f"/suggestions/{id_}/accept", {"version": 1, "override": True}).json()
    assert (done["state"], done["next"]) == ("accepted", other)
    assert is_problem(called(ada, "POST", f"/suggestions/{id_}/reject", {"version": 2, "reason": "single_case"}), 409)
    assert is_problem(called(ada, "POST", f"/suggestions/{other}/reject", {"version": 1, "reason": "no"}), 422)
    (group, _) = called(ada, "GET", "/groups").json()["groups"]
    assert sorted(called(ada, "GET", f"/groups/{group['id']}").json()["questions"]) == sorted(QUESTIONS)


def test_how_the_groups_questions_fared_is_kept_when_a_suggestion_is_accepted_and_before_it_is_live(service: Service, ada: Colleague) -> None:
    id_ = suggested(service)
    assert act(ada, id_, "accept").status_code == 303
    with service.database.read() as session:
        kept = session.get_one(SuggestionLift, id_).replay
    assert kept["questions"] == len(QUESTIONS)
    assert kept["before"] == {"answered": 0, "offered": 0, "nothing": len(QUESTIONS)}
    assert "after" not in kept
