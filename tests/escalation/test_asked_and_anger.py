"""Asking for a person and being angry, in five languages, with what only looks like it."""

import pytest

from escalation import asked, hearing
from escalation.anger import anger
from escalation.asked import asks_for_person
from escalation.settings import EscalationSettings

ANGRY_FROM = EscalationSettings().anger_from


@pytest.mark.parametrize(("text", "asks"), asked.examples())
def test_the_patterns_know_their_own_examples_and_look_alikes(text: str, asks: bool) -> None:
    assert asks_for_person(text) is asks


# written after the patterns, to see what they do with texts they were not written for
FRESH = [
    ("can you get somebody from your team on this please", True),
    ("I would like to speak to an advisor about this", True),
    ("Give me a human!!!", True),
    ("human please", True),
    ("just let me talk to someone", True),
    ("Is there a real person I can chat with?", True),
    ("please transfer me to an agent", True),
    ("I need to speak with your supervisor", True),
    ("Ich will mit jemandem reden", True),
    ("Bitte einen Mitarbeiter", True),
    ("Verbinden Sie mich mit dem Kundendienst", True),
    ("je voudrais parler à quelqu'un", True),
    ("un conseiller s'il vous plaît", True),
    ("quiero hablar con alguien", True),
    ("páseme con un agente", True),
    ("queria falar com alguém do suporte", True),
    ("atendente, por favor", True),
    ("The export fails. Can I talk to a person about that?", True),
    ("can a person with an editor role delete a board", False),
    ("how many people can join a call", False),
    ("where can I see who an issue is assigned to", False),
    ("my agent number is 4471, where do I enter it", False),
    ("the representative payee field is empty", False),
    ("talk mode is not working in the app", False),
    ("How do I contact the courier about my parcel?", False),
    ("no need to call me, an answer here is enough", False),
    ("Can two users talk to each other in the app?", False),
    ("wie viele Personen passen in ein Team", False),
    ("Mitarbeiter können sich nicht anmelden", False),
    ("combien de personnes peuvent se connecter", False),
    ("cuántas personas caben en el plan", False),
    ("quantas pessoas cabem no plano", False),
    ("reset my password", False),
    ("", False),
]


@pytest.mark.parametrize(("text", "asks"), FRESH)
def test_fresh_wordings(text: str, asks: bool) -> None:
    assert asks_for_person(text) is asks


def test_a_wish_beside_a_look_alike_is_still_heard() -> None:
    assert asks_for_person("My customers can talk to agents in the widget. But now I want to talk to a human.")


def test_the_learned_voice_alone_is_enough_when_it_is_sure_and_nothing_denies_it() -> None:
    assert asks_for_person("this is beyond a machine", heard=0.9, heard_from=0.85)
    assert not asks_for_person("this is beyond a machine", heard=0.8, heard_from=0.85)
    assert not asks_for_person("I don't need a human", heard=0.99, heard_from=0.85)


def test_the_shipped_voice_was_learned_from_the_shipped_examples() -> None:
    assert hearing.load().made_of == hearing.made_of(), "run: python -m evals.escalation_exam fit"


ANGRY = [
    ("en", "This is useless, I have told you three times!!!"),
    ("en", "are you kidding me?!"),
    ("en", "WHY DOES THIS NEVER WORK!!!"),
    ("en", "fed up with this app"),
    ("de", "Das ist eine Frechheit, so ein Saftladen"),
    ("fr", "C'est inadmissible, j'en ai marre"),
    ("es", "Es una vergüenza, estoy harto"),
    ("pt", "Isto é uma vergonha, estou farto"),
]
CALM = [
    ("en", "It still does not work again, could you have another look?"),
    ("en", "RESET MY PASSWORD"),
    ("en", "I get ERR_CONNECTION_REFUSED and HTTP 500"),
    ("en", "Great, thanks!!"),
    ("en", 'it says "ACCESS DENIED FOR THIS USER"'),
    ("en", "is this e-mail a scam?"),
    ("de", "Es geht immer noch nicht, schon wieder derselbe Fehler"),
    ("fr", "La page ne s'ouvre toujours pas"),
    ("es", "Otra vez me pide la contraseña"),
    ("pt", "Ainda não recebi o código"),
    ("en", ""),
]


@pytest.mark.parametrize(("language", "text"), ANGRY)
def test_angry_messages_reach_the_limit(language: str, text: str) -> None:
    found = anger(text, language)
    assert found.weight >= ANGRY_FROM
    assert found.signs
    assert anger(text).weight >= ANGRY_FROM


@pytest.mark.parametrize(("language", "text"), CALM)
def test_calm_messages_stay_below_it(language: str, text: str) -> None:
    assert anger(text, language).weight < ANGRY_FROM
