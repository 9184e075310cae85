"""Wordings that visitors confirmed: learned by the FAQ that answered them, when two people said so, and nothing of one person."""

from api.bootstrap import Service
from assistant import conversation, learning
from assistant.turn import Assistant
from knowledge import deciding, suggestions
from knowledge.confidence import Band
from knowledge.deciding import Decision
from knowledge.loop_tables import SuggestionId, SuggestionKind
from knowledge.publishing import Refused
from knowledge.suggestions import Proposal
from knowledge.support import Sentence, Source
from knowledge.tables import Article
from tests.builders import begin, decided, faq, publish, say_to

WORDINGS = ("how many days is the trial", "trial length please", "how long is the trial for order 88123")


def asks(service: Service, question: str, *, helpful: bool = True) -> None:
    """A visitor asks, is answered, and gives a thumb."""
    sure = decided(service, Band.ANSWER)
    started = begin(sure)
    reply = say_to(sure, started.id, question)
    assert reply.content["outcome"] == "answered_faq"
    with service.database.write() as session:
        conversation.rate(session, started.id, reply.id, helpful=helpful, reason="", now=service.now())


def confirm(service: Service) -> int:
    assistant: Assistant = service.assistant
    return learning.confirm(assistant, now=service.now())


def only(service: Service) -> Article:
    with service.database.read() as session:
        return session.query(Article).one()


def test_two_people_teach_a_faq_how_it_is_asked_for_and_a_second_run_changes_nothing(service: Service) -> None:
    publish(service, faq())
    for question in WORDINGS[:2]:
        asks(service, question)
    assert confirm(service) == 1
    taught = only(service)
    assert sorted(taught.learned) == sorted(WORDINGS[:2])
    assert taught.body == "The trial lasts 14 days."
    assert confirm(service) == 0
    assert only(service).revision == taught.revision


def test_one_person_teaches_nothing_and_a_thumb_down_is_no_voice(service: Service) -> None:
    publish(service, faq())
    asks(service, WORDINGS[0])
    asks(service, WORDINGS[1], helpful=False)
    assert confirm(service) == 0
    assert only(service).learned == []


def test_nothing_of_one_persons_case_is_learned(service: Service) -> None:
    publish(service, faq())
    for question in WORDINGS:
        asks(service, question)
    confirm(service)
    assert "88123" not in str(only(service).learned)


def test_an_accepted_suggestion_goes_on_learning_and_keeps_its_reviewer(service: Service) -> None:
    said = Sentence("The trial lasts 14 days.", (Source("message", "1", "t", "The trial lasts 14 days."),), supported=True)
    draft = Proposal(SuggestionKind.NEW, "How long is the trial?", said.text, [said], "3 people", "en", 1.0, wordings=("trial days",))
    with service.database.write() as session:
        row = suggestions.propose(session, draft, SuggestionId(service.new_id()), now=service.now())
    deciding.accept(service.library, row.id, Decision("ada", row.version), now=service.now())
    for question in WORDINGS[:2]:
        asks(service, question)
    assert confirm(service) == 1
    taught = only(service)
    assert taught.learned[0] == "trial days"
    assert set(WORDINGS[:2]) < set(taught.learned)
    assert (taught.state, taught.reviewed_by) == ("published", "ada")


def test_one_person_has_one_voice_however_often_they_ask(service: Service) -> None:
    publish(service, faq())
    asks(service, WORDINGS[0])
    sure = decided(service, Band.ANSWER)
    started = begin(sure)
    for question in (WORDINGS[1], "what does it cost", "where is the office"):
        reply = say_to(sure, started.id, question)
        with service.database.write() as session:
            conversation.rate(session, started.id, reply.id, helpful=True, reason="", now=service.now())
    confirm(service)
    assert sorted(only(service).learned) == sorted(WORDINGS[:2])


def test_a_wording_that_a_protected_question_speaks_against_is_not_learned_and_stops_nothing(service: Service) -> None:
    publish(service, faq())
    for question in WORDINGS[:2]:
        asks(service, question)

    def refuse(*_: object) -> None:
        raise Refused("a protected question would not be answered any more")

    service.library.publisher.gate = refuse
    assert confirm(service) == 0
    assert only(service).learned == []
