"""Before publishing: the pages that show what an edit, a retirement or a suggestion would change."""

from api.bootstrap import Service
from api.tables import StaffRole
from knowledge import golden
from knowledge.golden import Golden
from tests.api.staffing import Colleague, said
from tests.builders import faq, find, publish

TRIAL = "How long is the trial?"
EDIT = {"title": "Zebras", "body": "Zebras run.", "kind": "faq", "language": "en", "revision": "1"}


def kept(service: Service) -> str:
    (done,) = publish(service, faq())
    with service.database.write() as session:
        golden.add(session, Golden(TRIAL, str(done.article_id)), service.new_id(), by="ada", now=service.now())
    return str(done.article_id)


def test_a_writer_sees_what_an_edit_would_change_and_cannot_publish_what_breaks(service: Service) -> None:
    article_id = kept(service)
    writer = Colleague.arrives(service, StaffRole.WRITER)
    shown = said(writer.post(f"/library/articles/{article_id}/trial", **EDIT))
    assert "1 protected question would be answered worse than now" in shown
    assert "Protected, breaks" in shown
    refused = writer.post(f"/library/articles/{article_id}", do="publish", **EDIT)
    assert refused.status_code == 409
    assert "lift the protection first" in said(refused)
    assert "Zebras run." in refused.text
    assert find(service, TRIAL) == [TRIAL]


def test_retiring_is_tried_and_refused_in_the_same_words(service: Service) -> None:
    article_id = kept(service)
    writer = Colleague.arrives(service, StaffRole.WRITER)
    assert "Protected, breaks" in said(writer.get(f"/library/articles/{article_id}/trial"))
    refused = writer.post(f"/library/articles/{article_id}/move", to="retired", revision="1")
    assert refused.status_code == 409
    assert find(service, TRIAL) == [TRIAL]


def test_a_text_nobody_asked_for_changes_nothing(service: Service) -> None:
    writer = Colleague.arrives(service, StaffRole.WRITER)
    assert "no golden questions yet" in said(writer.post("/library/articles/new/trial", **EDIT))
    assert writer.get("/library/articles/nosuch/trial").status_code == 404
    assert writer.get("/library/suggestions/nosuch/trial").status_code == 404
