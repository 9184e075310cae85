"""Golden questions on an article's page and over the interface: kept, protected, lifted and taken away under a name."""

from api.bootstrap import Service
from api.tables import StaffRole
from knowledge import golden
from knowledge.lift_tables import GoldenEvent
from tests.api.shelving import article_now, called
from tests.api.staffing import Colleague, said
from tests.builders import faq, publish

TRIAL = "How long is the trial?"
ASKED = "For how many days can I try it?"


def arrived(service: Service) -> tuple[Colleague, str]:
    """A writer and the article of the trial."""
    (done,) = publish(service, faq())
    return Colleague.arrives(service, StaffRole.WRITER), str(done.article_id)


def acts(service: Service, article_id: str) -> list[tuple[str, str]]:
    """What was done to the golden questions of an article, the oldest first."""
    with service.database.read() as session:
        return [(one.act, one.by) for one in reversed(golden.history(session, article_id))]


def only(service: Service, article_id: str) -> str:
    with service.database.read() as session:
        (one,) = golden.listed(session, article_id=article_id)
        return str(one.id)


def done(writer: Colleague, article_id: str, verb: str, **fields: str) -> str:
    """What the page says after a form of it was sent."""
    sent = writer.post(f"/library/articles/{article_id}/{verb}", **fields)
    return said(writer.get(sent.headers["location"]))


def test_a_writer_keeps_protects_lifts_and_takes_away_a_question_and_each_act_is_kept_under_their_account(service: Service) -> None:
    writer, article_id = arrived(service)
    page = f"/library/articles/{article_id}"
    assert "every edit is tried on this question" in done(writer, article_id, "golden", question=ASKED, protected="yes")
    golden_id = only(service, article_id)
    assert "Lift protection" in said(writer.get(page))
    refused = writer.post(f"{page}/forget", golden=golden_id)
    assert refused.status_code == 409
    assert "lift the protection first" in said(refused)
    assert "The protection is lifted, under your name" in done(writer, article_id, "lift", golden=golden_id)
    assert "Protected: an edit" in done(writer, article_id, "protect", golden=golden_id)
    writer.post(f"{page}/lift", golden=golden_id)
    gone = done(writer, article_id, "forget", golden=golden_id)
    assert "took away" in gone
    me = writer.account.id
    assert acts(service, article_id) == [(act, me) for act in ("added", "lifted", "protected", "lifted", "removed")]


def test_a_lifted_protection_lets_the_edit_through_that_it_blocked(service: Service) -> None:
    writer, article_id = arrived(service)
    page = f"/library/articles/{article_id}"
    writer.post(f"{page}/golden", question=TRIAL, protected="yes")
    assert writer.post(f"{page}/move", to="retired", revision="1").status_code == 409
    writer.post(f"{page}/lift", golden=only(service, article_id))
    assert writer.post(f"{page}/move", to="retired", revision="1").status_code == 303
    assert article_now(service, "faq-1").state == "retired"


def test_a_question_of_another_article_is_not_touched_from_this_page(service: Service) -> None:
    writer, article_id = arrived(service)
    (other,) = publish(service, faq("zebra", "Do you sell zebras?", "No."))
    writer.post(f"/library/articles/{article_id}/golden", question=TRIAL, protected="yes")
    golden_id = only(service, article_id)
    assert writer.post(f"/library/articles/{other.article_id}/lift", golden=golden_id).status_code == 404
    assert writer.post(f"/library/articles/{article_id}/lift", golden="nothing").status_code == 422
    assert writer.post(f"/library/articles/{article_id}/golden", question="  ").status_code == 422
    assert acts(service, article_id) == [("added", writer.account.id)]


def test_the_interface_does_the_same(service: Service) -> None:
    writer, article_id = arrived(service)
    kept = called(writer, "POST", f"/articles/{article_id}/golden", {"question": ASKED, "protected": True})
    assert kept.status_code == 201
    golden_id = kept.json()["id"]
    assert called(writer, "DELETE", f"/golden/{golden_id}").status_code == 409
    lifted = called(writer, "POST", f"/golden/{golden_id}/protect", {"protected": False}).json()
    assert (lifted["protected"], lifted["changed_by"]) == (False, writer.account.id)
    assert called(writer, "DELETE", f"/golden/{golden_id}").status_code == 204
    assert called(writer, "DELETE", f"/golden/{golden_id}").status_code == 404
    shown = called(writer, "GET", f"/articles/{article_id}/golden").json()
    assert shown["questions"] == []
    assert [(one["act"], one["by"]) for one in shown["history"]] == [(act, writer.account.name) for act in ("removed", "lifted", "added")]
    assert called(writer, "POST", "/articles/nosuch/golden", {"question": ASKED}).status_code in {404, 422}


def test_what_visitors_confirmed_writes_no_act_of_a_person(service: Service) -> None:
    _, article_id = arrived(service)
    with service.database.write() as session:
        golden.confirmed(session, [(ASKED, article_id)], service.new_id, by="visitors", now=service.now())
    with service.database.read() as session:
        assert session.query(GoldenEvent).count() == 0
