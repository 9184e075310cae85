"""One turn from message to reply: what was found and how sure it is decide how it ends, and it ends once."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api.bootstrap import Service
from assistant import answer, learning
from assistant.conversation import Incoming, StillRunning
from assistant.tables import ConversationId, Message, Outcome, Turn
from assistant.turn import Step, take_turn
from assistant.wording import LANGUAGES, say
from guardrails.drafts import DraftToScreen
from guardrails.findings import Action, Verdict
from knowledge.confidence import Band
from knowledge.loop_tables import Gap
from knowledge.passages import plain
from tests.builders import Decided, article, begin, decided, faq, publish, say_to, together, wait_until


@pytest.fixture
def stocked(service_on_both: Service) -> Service:
    publish(
        service_on_both,
        article(),
        article("invoices", "Download an invoice", "Open **Invoices** and press **Download**."),
        faq(),
        article("urlaub", "Urlaub beantragen", "Öffne den Kalender und wähle die Tage.", language="de"),
    )
    return service_on_both


HOUR = timedelta(hours=1)


def outcome(message: Message) -> str:
    return str(message.content["outcome"])


def gaps(service: Service) -> list[Gap]:
    learning.collect(service.assistant, now=service.now() + HOUR)
    with service.database.read() as session:
        return list(session.scalars(select(Gap).order_by(Gap.at)))


def count(service: Service, table: type) -> int:
    with service.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def lone(service: Service, band: Band, text: str, **more: Any) -> Message:
    """The reply to one message in a conversation of its own."""
    sure = decided(service, band)
    return say_to(sure, begin(sure).id, text, **more)


# ── how turns end ───────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_answered_with_its_source(stocked: Service) -> None:
    reply = lone(stocked, Band.ANSWER, "ask for a refund")
    (source,) = reply.content["sources"]
    assert outcome(reply) == Outcome.ANSWERED_QUOTED
    assert "Press **Refund**" in reply.text
    assert (source["number"], source["title"], source["url"], source["revision"]) == (1, "Ask for a refund", "/help/ask-for-a-refund", 1)
    assert source["quote"] in reply.text
    assert gaps(stocked) == []


def test_a_faq_is_answered_word_for_word(stocked: Service) -> None:
    reply = lone(stocked, Band.ANSWER, "How long is the trial?")
    assert (outcome(reply), reply.text) == (Outcome.ANSWERED_FAQ, "The trial lasts 14 days.")


def test_an_article_with_an_address_of_its_own_is_linked_there(service: Service) -> None:
    publish(service, article(url="https://docs.example.org/refund"))
    reply = lone(service, Band.ANSWER, "refund")
    assert reply.content["sources"][0]["url"] == "https://docs.example.org/refund"


def test_a_source_in_another_language_is_announced(stocked: Service) -> None:
    reply = lone(stocked, Band.ANSWER, "Wie kann ich den Urlaub im Kalender beantragen? refund")
    english = lone(stocked, Band.ANSWER, "Wie bekomme ich bitte einen refund, und was muss ich dafür tun?")
    assert "Englisch" not in reply.text
    assert "Englisch" in english.text
    assert reply.content["language"] == "de"


def test_an_unsure_search_offers_the_nearest_titles(stocked: Service) -> None:
    reply = lone(stocked, Band.UNSURE, "refund invoice")
    assert outcome(reply) == Outcome.OFFERED_CHOICES
    assert reply.content["sources"] == []
    assert {"Ask for a refund", "Download an invoice"} <= {choice["title"] for choice in reply.content["choices"]}
    assert [gap.kinds for gap in gaps(stocked)] == [["abandoned"]]


def test_each_choice_has_a_line_of_what_its_article_says(stocked: Service) -> None:
    previews = {choice["title"]: choice["preview"] for choice in lone(stocked, Band.UNSURE, "refund invoice").content["choices"]}
    assert "Press Refund" in previews["Ask for a refund"]
    assert previews["Download an invoice"] == "Open Invoices and press Download."
    assert previews["How long is the trial?"] == "The trial lasts 14 days."


def test_a_preview_that_may_not_leave_is_left_out_and_its_title_stays(stocked: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def outgoing(draft: DraftToScreen, vectors: object = None) -> Verdict:
        return Verdict((), Action.REFUSE if "Refund" in draft.text else None, "", None, {})

    service = decided(stocked, Band.UNSURE)
    monkeypatch.setattr(service.assistant.guard, "outgoing", outgoing)
    choices = say_to(service, begin(service).id, "refund invoice").content["choices"]
    previews = {choice["title"]: choice["preview"] for choice in choices}
    assert previews["Ask for a refund"] == ""
    assert previews["Download an invoice"] != ""


def test_a_picked_title_answers_the_question_it_was_offered_for(stocked: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[str] = []
    compose = answer.compose

    def noting(question: str, *more: Any) -> answer.Draft | None:
        answered.append(question)
        return compose(question, *more)

    service = decided(stocked, Band.UNSURE)
    monkeypatch.setattr(answer, "compose", noting)
    started = begin(service)
    offered = say_to(service, started.id, "which refund does an invoice get").content["choices"]
    chosen = next(choice for choice in offered if choice["title"] == "Download an invoice")
    say_to(service, started.id, "Download an invoice", choice=chosen["article_id"])
    say_to(service, started.id, "and what does it cost", choice=chosen["article_id"])
    assert answered[0] == "which refund does an invoice get"
    assert "cost" in answered[1]


def test_a_picked_choice_is_answered_from_that_article(stocked: Service) -> None:
    service = decided(stocked, Band.UNSURE)
    started = begin(service)
    offered = say_to(service, started.id, "refund invoice").content["choices"]
    chosen = next(choice for choice in offered if choice["title"] == "Download an invoice")
    reply = say_to(service, started.id, "refund invoice", choice=chosen["article_id"])
    assert outcome(reply) == Outcome.ANSWERED_QUOTED
    assert [source["article_id"] for source in reply.content["sources"]] == [chosen["article_id"]]


def test_a_picked_choice_is_answered_even_when_the_search_does_not_find_it(stocked: Service) -> None:
    with stocked.database.read() as session:
        id_ = next(
            row.article_id
            for row in stocked.library.find("invoice", stocked.assistant.embed(["invoice"])).passages
            if row.title.startswith("Down")
        )
        assert session is not None
    reply = lone(stocked, Band.NOT_COVERED, "zzz", choice=id_)
    assert [source["title"] for source in reply.content["sources"]] == ["Download an invoice"]


def test_a_choice_that_is_gone_is_treated_as_a_question(stocked: Service) -> None:
    assert outcome(lone(stocked, Band.NOT_COVERED, "something else", choice="0" * 32)) == Outcome.UNANSWERED_NOT_COVERED


@pytest.mark.parametrize("contact", ["", "support@tallyboard.example"])
def test_what_is_not_covered_is_said_plainly_and_recorded_as_a_gap(stocked: Service, contact: str) -> None:
    settings = stocked.assistant.settings.model_copy(update={"contact": contact})
    service = replace(stocked, assistant=replace(stocked.assistant, settings=settings))
    reply = lone(service, Band.NOT_COVERED, "Do you sell bicycles?")
    (gap,) = gaps(service)
    assert outcome(reply) == Outcome.UNANSWERED_NOT_COVERED
    assert reply.text.startswith(say("not_covered", "en"))
    assert say("offer_person", "en") in reply.text
    assert contact in reply.text
    assert (gap.question, gap.kinds) == ("Do you sell bicycles?", ["nothing_found"])


def test_a_gap_holds_no_personal_data(stocked: Service) -> None:
    lone(stocked, Band.NOT_COVERED, "Please send the bicycle to ada.lovelace@example.org or call +43 664 1234567")
    (gap,) = gaps(stocked)
    assert "ada.lovelace@example.org" not in gap.question
    assert "1234567" not in gap.question
    assert "bicycle" in gap.question


def test_nothing_published_is_nothing_covered(service: Service) -> None:
    assert outcome(say_to(service, begin(service).id, "How do I get a refund?")) == Outcome.UNANSWERED_NOT_COVERED


@pytest.mark.parametrize(
    ("text", "kind"), [("Hello!", "greeting"), ("thanks a lot", "thanks"), ("Goodbye", "goodbye"), ("Danke schön!", "thanks")]
)
def test_small_talk_is_answered_without_a_search(stocked: Service, text: str, kind: str) -> None:
    service = decided(stocked, Band.ANSWER)
    reply = say_to(service, begin(service).id, text)
    library: Any = service.assistant.library
    assert outcome(reply) == Outcome.SMALLTALK
    assert reply.text in {say(kind, language, product="Tallyboard") for language in LANGUAGES}
    assert isinstance(library, Decided)
    assert library.asked == []


def test_a_follow_up_is_searched_together_with_what_it_points_to(stocked: Service) -> None:
    service = decided(stocked, Band.ANSWER)
    started = begin(service)
    say_to(service, started.id, "How do I ask for a refund?")
    say_to(service, started.id, "and on mobile?")
    library: Any = service.assistant.library
    assert library.asked == ["How do I ask for a refund?", "and on mobile?\nHow do I ask for a refund?"]


@pytest.mark.parametrize("band", [Band.ANSWER, Band.UNSURE])
def test_an_article_that_goes_between_search_and_quoting_is_not_quoted(stocked: Service, band: Band) -> None:
    found = stocked.library.find("refund", stocked.assistant.embed(["refund"]))
    ids = {hit.article_id for hit in found.passages}

    def goes() -> None:
        for article_id in list(ids):
            ids.discard(article_id)
            stocked.library.publisher.delete(article_id)

    service = decided(stocked, band, before_quoting=goes)
    reply = say_to(service, begin(service).id, "refund")
    assert outcome(reply) == Outcome.UNANSWERED_NOT_COVERED
    assert reply.content["sources"] == []
    assert "Refund" not in reply.text


@pytest.mark.parametrize("how", ["delete", "retire"])
def test_the_answer_after_a_deletion_does_not_use_the_article(stocked: Service, how: str) -> None:
    service = decided(stocked, Band.ANSWER)
    started = begin(service)
    (source,) = say_to(service, started.id, "ask for a refund").content["sources"]
    if how == "delete":
        service.library.publisher.delete(source["article_id"])
    else:
        service.library.publisher.retire([source["article_id"]], now=service.now())
    reply = say_to(service, started.id, "ask for a refund")
    assert source["article_id"] not in {s["article_id"] for s in reply.content["sources"]}
    assert "Press **Refund**" not in reply.text


def test_a_turn_leaves_a_trace_of_how_it_came_about(stocked: Service) -> None:
    lone(stocked, Band.ANSWER, "ask for a refund")
    with stocked.database.read() as session:
        (turn,) = session.scalars(select(Turn))
    assert turn.question == "ask for a refund"
    assert turn.trace["hits"][0]["score"] > 0
    assert turn.trace["milliseconds"] > 0
    assert turn.probability is not None


def test_progress_is_told_step_by_step(stocked: Service) -> None:
    steps: list[Step] = []
    service = decided(stocked, Band.ANSWER)
    take_turn(service.assistant, begin(service).id, Incoming("refund"), now=service.now(), progress=steps.append)
    assert steps == [Step.RECEIVED, Step.SEARCHING, Step.ANSWERING]


# ── once ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_message_again_gets_the_same_reply_without_a_second_search(stocked: Service) -> None:
    service = decided(stocked, Band.ANSWER)
    started = begin(service)
    first = say_to(service, started.id, "refund", "m1")
    again = say_to(service, started.id, "refund", "m1")
    library: Any = service.assistant.library
    assert again.id == first.id
    assert library.asked == ["refund"]


def test_fifty_twins_at_once_are_one_message_and_one_reply(stocked: Service) -> None:
    service = decided(stocked, Band.ANSWER)
    started = begin(service)
    results = together(50, lambda _: take_turn(service.assistant, started.id, Incoming("refund", "m1"), now=service.now()))
    assert {type(result) for result in results} <= {Message, StillRunning}
    assert len({result.id for result in results if isinstance(result, Message)}) == 1
    assert count(service, Message) == 2
    library: Any = service.assistant.library
    assert library.asked == ["refund"]


def test_a_twin_is_told_to_wait_while_the_turn_runs(stocked: Service) -> None:
    searching, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        searching.set()
        assert go_on.wait(30)

    service = decided(stocked, Band.ANSWER, before_quoting=wait)
    started = begin(service)
    turn = threading.Thread(target=say_to, args=(service, started.id, "refund", "m1"))
    turn.start()
    assert searching.wait(30)
    assert isinstance(take_turn(service.assistant, started.id, Incoming("refund", "m1"), now=service.now()), StillRunning)
    go_on.set()
    turn.join()
    assert outcome(say_to(service, started.id, "refund", "m1")) == Outcome.ANSWERED_QUOTED
    assert count(service, Message) == 2


class Killed(BaseException):
    """As if the process ended here: nothing below is asked to tidy up."""


def killed_turn(service: Service, to: ConversationId, text: str) -> None:
    def dies() -> None:
        raise Killed

    dying = decided(service, Band.ANSWER, before_quoting=dies)
    with pytest.raises(Killed):
        take_turn(dying.assistant, to, Incoming(text, "m1"), now=service.now())


def test_a_turn_killed_before_its_reply_runs_again_after_the_lease(stocked: Service, clock: Any) -> None:
    service = decided(stocked, Band.ANSWER)
    started = begin(service)
    killed_turn(stocked, started.id, "refund")
    clock.move(service.assistant.settings.turn_lease_seconds)
    reply = say_to(service, started.id, "refund", "m1")
    assert outcome(reply) == Outcome.ANSWERED_QUOTED
    assert count(service, Message) == 2
    with service.database.read() as session:
        assert session.scalars(select(Turn.attempt)).all() == [2]


def test_a_turn_that_fails_loses_nothing_and_can_be_run_again(stocked: Service, clock: Any) -> None:
    def breaks() -> None:
        raise RuntimeError("the index does not answer")

    broken = decided(stocked, Band.ANSWER, before_quoting=breaks)
    started = begin(broken)
    with pytest.raises(RuntimeError):
        take_turn(broken.assistant, started.id, Incoming("refund", "m1"), now=clock())
    assert count(stocked, Message) == 1
    assert outcome(say_to(decided(stocked, Band.ANSWER), started.id, "refund", "m1")) == Outcome.ANSWERED_QUOTED


def test_a_question_that_was_asked_twice_at_once_is_one_gap(stocked: Service) -> None:
    service = decided(stocked, Band.NOT_COVERED)
    started = begin(service)
    together(10, lambda _: take_turn(service.assistant, started.id, Incoming("bicycles?", "m1"), now=service.now()))
    wait_until(lambda: count(service, Message) == 2)
    assert len(gaps(service)) == 1


# ── the real encoders over the sample help centre ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How do I reset my password?", "password"),
        ("How can I invite my colleagues?", "invite"),
        ("I want my money back for the yearly plan", "refund"),
    ],
)
def test_a_question_about_the_sample_is_answered_or_offered_with_the_right_article(sample: Service, question: str, title: str) -> None:
    reply = say_to(sample, begin(sample).id, question)
    titles = [entry["title"].lower() for entry in reply.content["sources"] + reply.content["choices"]]
    assert any(title in found for found in titles), (reply.text, titles)


@pytest.mark.parametrize("question", ["Who won the 1998 football world cup?", "What is the boiling point of tungsten?"])
def test_a_question_the_sample_does_not_cover_is_not_answered(sample: Service, question: str) -> None:
    reply = say_to(sample, begin(sample).id, question)
    assert outcome(reply) == Outcome.UNANSWERED_NOT_COVERED
    assert "support@tallyboard.example" in reply.text


def test_every_quoted_word_stands_in_the_cited_article(sample: Service) -> None:
    service = decided(sample, Band.ANSWER)
    for question in ("How do I connect Postgres?", "my dashboard is slow", "Can I export all my data?"):
        reply = say_to(service, begin(service).id, question)
        with service.database.read() as session:
            for source in reply.content["sources"]:
                assert source["quote"] in reply.text
                places = service.library.places(session, [source["article_id"]])[source["article_id"]]
                whole = plain("\n".join("\n".join([*place.passage.heading_path, place.passage.text]) for place in places))
                assert [line for line in source["quote"].splitlines() if plain(line) not in whole] == []
