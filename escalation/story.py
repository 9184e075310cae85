"""What a visitor tried to do, what happened instead, and what they tried already: found clause by clause."""

import re
from collections.abc import Iterator, Sequence

from escalation.asked import asks_for_person
from escalation.extraction import found, patterns, tidy

SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+|;\s+")
CLAUSE = re.compile(
    r",?\s+(?:but|however|yet|though|although|because|since|so|aber|doch|mais|pero|mas|weil|denn|porque|car|sin embargo)\s+(?=\S+ \S+|\S+$)"
    r"|,\s+|\s+[-–—]\s+|:\s+|,?\s+(?:and|und|et|y|e)\s+(?=(?:it|then|the|nothing|now|i|we|every|all|there|keeps?|says|my|our|es|dann|die|der|das|nichts|il|elle|rien|la|le|el|se|no|nada|não|o|a)\b)",
    re.IGNORECASE,
)
OPENER = re.compile(
    r"^(?:(?:hi|hello|hey|hallo|bonjour|hola|olá|oi|there|team|guten tag|ok(?:ay)?|well|so|but|and|then|now|also|yes|no|sorry|please|because|suddenly|unfortunately|"
    r"basically|actually|apparently|today|since \w+|it seems(?: that| like)?|i think|i see that|i noticed that|the (?:problem|issue) is(?: that)?|"
    r"what happens is(?: that)?|instead|afterwards|aber|und|dann|jetzt|leider|mais|et|alors|maintenant|pero|y|entonces|ahora|mas|então|agora)\b[,:!]?\s*)+",
    re.IGNORECASE,
)
WHEN = re.compile(r"^(?:when(?:ever)?|each time|every time|as soon as|after|once|if|wenn|sobald|quand|dès que|cuando|al|quando|ao)\s", re.IGNORECASE)
REPORTS = re.compile(r"^(?:it|he|she|there|that|which|es|il|elle|ça)?\s*(?:just |only |then |now )?(?:says?|shows?|reads?|displays?|gives?(?: me)?|dit|affiche|sagt|zeigt|dice|muestra|diz|mostra)\b", re.IGNORECASE)
TURN = re.compile(r"\b(?:but|then|instead|however|now|aber|dann|mais|alors|pero|entonces|mas|então)\b", re.IGNORECASE)
SHORTEST = 4  # words of a clause that says something
LONGEST = 14  # words of a symptom; a longer clause is cut, an agent has the transcript


def goal(texts: Sequence[str]) -> str | None:
    """The aim, in the order in which it was said; behind a complaint ("I can't …") when none was said."""
    for kind in ("goal", "goal_behind"):
        for text in texts:
            starts = [(match.start("v"), tidy(match.group("v"))) for pattern in patterns(kind) for match in pattern.finditer(text)]
            if aims := sorted((start, aim) for start, aim in starts if aim):
                return aims[0][1]
    return None


def symptom(texts: Sequence[str], errors: Sequence[str] = ()) -> str | None:
    """The clause that tells most clearly of something going wrong, the first of equals."""
    told = [(_strength(clause, turned, errors), clause) for text in texts for clause, turned in clauses(text)]
    best = max((strength for strength, _ in told), default=0.0)
    return _short(next(clause for strength, clause in told if strength == best)) if best > 0 else None


def statement(texts: Sequence[str]) -> str | None:
    """The first clause that says something at all, for a visitor who complains in words we do not know."""
    for text in texts:
        for sentence in SENTENCE.split(text):
            if sentence.rstrip().endswith("?") or asks_for_person(sentence):
                continue
            for clause, _ in clauses(sentence):
                if len(clause.split()) >= SHORTEST and not any(pattern.search(clause) for pattern in patterns("symptom_not")):
                    return _short(clause)
    return None


def tried(texts: Sequence[str]) -> tuple[str, ...]:
    """What was tried already, in the visitor's words, each place once."""
    seen: list[str] = []
    for value in found("tried", texts):
        if not any(value in earlier or earlier in value for earlier in seen):
            seen.append(value)
    return tuple(sorted(seen, key=lambda value: next((n, t.find(value)) for n, t in enumerate(texts) if value in t)))


def clauses(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a message that say one thing each, and whether a piece turns against what stood before ("but …", "then …")."""
    for sentence in SENTENCE.split(text):
        at = 0
        for cut in [*CLAUSE.finditer(sentence), None]:
            piece = tidy(sentence[at : cut.start() if cut else len(sentence)])
            turned = bool(TURN.search(sentence[max(0, at - 10) : at] + " " + piece[:12]))
            at = cut.end() if cut else at
            piece = OPENER.sub("", piece)
            if piece and not (WHEN.match(piece) and len(piece.split()) < SHORTEST):
                yield piece, turned


def _strength(clause: str, turned: bool, errors: Sequence[str]) -> float:
    """How clearly a clause tells of something going wrong; 0 is not at all."""
    if any(pattern.search(clause) for pattern in patterns("symptom_not")):
        return 0.0
    strong = sum(bool(pattern.search(clause)) for pattern in patterns("symptom_cue"))
    if not strong:
        return 0.0
    repeats = bool(REPORTS.match(clause)) or any(error in clause and len(error) > len(clause) // 2 for error in errors)
    return max(min(strong, 2) + 0.5 * turned - 1.0 * bool(WHEN.match(clause)) - 1.5 * repeats, 0.1)


def _short(clause: str) -> str:
    words = clause.split()
    return clause if len(words) <= LONGEST else tidy(" ".join(words[:LONGEST]))
