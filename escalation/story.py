"""What a visitor tried to do, what happened instead, and what they tried already: found clause by clause."""

import re
from collections.abc import Iterator, Sequence

from escalation.asked import asks_for_person
from escalation.extraction import found, patterns, phrase, tidy

SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+|;\s+")
NOT_HAPPENING = ("happened_not", "symptom_not", "goal", "tried")  # what a clause is that does not tell what happened
SHORTEST = 4  # words of a clause that says something
LONGEST, LONGEST_GOAL = 12, 9  # words; a longer clause is cut, an agent has the transcript


def goal(texts: Sequence[str]) -> str | None:
    """The aim, in the order in which it was said; behind a complaint ("I can't …") when none was said."""
    for kind in ("goal", "goal_behind"):
        for text in texts:
            starts = [(match.start("v"), tidy(match.group("v"))) for pattern in patterns(kind) for match in pattern.finditer(text)]
            if aims := sorted((start, aim) for start, aim in starts if aim):
                return _short(aims[0][1], LONGEST_GOAL)
    return None


def symptom(texts: Sequence[str], errors: Sequence[str] = (), told: Sequence[int] = ()) -> str | None:
    """The clause that tells most clearly of something going wrong, the first of equals; `told`: messages that answer "what happens?"."""
    best, value = 0.0, None
    for number, text in enumerate(texts):
        for clause, turned in clauses(text):
            if number and len(clause.split()) <= SHORTEST and number not in told:
                continue  # "still not working" after a hint
            strength = _strength(clause, errors, turned=turned, told=number in told) + 1.0 * (number in told) - 0.4 * (number > 0)
            if strength > best:
                best, value = strength, clause
    return _predicate(value) if value else happening(texts[0], errors) if texts else None


def happening(text: str, errors: Sequence[str] = ()) -> str | None:
    """The last clause that tells of something that is so, no wish and no question: for trouble told in words we do not know."""
    last = None
    for sentence in SENTENCE.split(text):
        if sentence.rstrip().endswith("?") or asks_for_person(sentence):
            continue
        for clause, _ in clauses(sentence):
            other = any(pattern.search(clause) for kind in NOT_HAPPENING for pattern in patterns(kind)) or any(
                error in clause for error in errors
            )
            if len(clause.split()) >= SHORTEST and not other and any(pattern.search(clause) for pattern in patterns("happened")):
                last = clause
    return _short(last) if last else None


def question(texts: Sequence[str], trouble: str | None) -> str | None:
    """The first question that is more than the trouble itself: its answer is what they came for."""
    for sentence in (sentence for text in texts for sentence in SENTENCE.split(text)):
        whole = phrase("opener").sub("", tidy(sentence))
        if not sentence.rstrip().endswith("?") or len(whole.split()) < SHORTEST or asks_for_person(sentence):
            continue
        end = whole.rpartition(", ")[2]
        if not trouble or trouble not in sentence:
            return _short(end if len(end.split()) >= SHORTEST else whole, LONGEST_GOAL)
    return None


def statement(texts: Sequence[str]) -> str | None:
    """The first clause that says something at all, for a visitor whose aim is said in words we do not know."""
    for text in texts:
        for sentence in SENTENCE.split(text):
            if sentence.rstrip().endswith("?") or asks_for_person(sentence):
                continue
            for clause, _ in clauses(sentence):
                if len(clause.split()) >= SHORTEST and not any(pattern.search(clause) for pattern in patterns("symptom_not")):
                    return _short(clause, LONGEST_GOAL)
    return None


def tried(texts: Sequence[str]) -> tuple[str, ...]:
    """What was tried already, in the visitor's words, each place once."""
    seen: list[str] = []
    for value in sorted(found("tried", texts), key=len, reverse=True):
        if not any(value in longer for longer in seen):
            seen.append(value)
    return tuple(sorted(seen, key=lambda value: next((n, t.find(value)) for n, t in enumerate(texts) if value in t)))


def clauses(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a message that say one thing each, and whether a piece turns against what stood before ("but …", "then …")."""
    for sentence in SENTENCE.split(text):
        at = 0
        for cut in [*phrase("clause_cut").finditer(sentence), None]:
            piece = tidy(sentence[at : cut.start() if cut else len(sentence)])
            turned = bool(phrase("turn").search(sentence[max(0, at - 10) : at] + " " + piece[:12]))
            at = cut.end() if cut else at
            piece = phrase("opener").sub("", piece)
            if piece and not (phrase("when").match(piece) and len(piece.split()) < SHORTEST):
                yield piece, turned


def _strength(clause: str, errors: Sequence[str], *, turned: bool, told: bool = False) -> float:
    """How clearly a clause tells of something going wrong; below 0 is not at all. `told`: it answers "what happens?"."""
    if any(pattern.search(clause) for pattern in patterns("symptom_not")):
        return -9.0
    strong = sum(bool(pattern.search(clause)) for pattern in patterns("symptom_cue"))
    if not strong:
        return 1.0 if told and len(clause.split()) >= SHORTEST else -9.0
    repeats = bool(phrase("reports").match(clause)) or any(error in clause and len(error) > len(clause) // 2 for error in errors)
    return 2.0 + min(strong, 2) + 0.5 * turned - 1.0 * bool(phrase("when").match(clause)) - 1.5 * repeats


def _predicate(clause: str) -> str:
    """The clause from two words before its first sign of trouble, at most LONGEST words: who it happens to is in the transcript."""
    starts = [match.start() for pattern in patterns("symptom_cue") if (match := pattern.search(clause))]
    before = clause[: min(starts, default=0)].split()
    return _short(" ".join([*before[-2:], clause[min(starts, default=0) :]]))


def _short(clause: str, most: int = LONGEST) -> str:
    words = clause.split()
    return clause if len(words) <= most else tidy(" ".join(words[:most]))
