"""Greetings, thanks and goodbyes, which need no search: recognised only when they are the whole message."""

import re
from enum import StrEnum


class Smalltalk(StrEnum):
    """What kind of small talk a message is; also the name of the sentence that answers it."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"


# Words that may stand around the phrase without turning it into a question.
FILLERS = frozenset(
    """
    there you all everyone team again so very much a lot many for your the help is it was that me dear sir madam bot
    assistant please ihr euch zusammen liebes team sehr vielen ganz herzlichen für die ihre deine hilfe schön à tous
    beaucoup bien pour votre aide vous l équipe a todos muchas muchísimas por la su tu ayuda equipo pessoal muito muita pela
    sua ajuda equipa equipe tudo
    """.split(),
)
PHRASES: dict[Smalltalk, frozenset[str]] = {
    Smalltalk.GREETING: frozenset(
        """
        hi hello hey heya hiya howdy greetings yo hallo guten_tag guten_morgen guten_abend moin servus grüezi bonjour salut
        bonsoir coucou hola buenas buenos_días buenos_dias buenas_tardes buenas_noches olá ola oi bom_dia boa_tarde
        boa_noite good_morning good_afternoon good_evening good_day
        """.split(),
    ),
    Smalltalk.THANKS: frozenset(
        """
        thanks thank_you thx ty cheers ta great perfect awesome cool ok okay got_it dank danke dankeschön danke_schön merci
        gracias obrigado obrigada valeu super parfait perfecto genial perfeito ótimo
        """.split(),
    ),
    Smalltalk.GOODBYE: frozenset(
        """
        bye goodbye bye_bye see_you see_ya farewell tschüss tschüs auf_wiedersehen ciao au_revoir à_bientôt adiós adios
        hasta_luego chao tchau adeus até_logo até_breve
        """.split(),
    ),
}
MAX_WORDS = 8


def smalltalk(text: str) -> Smalltalk | None:
    """The kind of small talk that a whole message is, or None when it says anything more."""
    words = re.findall(r"[^\W_]+", text.lower())
    if not words or len(words) > MAX_WORDS or "?" in text:
        return None
    found: list[Smalltalk] = []
    at = 0
    while at < len(words):
        for kind, length in _phrase_at(words, at):
            found.append(kind)
            at += length
            break
        else:
            if words[at] not in FILLERS:
                return None
            at += 1
    order = (Smalltalk.GOODBYE, Smalltalk.THANKS, Smalltalk.GREETING)
    return next((kind for kind in order if kind in found), None)


def _phrase_at(words: list[str], at: int) -> list[tuple[Smalltalk, int]]:
    """Phrases that begin at a word, the longest first."""
    found = []
    for length in (2, 1):
        phrase = "_".join(words[at : at + length])
        found += [(kind, length) for kind, phrases in PHRASES.items() if phrase in phrases]
    return found
