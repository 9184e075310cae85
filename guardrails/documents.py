"""Which lines of a help article could be orders to the assistant: found by their shape, before anything is embedded."""

import re
from dataclasses import dataclass

from guardrails.checks import injection

NEARBY = 20  # lines before and after that say what a line should be like
MOST_DOUBTFUL = 6  # lines of one passage are embedded at most: a passage of questions is a list of FAQs
LONGEST = 240  # characters; a longer line is prose
SHORTEST_REST = 120  # characters the rest of the passage needs, to say what the line should be like

_PLACEHOLDER = re.compile(r"[<\[{]|^\s*(?:[-*•#|>]|\d{1,3}[.)])")
_COMMISSION = re.compile(
    r"(?:can you |could you |please )?(?:draft|compose|write|develop|explain|describe|provide|give|tell me|summari[sz]e|translate|recite"
    r"|break down|what are the|how do (?:\w+ ){1,3}work|show me"
    r"|compare|discuss)\b"
    r"[^:{}()<>=]{12,200}[^:,;]$",
    re.IGNORECASE,
)
_MACHINE = r"ai|assistants?|language models?|llms?|chat ?bots?|sprachmodell\w*|modelo de lenguaje|modelo de linguagem|modèle de langage"
# An article speaks to its readers. Whoever writes about them, or to a machine, has somebody else in mind.
# None of these is found in any of the 4,081 documents of evals' public folders and the sample, but one.
_NOT_TO_READERS = tuple(
    re.compile(rule, re.IGNORECASE | re.MULTILINE)
    for rule in (
        rf"\b(?:{_MACHINE})\b[^.!?\n]{{0,40}}?\b(?:must|shall|has to|have to|is to|are to|muss|müssen|soll\w*|doit|debe\w*|deve\w*)\b",
        rf"(?:^|[\s(\[<!-])(?:\w+\s+(?:to|for|an|für|para|a|à|al)\s+(?:the\s+|das\s+|el\s+|le\s+|o\s+)?)?(?:{_MACHINE})\s*:\s*\w",
        (
            r"\b(?:internal|hidden|secret|interne|versteckte|interna|oculta|cachée|secreta)\s+"
            r"(?:order|instruction|directive|command|anweisung|instrucci[oó]n|instruç[aã]o|consigne)\w*\b[^.\n]{0,40}:"
        ),
        (
            r"\b(?:order|instruction|directive|anweisung|instrucci[oó]n|instruç[aã]o|consigne|orden|ordem)\s+"
            r"(?:interne|interna|intern|oculta|cachée|secr[eè]te|secreta|versteckt)\b[^.\n]{0,40}:"
        ),
        (
            r"(?:^|[.\]]\s{0,3})\[?(?:system|developer|assistant)\]?(?:\([^)\n]{0,60}\))?\s{0,3}:?\s{1,3}"
            r"you (?:have|are|must|may|can|will|now)\b"
        ),
        (
            r"\b(?:réservée?s?|destinée?s?|reserved|meant|intended|only|nur|bestimmt|reservad[oa]s?|destinad[oa]s?)\s+"
            rf"(?:à|a|for|für|para|pour|ao)\s+(?:l['’]|the\s+|den\s+|das\s+|el\s+|o\s+)?(?:{_MACHINE})\b"
        ),
        (
            rf"\b(?:{_MACHINE})\s+(?:advises?|tells?|recommends?|promises?|offers?|assures?|informs?)\s+(?:every|each|all)\s+"
            r"(?:visitor|reader|customer|user|person)s?\b"
        ),
        rf"\b(?:{_MACHINE})(?:'s|’s)?\s+(?:new\s+)?(?:identity|persona|character|role)\b",
        r"\byou (?:now )?(?:have|are under|are bound by) no (?:more |longer any )?(?:restrictions?|limits|rules|guidelines|policies)\b",
        r"\b[A-Za-z](?:[.\-_*·][a-z]){4,40}\b",  # a word whose letters stand apart hides from somebody
        (
            r"\b(?:tell|inform|assure|call|greet|insult|promise)\s+(?:the|every|each|any|all)\s+(?:visitor|reader|person|customer|user)s?\s+"
            r"(?:that|to confirm|an?\s|['\"])"
        ),
        (
            r"\b(?:whoever|any(?:one|body) who|customers who|visitors who|if (?:some(?:body|one)|anyone|an? visitor)|when (?:the|a) visitor)\s+"  # noqa: E501
            r"(?:asks?|mentions?|says?|inquires?|writes?)\b"
        ),
        r"\b(?:passed? on|repeat|state|say|answer|reply|quote)\w*\s+(?:this\s+|it\s+)?(?:verbatim|word for word|wörtlich|literalmente)\b",
    )
)


@dataclass(frozen=True)
class Suspect:
    """A line that may be planted; `certain` when its words alone show it."""

    text: str
    rest: str
    reason: str
    certain: bool
    commission: bool = False
    """An order to make a text or to lecture, which no help article gives its readers."""


def suspects(text: str) -> list[Suspect]:
    """Every certain line, and the doubtful ones that stand alone; linear in the text."""
    shown = injection.clean(text)
    for candidate in (shown, *injection.payloads(shown)):
        if span := injection.orders(candidate):
            said = candidate[span[0] : span[1]].strip()[:120]
            return [Suspect(candidate, "", f"speaks to the assistant: {said!r}", certain=True)]
    if found := next((match for rule in _NOT_TO_READERS for given in (shown, text) if (match := rule.search(given))), None):
        return [Suspect(shown, "", f"speaks about its readers, or to a machine: {found.group().strip()[:120]!r}", certain=True)]
    return _alone(shown)


def _alone(text: str) -> list[Suspect]:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = []
    for place, line in enumerate(lines):
        if len(line) > LONGEST or _PLACEHOLDER.search(line) or not injection.TASK.match(line):
            continue
        rest = " ".join(lines[max(0, place - NEARBY) : place] + lines[place + 1 : place + 1 + NEARBY])
        if len(rest) >= SHORTEST_REST:
            found.append(Suspect(line, rest[:2000], "", certain=False, commission=bool(_COMMISSION.match(line))))
        if len(found) == MOST_DOUBTFUL:
            break
    return found
