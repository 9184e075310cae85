"""The desk over HTTP: pages that work by forms alone, and the same as an interface; what was not read is never overwritten."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.bootstrap import Service
from api.tables import StaffRole
from assistant.tables import Conversation, Role
from escalation.tables import TicketState
from tests.api.staffing import Colleague, account_of, said
from tests.api.ticketing import answered_by, answering, blocked, given, now_of, said_in, ticket_from, visitor_says
from tests.builders import CARD, is_problem

TEXT = "Press Reset filters, then export again."


@pytest.fixture
def desk(service: Service) -> Service:
    return answering(service)


@pytest.fixture
def kim(desk: Service) -> Colleague:
    return Colleague.arrives(desk, account=account_of(desk, name="Kim Okafor"))


def version(service: Service, number: int = 1) -> int:
    return now_of(service, number).version


def act(agent: Colleague, service: Service, verb: str, number: int = 1, **fields: Any) -> Any:
    fields.setdefault("version", str(version(service, number)))
    return agent.post(f"/desk/tickets/{number}/{verb}", **fields)


def api(agent: Colleague, method: str, path: str, body: Any = None) -> Any:
    sent = {} if body is None else {"json": body}
    return agent.client.request(method, f"/api/desk{path}", headers={"X-CSRF-Token": agent.new.csrf}, **sent)


# ── who may ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/desk", "/desk/tickets/1", "/desk/overview", "/desk/templates", "/desk/tickets/1/suggestions"])
def test_agents_and_admins_come_in_writers_and_strangers_do_not(desk: Service, path: str) -> None:
    ticket_from(desk)
    for role, status in ((StaffRole.AGENT, 200), (StaffRole.ADMIN, 200), (StaffRole.WRITER, 403)):
        assert Colleague.arrives(desk, role).get(path).status_code == status
    nobody = Colleague.arrives(desk)
    nobody.client.cookies.clear()
    asked = nobody.get(path)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/staff/login?next=/desk")


def test_a_form_of_another_session_changes_nothing(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert act(kim, desk, "reply", text=TEXT, csrf="another").status_code == 403
    assert api(kim, "POST", "/tickets/1/faq", {}).status_code == 200
    assert is_problem(kim.client.post("/api/desk/tickets/1/faq", json={}), 403)
    assert not any(message.role == Role.AGENT for message in said_in(desk, now_of(desk, 1)))


# ── the worklist ────────────────────────────────────────────────────────────────────────────────────


def test_the_worklist_says_who_wants_what_and_why(desk: Service, kim: Colleague) -> None:
    ticket_from(desk, name="Ada Palmer", email="ada@example.org")
    shown = said(kim.get("/desk"))
    assert "All open 1" in shown
    assert "#1 Ada Palmer Asked for a person" in shown
    assert "Nobody" in shown
    assert "#1" not in said(kim.get("/desk?view=mine"))


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("", "No open tickets"),
        ("view=mine", "You have nothing left to do"),
        ("view=unassigned", "Everything has somebody"),
        ("view=waiting", "Nobody keeps us waiting"),
        ("view=closed", "Nothing here yet"),
        ("q=zeppelin", "Nothing found for “zeppelin”"),
        ("queue=legal", "Nothing here with these filters"),
    ],
)
def test_an_empty_list_says_something_kind(kim: Colleague, query: str, kind: str) -> None:
    assert kind in said(kim.get(f"/desk?{query}"))


def test_what_a_visitor_writes_is_never_html(desk: Service, kim: Colleague) -> None:
    nasty = "<img src=x onerror=alert(1)><b>bold</b>"
    ticket_from(desk, f"I want to {nasty}", name=nasty, page=f"https://x.example/{nasty}")
    for path in ("/desk", "/desk/tickets/1", f"/desk?q={nasty}", f"/desk?tag={nasty}", "/desk/tickets/1/suggestions"):
        page = kim.get(path).text
        assert "<img" not in page
        assert "<b>bold" not in page


def test_many_are_changed_at_once_and_who_changed_meanwhile_is_left(desk: Service, kim: Colleague) -> None:
    for _ in range(3):
        ticket_from(desk)
    ticks = [f"{number}:{version(desk, number)}" for number in (1, 2, 3)]
    visitor_says(desk, now_of(desk, 3), "One more thing.")
    fields = {"ticket": ticks, "assignee": kim.account.id, "priority": "urgent", "queue": "billing"}
    shown = said(kim.post("/desk/bulk", **fields))
    assert "2 changed, 1 left" in shown
    assert [(t.queue, t.priority, t.assignee) for t in (now_of(desk, 1), now_of(desk, 2))] == [("billing", "urgent", kim.account.id)] * 2
    assert now_of(desk, 3).assignee is None
    back = kim.post("/desk/bulk?view=mine", ticket=[f"1:{version(desk)}"], assignee="-")
    assert (back.status_code, back.headers["location"]) == (303, "/desk?view=mine&changed=1")
    assert now_of(desk, 1).assignee is None


@pytest.mark.parametrize(
    "fields", [{}, {"ticket": ["1:3"]}, {"ticket": ["x:y"], "priority": "high"}, {"ticket": ["1:3"], "priority": "soon"}]
)
def test_a_bulk_change_that_says_nothing_is_refused_kindly(desk: Service, kim: Colleague, fields: dict[str, Any]) -> None:
    ticket_from(desk)
    response = kim.post("/desk/bulk", **fields)
    assert response.status_code == 422
    assert "All open" in said(response)


def test_a_view_is_kept_and_dropped(kim: Colleague) -> None:
    kept = kim.post("/desk/views", name="Urgent bills", query="view=open&queue=billing&priority=urgent")
    assert kept.headers["location"] == "/desk?view=open&queue=billing&priority=urgent&said=view"
    assert "Urgent bills" in said(kim.get("/desk"))
    view_id = api(kim, "GET", "/views").json()["views"][0]["id"]
    stranger = Colleague.arrives(kim.app.state.service, app=kim.app)
    assert stranger.post(f"/desk/views/{view_id}/drop").status_code == 404
    assert "Urgent bills" not in said(stranger.get("/desk"))
    assert kim.post(f"/desk/views/{view_id}/drop").status_code == 303
    assert "Urgent bills" not in said(kim.get("/desk"))


def test_shortcuts_are_switched_off_and_on_in_this_browser(kim: Colleague) -> None:
    assert 'data-keys="on"' in kim.get("/desk").text
    off = kim.post("/desk/keys", back="/desk?view=mine")
    assert off.headers["location"] == "/desk?view=mine&said=keys-off"
    assert 'data-keys="off"' in kim.get("/desk").text
    assert kim.post("/desk/keys", on="on", back="//evil.example").headers["location"].startswith("/desk?")
    assert 'data-keys="on"' in kim.get("/desk").text


# ── a ticket ────────────────────────────────────────────────────────────────────────────────────────


def test_a_ticket_page_tells_the_whole_story(desk: Service, kim: Colleague) -> None:
    details = {"name": "Ada Palmer", "email": "ada@example.org", "account": "Acme", "verified": "ada@example.org", "browser": "Firefox 144"}
    ticket_from(desk, "How do I get a refund?", "That did not help.", **details)
    shown = said(kim.get("/desk/tickets/1"))
    for part in ("Ada Palmer Verified", "ada@example.org", "Acme", "Firefox 144", "The visitor asked for a person.", "Ask for a refund"):
        assert part in shown
    for part in ("First asked How do I get a refund?", "answered by quoting", "The assistant opened it in"):
        assert part in shown


def test_a_reply_reaches_the_visitor_and_takes_the_ticket(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    sent = act(kim, desk, "reply", text=f"{TEXT}\r\nBye", then="waiting_customer")
    assert sent.headers["location"] == "/desk/tickets/1?said=reply"
    last = said_in(desk, ticket)[-1]
    assert (last.role, last.text, last.content["agent"]) == (Role.AGENT, f"{TEXT}\nBye", "Kim Okafor")
    assert (now_of(desk, 1).state, now_of(desk, 1).assignee) == (TicketState.WAITING_CUSTOMER, kim.account.id)
    assert "Sent." in said(kim.get("/desk/tickets/1?said=reply"))


def test_a_stale_send_shows_what_came_and_keeps_the_text(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    seen = version(desk)
    visitor_says(desk, ticket, "It works now, never mind!")
    stale = act(kim, desk, "reply", text=TEXT, version=str(seen))
    assert stale.status_code == 409
    shown = said(stale)
    assert "Newer than what you had read" in shown
    assert shown.index("It works now, never mind!") < shown.index(TEXT)
    assert "Send anyway" in shown
    assert not any(message.role == Role.AGENT for message in said_in(desk, ticket))
    assert act(kim, desk, "reply", text=TEXT).status_code == 303


def test_a_gap_of_a_template_is_never_sent(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    refused = act(kim, desk, "reply", text="Hello [name], we are on it.")
    assert refused.status_code == 422
    assert "Hello [name], we are on it." in refused.text
    assert not any(message.role == Role.AGENT for message in said_in(desk, ticket))


def test_an_empty_reply_is_refused(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert act(kim, desk, "reply", text="  ").status_code == 422


def test_a_template_is_filled_from_the_ticket_and_says_what_is_missing(desk: Service, kim: Colleague) -> None:
    ticket_from(desk, "I want to export my dashboard.", name="Ada Palmer")
    first = kim.get("/desk/tickets/1?template=acknowledgement")
    assert "Hello Ada Palmer," in first.text
    assert "Still open: timeframe" in said(first)
    second = kim.get("/desk/tickets/1?template=acknowledgement&v_timeframe=today")
    assert "You will hear from me today" in second.text
    assert "Still open" not in said(second)
    assert kim.get("/desk/tickets/1?template=nothing").status_code == 404


def test_a_note_is_for_colleagues_only(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    assert act(kim, desk, "note", text="He is right, you know.").status_code == 303
    assert "Note by Kim Okafor" in said(kim.get("/desk/tickets/1"))
    assert not any("you know" in message.text for message in said_in(desk, ticket))


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_a_card_number_that_an_agent_pastes_is_never_stored(desk: Service, kim: Colleague, verb: str) -> None:
    ticket_from(desk)
    assert act(kim, desk, verb, text=f"He read it to me: {CARD}").status_code == 303
    page = kim.get("/desk/tickets/1").text
    assert "[CARD]" in page
    assert CARD not in page


def test_only_what_the_state_allows_is_offered_and_done(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert "Acknowledge" in said(kim.get("/desk/tickets/1"))
    refused = act(kim, desk, "move", to="closed")
    assert refused.status_code == 409
    for to in ("acknowledged", "resolved", "closed"):
        assert act(kim, desk, "move", to=to).status_code == 303
    shown = said(kim.get("/desk/tickets/1"))
    assert "Reopen" in shown
    assert "reopen it to write to the visitor" in shown
    with desk.database.read() as session:
        assert session.get_one(Conversation, now_of(desk, 1).conversation_id).holder == "assistant"
    assert act(kim, desk, "move", to="open").status_code == 303
    with desk.database.read() as session:
        assert session.get_one(Conversation, now_of(desk, 1).conversation_id).holder == "person"


def test_whose_it_is_where_and_how_soon(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert act(kim, desk, "assign", assignee=kim.account.id).status_code == 303
    assert act(kim, desk, "priority", priority="urgent").status_code == 303
    assert act(kim, desk, "tags", tags="VIP, export , ").status_code == 303
    ticket = now_of(desk, 1)
    assert (ticket.assignee, ticket.priority, ticket.tags) == (kim.account.id, "urgent", ["export", "vip"])
    assert act(kim, desk, "queue", queue="legal").status_code == 303
    assert (now_of(desk, 1).queue, now_of(desk, 1).assignee) == ("legal", None)
    assert act(kim, desk, "queue", queue="nowhere").status_code == 422
    history = said(kim.get("/desk/tickets/1"))
    assert "Kim Okafor gave it to Kim Okafor" in history


def test_a_ticket_is_given_only_to_people_of_the_desk(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    writer = account_of(desk, StaffRole.WRITER, name="Wri Ter")
    assert act(kim, desk, "assign", assignee=writer.id).status_code == 422
    assert act(kim, desk, "assign", assignee="nobody-at-all").status_code == 404
    assert now_of(desk, 1).assignee is None


def test_what_is_known_is_corrected_and_found_by_its_words(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert act(kim, desk, "fields", goal="Export to spreadsheets", browser="Opera", plan="").status_code == 303
    assert act(kim, desk, "contact", name="Ada Palmer", email="ada@example.org").status_code == 303
    ticket = now_of(desk, 1)
    assert (ticket.goal, ticket.browser, ticket.plan, ticket.contact_name) == ("Export to spreadsheets", "Opera", None, "Ada Palmer")
    for words in ("spreadsheets", "palmer"):
        assert "#1" in said(kim.get(f"/desk?q={words}"))


def test_a_proven_address_that_is_changed_is_proven_no_more(desk: Service, kim: Colleague) -> None:
    ticket_from(desk, email="ada@example.org", name="Ada", verified="ada@example.org")
    act(kim, desk, "contact", name="Ada Palmer", email="ada@example.org")
    assert now_of(desk, 1).contact_verified
    act(kim, desk, "contact", name="Ada Palmer", email="eve@example.org")
    assert not now_of(desk, 1).contact_verified


def test_merging_leads_to_the_ticket_that_goes_on(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    other = ticket_from(desk, "The very same trouble again.")
    merged = act(kim, desk, "merge", number=2, into="#1")
    assert merged.headers["location"] == "/desk/tickets/1?said=merge"
    shown = said(kim.get("/desk/tickets/1"))
    assert "The very same trouble again." in shown
    assert "From merged ticket 2" in shown
    assert "Merged into ticket 1" in said(kim.get("/desk/tickets/2"))
    act(kim, desk, "reply", text=TEXT)
    assert said_in(desk, other)[-1].text == TEXT


def test_a_reply_to_an_incident_reaches_every_linked_visitor_once(desk: Service, kim: Colleague) -> None:
    first, second = ticket_from(desk), ticket_from(desk)
    assert act(kim, desk, "link", number=2, incident="1").status_code == 303
    assert "also reaches 1 linked ticket" in said(kim.get("/desk/tickets/1"))
    act(kim, desk, "reply", text=TEXT)
    assert [sum(m.text == TEXT for m in said_in(desk, ticket)) for ticket in (first, second)] == [1, 1]
    assert act(kim, desk, "unlink", number=2).status_code == 303
    assert act(kim, desk, "link", number=2, incident="99").status_code == 404


def test_an_agent_judges_a_block_and_can_change_their_mind(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    number = blocked(desk, ticket.conversation_id)
    assert "Legal advice" in said(kim.get("/desk/tickets/1"))
    for right, pressed in (("yes", "true"), ("no", "false")):
        assert kim.post(f"/desk/decisions/{number}/judgement", ticket="1", right=right).headers["location"] == "/desk/tickets/1?said=judged"
        assert f'value="yes" aria-pressed="{pressed}"' in kim.get("/desk/tickets/1").text
    assert kim.post("/desk/decisions/999/judgement", ticket="1", right="yes").status_code == 404


def test_an_answer_can_become_a_faq_when_it_is_resolved(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert "should become a FAQ" not in said(kim.get("/desk/tickets/1"))
    answered_by(desk, 1, TEXT, then=TicketState.RESOLVED)
    assert "This should become a FAQ" in said(kim.get("/desk/tickets/1"))
    assert act(kim, desk, "faq").status_code == 303
    assert now_of(desk, 1).becomes_faq
    assert "Becomes a FAQ" in said(kim.get("/desk/tickets/1"))


def test_suggestions_say_where_they_come_from_and_send_nothing(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk, "How do I ask for a refund?")
    before = len(said_in(desk, ticket))
    shown = said(kim.get("/desk/tickets/1/suggestions"))
    assert "From Ask for a refund" in shown
    assert "Nothing is sent by itself" in shown
    assert len(said_in(desk, ticket)) == before


@pytest.mark.parametrize(
    "path", ["/desk/tickets/2", f"/desk/tickets/{2**40}", "/desk/tickets/2/suggestions", "/desk/tickets/2?template=resolution"]
)
def test_a_ticket_that_is_not_there_says_so_on_a_page(desk: Service, kim: Colleague, path: str) -> None:
    ticket_from(desk)
    missing = kim.get(path)
    assert missing.status_code == 404
    assert "This is not here" in said(missing)


def test_a_change_of_what_was_not_read_is_refused(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk)
    seen = str(version(desk))
    visitor_says(desk, ticket, "Wait!")
    changes = {"assign": {"assignee": ""}, "move": {"to": "acknowledged"}, "queue": {"queue": "legal"}, "priority": {"priority": "low"}}
    changes |= {"tags": {"tags": "x"}, "fields": {"goal": "y"}, "contact": {"name": "z"}}
    for verb, fields in changes.items():
        assert act(kim, desk, verb, **fields, version=seen).status_code == 409
    assert now_of(desk, 1).version == int(seen) + 1


def test_an_unknown_verb_is_not_there(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert act(kim, desk, "delete").status_code == 404


def test_opening_a_ticket_marks_it_read(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert "New." in said(kim.get("/desk"))
    kim.get("/desk/tickets/1")
    assert "New." not in said(kim.get("/desk"))


# ── templates, overview ─────────────────────────────────────────────────────────────────────────────


def test_an_own_template_is_previewed_kept_used_and_dropped(desk: Service, kim: Colleague) -> None:
    ticket_from(desk, name="Ada")
    fields = {"name": "greeting", "language": "en", "text": "Hello {name}, this is {agent}."}
    assert "Hello Ada, this is Kim Okafor." in said(kim.post("/desk/templates", **fields, do="preview"))
    assert "greeting" not in said(kim.get("/desk/templates"))
    assert kim.post("/desk/templates", **fields).status_code == 303
    assert "Greeting" in said(kim.get("/desk/templates"))
    assert "Hello Ada, this is Kim Okafor." in kim.get("/desk/tickets/1?template=greeting").text
    assert kim.post("/desk/templates/drop", name="greeting", language="en").status_code == 303
    assert kim.post("/desk/templates/drop", name="greeting", language="en").status_code == 404


def test_a_template_with_an_unknown_placeholder_keeps_what_was_typed(kim: Colleague) -> None:
    refused = kim.post("/desk/templates", name="x", language="en", text="Hello {planet}")
    assert refused.status_code == 422
    assert "Hello {planet}" in refused.text


def test_the_overview_prints_what_each_number_counts(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    shown = said(kim.get("/desk/overview?days=30"))
    assert "1 Tickets opened Tickets opened in this time, by whatever reason." in shown
    assert kim.get("/desk/overview?days=nonsense").status_code == 200


# ── the interface ───────────────────────────────────────────────────────────────────────────────────


def test_everything_can_be_done_over_the_interface(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk, name="Ada")
    ticket_from(desk)
    listed = api(kim, "GET", "/tickets?view=unassigned").json()
    assert [one["number"] for one in listed["tickets"]] == [1, 2]
    assert (listed["views"]["open"], listed["next"]) == (2, None)
    done = [
        ("note", {"text": "A note."}),
        ("assign", {"assignee": kim.account.id}),
        ("move", {"to": "acknowledged"}),
        ("priority", {"priority": "high"}),
        ("tags", {"tags": ["vip"]}),
        ("fields", {"fields": {"plan": "Team"}}),
        ("contact", {"name": "Ada Palmer", "email": ""}),
        ("link", {"incident": 2}),
        ("unlink", {}),
        ("faq", {}),
        ("reply", {"text": TEXT, "then": "resolved"}),
    ]
    for verb, body in done:
        with_version = body if verb in {"note", "faq"} else {**body, "version": version(desk)}
        changed = api(kim, "POST", f"/tickets/1/{verb}", with_version)
        assert changed.status_code == 200, (verb, changed.text)
        assert changed.json()["version"] == version(desk)
    shown = api(kim, "GET", "/tickets/1").json()
    assert (shown["state"], shown["priority"], shown["tags"], shown["fields"]["plan"]) == ("resolved", "high", ["vip"], "Team")
    assert shown["moves"] == ["open", "closed"]
    assert shown["briefing"]["why"] == "The visitor asked for a person."
    assert shown["said"][-1]["kind"] == "event"
    assert said_in(desk, ticket)[-1].text == TEXT
    merged = api(kim, "POST", "/tickets/1/merge", {"into": 2, "into_version": version(desk, 2), "version": version(desk)})
    assert merged.json()["state"] == "closed"


def test_the_interface_refuses_what_was_not_read_with_a_problem(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    assert is_problem(api(kim, "POST", "/tickets/1/reply", {"text": TEXT, "version": 1}), 409)
    assert is_problem(api(kim, "POST", "/tickets/1/reply", {"text": TEXT}), 422)
    assert is_problem(api(kim, "POST", "/tickets/1/reply", {"text": TEXT, "version": version(desk), "surprise": 1}), 422)
    assert is_problem(api(kim, "POST", "/tickets/1/fields", {"fields": {"id": "x"}, "version": version(desk)}), 422)
    assert is_problem(api(kim, "GET", "/tickets/9"), 404)


def test_a_note_that_is_sent_twice_is_kept_once(desk: Service, kim: Colleague) -> None:
    ticket_from(desk)
    note = {"text": "Only once.", "id": "0" * 31 + "1"}
    first, second = (api(kim, "POST", "/tickets/1/note", note).json()["version"] for _ in range(2))
    assert first == second


def test_templates_views_bulk_judgements_and_numbers_over_the_interface(desk: Service, kim: Colleague) -> None:
    ticket = ticket_from(desk, name="Ada")
    number = blocked(desk, ticket.conversation_id)
    assert api(kim, "PUT", "/templates", {"name": "hi", "text": "Hi {name}"}).status_code == 204
    assert [one["name"] for one in api(kim, "GET", "/templates").json()["templates"] if one["own"]] == ["hi"]
    previewed = api(kim, "POST", "/templates/preview", {"text": "Hi {name}, {tip}", "number": 1}).json()
    assert previewed == {"text": "Hi Ada, [tip]", "missing": ["tip"]}
    assert api(kim, "DELETE", "/templates/en/hi").status_code == 204
    kept = api(kim, "PUT", "/views", {"name": "mine", "query": "view=mine"}).json()
    assert api(kim, "DELETE", f"/views/{kept['id']}").status_code == 204
    assert is_problem(api(kim, "DELETE", f"/views/{kept['id']}"), 404)
    assert api(kim, "PUT", f"/decisions/{number}/judgement", {"right": True}).status_code == 204
    assert is_problem(api(kim, "PUT", "/decisions/999/judgement", {"right": True}), 404)
    changed = api(
        kim, "POST", "/bulk", {"tickets": [{"number": 1, "version": version(desk)}, {"number": 7, "version": 1}], "priority": "low"}
    ).json()
    assert (changed["changed"], list(changed["left"])) == ([1], ["7"])
    assert api(kim, "GET", "/overview?days=1").json()["blocks"][0]["right"] == 1
    assert api(kim, "GET", "/tickets/1/suggestions").status_code == 200


def test_a_visitor_has_no_way_into_the_desk(desk: Service) -> None:
    ticket_from(desk)
    from api.app import create

    stranger = TestClient(create(desk), base_url="https://testserver")
    for path in ("/api/desk/tickets", "/api/desk/tickets/1", "/api/desk/overview", "/desk/events"):
        assert is_problem(stranger.get(path), 401)


def test_a_list_of_more_than_fifty_goes_on_where_it_ended(desk: Service, kim: Colleague) -> None:
    for _ in range(51):
        ticket_from(desk)
    given(desk, now_of(desk, 51), priority="low")
    first = api(kim, "GET", "/tickets").json()
    second = api(kim, "GET", f"/tickets?after={first['next']}").json()
    assert len(first["tickets"]) == 50
    assert [one["number"] for one in second["tickets"]] == [51]
    assert "Next 50" in said(kim.get("/desk"))
