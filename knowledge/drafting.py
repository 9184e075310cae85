"""An answer put together, without a chat model, from sentences that agents wrote and from articles.

A sentence enters when people of several conversations say the same, and a specific fact only when it stands in two conversations or in
an article: what one customer was told of their own case stays with them.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.facts import facts_in, places_in, words_of
from knowledge.support import Sentence, Source, split
from knowledge.vectors import Vectors

Embed = Callable[[list[str]], dict[str, Vectors]]
Mask = Callable[[str], str]
"""A text → the same with placeholders such as [EMAIL] for personal data."""

LEVELS = (0.62, 0.5, 0.4)  # cosine by the main encoder from which two sentences of agents say the same: strict first, then looser …
ENOUGH = 2  # … until this many things are agreed on; chosen by reading answers made of the invented bank's replies
ENOUGH_WORDS = 40  # of an answer; what agents agree on may be shorter
USUAL_WORDS = 16  # of a sentence: between equals the one nearest to this length is taken
NEAR = 0.55  # … from which a passage's sentence backs an agent's
MOST_WORDS = 110  # of an answer, as long as a FAQ's is
MOST_SENTENCES = 6
FEWEST_WORDS = 4  # of a sentence that says something
LIKE_TITLE = 0.5  # cosine with the question from which an article's sentence may help out

_PLACEHOLDER = re.compile(r"\[[A-Z_]{2,20}\]")
_HELLO = re.compile(
    r"^\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?|sehr geehrte[rs]?"
    r"|bonjour|salut|ch[eè]re?s?|hola|estimad[oa]s?|ol[aá]|bom dia|boa (?:tarde|noite)|car[oa]s?)\b"
    r"(?:\s+[^\W\d_][\w'’.-]*){0,4}?\s*[,!.:–-]+\s*",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:(?:well|so|sure|of course|certainly|great|no (?:problem|worries)|absolutely|indeed|ok(?:ay)?|right|sorry|unfortunately|just"
    r"|simply|please|then|also|and|but|note that|please note(?: that)?|thanks?(?: you)?(?: for [^,.!?]{1,60})?"
    r"|great (?:to|that) [^,.!?]{1,60})[,!.:]?\s+)+(?=\w)",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"\b(?:i|i'm|i've|i'll|i'd|me|my|mine|ich|mir|mich|je|j'ai|yo|eu)\b"
    r"|\bwe(?:'ve| have) (?:just |now |already )?(?!to\b)\w+(?:ed|nt|en)\b|\b(?:yesterday|today|tomorrow|this morning|tonight)\b"
    r"|\byour\b[^.!?]{0,60}\b(?:was|were|went|came|had|has been|have been)\b"
    r"|\b(?:sorry|apolog\w+|thank you|thanks|glad|happy to|regards|cheers|sincerely|let us know|hope (?:this|that)|bear with)\b",
    re.IGNORECASE,
)
_LEANS = re.compile(
    r"^(?:and |but |so )?(?:if|when(?:ever)?|as(?: long as| soon as)?|because|while|although|though|since|after|before|once|unless|until"
    r"|where|in case|provided|wenn|falls|weil|sobald|solange|obwohl|nachdem|bevor|damit|si|quand|lorsque|comme|parce que|dès que|bien que"
    r"|cuando|porque|aunque|mientras|se|quando|embora|enquanto)\b",
    re.IGNORECASE,
)
"""How a clause begins that says nothing without the one that follows."""
_OWNED = re.compile(
    r"\b(?:your|ihr(?:e[nmrs]?)?|dein(?:e[nmrs]?)?|votre|vos|ton|ta|tes|su|sus|tu|tus|seu|sua|seus|suas)\s+((?:[\w’'-]+\s*){1,2})",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"\s*(?:,|;|:| – | - |\()\s*")


@dataclass(frozen=True)
class Told:
    """What one agent wrote in one message; `within` is the ticket, `person` whom it was told: one person counts once."""

    message_id: str
    within: str
    person: str
    text: str


@dataclass(frozen=True)
class Known:
    """A passage of an article."""

    passage_id: str
    article_id: str
    text: str


@dataclass(frozen=True)
class _Said:
    """One sentence of an agent, cleaned; `original` as it stands in the message."""

    text: str
    original: str
    told: Told
    place: float


@dataclass(frozen=True)
class Means:
    """What drafting needs from others: how texts are embedded, and how personal data is masked."""

    embed: Embed
    mask: Mask


def answer(told: Sequence[Told], known: Sequence[Known], question: Vectors, means: Means, *, language: str = "en") -> list[Sentence]:
    """The sentences of an answer, each with what says so; empty when nobody and nothing answers."""
    shared = agreed(told, known, means.mask, language)
    said = [one for message in told for one in _sentences(message, shared, means.mask, language)]
    passages = [(part, passage) for passage in known for part in split(passage.text) if len(part.split()) >= FEWEST_WORDS]
    if not said and not passages:
        return []
    rows = means.embed([*(one.text for one in said), *(part for part, _ in passages)])["main"]
    own, theirs = rows[: len(said)], rows[len(said) :]
    chosen = _chosen(said, own)
    written = [_sentence(said, of_theme, own, passages, theirs) for of_theme in chosen]
    if not written:
        written = _from_articles(passages, theirs, question)
    return _short(written)


def agreed(told: Sequence[Told], known: Sequence[Known], mask: Mask, language: str) -> frozenset[str]:
    """The specific facts that may enter: said to two persons at least, or standing in an article."""
    by_person: dict[str, set[str]] = {}
    for message in told:
        by_person.setdefault(message.person, set()).update(facts_in(bare(mask(message.text)), language))
    counts: dict[str, int] = {}
    for facts in by_person.values():
        for fact in facts:
            counts[fact] = counts.get(fact, 0) + 1
    published = {fact for passage in known for fact in facts_in(passage.text, language)}
    return frozenset({fact for fact, count in counts.items() if count > 1} | published)


def scrubbed(text: str, allowed: frozenset[str], language: str = "en") -> str:
    """A wording without what is specific to one person: each such word goes; empty when little is left."""
    found = places_in(text, language)
    personal = [one for one in found if one.fact not in allowed or _PLACEHOLDER.fullmatch(text[one.start : one.end])]
    words = [
        match.group()
        for match in re.finditer(r"\S+", text)
        if not any(place.start < match.end() and match.start() < place.end for place in personal)
    ]
    return " ".join(words) if len(words) >= max(2, len(text.split()) // 2) else ""


def markdown(sentences: Sequence[Sentence]) -> str:
    """One paragraph of an answer."""
    return " ".join(sentence.text for sentence in sentences)


def _sentences(message: Told, shared: frozenset[str], mask: Mask, language: str) -> list[_Said]:
    """What a message says to anybody: without greeting, thanks, questions back and what concerns this customer alone."""
    parts = split(bare(mask(message.text)))
    found = []
    for place, part in enumerate(parts):
        clean = _impersonal(part, shared, language)
        if clean:
            found.append(_Said(clean, part, message, place / max(len(parts), 1)))
    return found


def _impersonal(sentence: str, shared: frozenset[str], language: str) -> str:
    """The sentence, or the clauses of it, that hold nothing personal and no fact of one case; empty when nothing is left."""
    if sentence.endswith("?"):
        return ""
    whole = _styled(sentence)
    if _fit(whole, shared, language):
        return whole
    clauses = _CLAUSE.split(sentence)
    for end in range(len(clauses) - 1, 0, -1):
        head = sentence[: sentence.find(clauses[end - 1]) + len(clauses[end - 1])].rstrip(" ,;:(–-")
        if not (end == 1 and _LEANS.match(_FILLER.sub("", head))) and _fit(styled := _styled(head + "."), shared, language):
            return styled
    return ""


def _fit(sentence: str, shared: frozenset[str], language: str) -> bool:
    return (
        len(sentence.split()) >= FEWEST_WORDS
        and not _PLACEHOLDER.search(sentence)
        and not _PERSONAL.search(sentence)
        and not facts_in(sentence, language) - shared
        and sentence.count("(") == sentence.count(")")
    )


def _styled(sentence: str) -> str:
    """As a FAQ says it: no filler in front, a capital, a full stop."""
    bare = _FILLER.sub("", sentence.strip())
    bare = bare[:1].upper() + bare[1:]
    return bare if bare.endswith((".", "!", "…", ":")) else f"{bare}."


def bare(text: str) -> str:
    """A message without greeting and signature."""
    bare = _HELLO.sub("", text.strip())
    lines = bare.split("\n")
    while lines and (len(lines[-1].split()) <= 4 and not lines[-1].rstrip().endswith((".", "!", ":")) and len(lines) > 1):  # noqa: PLR2004 - a name, a team
        lines.pop()
    return "\n".join(lines)


def _chosen(said: Sequence[_Said], rows: Vectors) -> list[list[int]]:
    """Sentences that say the same, as lists of places with the best first; those that several persons were told, in reading order.

    Agents word things differently, so where too few agree closely a looser likeness counts. Where they tell different parts of an
    answer, the sentences that are likest to what others were told are added, until there is enough to read. Where only one person was
    answered, everything that is fit counts.
    """
    people = [one.told.person for one in said]
    if len(set(people)) < 2:  # noqa: PLR2004 - nobody to agree with
        return [[row] for row in range(len(said))]
    alike = rows @ rows.T
    for level in LEVELS:
        themes = _themes(said, alike, people, level)
        if len(themes) >= ENOUGH:
            break
    themes += _more(said, alike, people, themes)
    return sorted(themes, key=lambda theme: float(np.mean([said[row].place for row in theme])))


def _more(said: Sequence[_Said], alike: Vectors, people: Sequence[str], themes: Sequence[Sequence[int]]) -> list[list[int]]:
    """Other sentences while the themes are shorter than an answer, the likest to what other persons were told first."""
    words = sum(len(said[theme[0]].text.split()) for theme in themes)
    fit = _for_anybody(said, people)
    left = [row for row in range(len(said)) if fit[row] and not any(row in theme for theme in themes)]

    def likeness(row: int) -> float:
        others = [float(alike[row, other]) for other in range(len(said)) if people[other] != people[row]]
        return max(others, default=0.0)

    more: list[list[int]] = []
    for row in sorted(left, key=lambda row: (-likeness(row), row)):
        if words >= ENOUGH_WORDS:
            break
        more.append([row])
        words += len(said[row].text.split())
    return more


def _common(parts: Sequence[frozenset[str]], people: Sequence[str]) -> frozenset[str]:
    """What stands in what at least two persons were told."""
    by_person: dict[str, set[str]] = {}
    for part, person in zip(parts, people, strict=True):
        by_person.setdefault(person, set()).update(part)
    counts = Counter(one for of_one in by_person.values() for one in of_one)
    return frozenset(one for one, count in counts.items() if count > 1)


def _for_anybody(said: Sequence[_Said], people: Sequence[str]) -> list[bool]:
    """For each sentence whether its facts, and whatever it calls the reader's own, are something that others were told of too."""
    facts = [facts_in(one.text) for one in said]
    words = [words_of(one.text) for one in said]
    shared, common = _common(facts, people), _common(words, people)
    owned = [all(words_of(found.group(1)) <= common for found in _OWNED.finditer(one.text)) for one in said]
    return [of_one <= shared and own for of_one, own in zip(facts, owned, strict=True)]


def _themes(said: Sequence[_Said], alike: Vectors, people: Sequence[str], level: float) -> list[list[int]]:
    """What persons agree on from this likeness, the most agreed first."""
    left, themes = set(range(len(said))), []
    while left:
        scores = {row: _backing(row, left, alike, people, level) for row in left}
        best = max(sorted(left), key=lambda row: (scores[row], -abs(len(said[row].text.split()) - USUAL_WORDS)))
        if not scores[best]:
            break
        theme = [best, *sorted(other for other in left if other != best and alike[best, other] >= level)]
        themes.append(theme)
        left -= set(theme)
    return themes


def _backing(row: int, left: set[int], alike: Vectors, people: Sequence[str], level: float) -> float:
    """How much other persons were told the same: for each of them the likeness of their likeliest sentence, where it reaches the level."""
    best: dict[str, float] = {}
    for other in left:
        if people[other] != people[row] and alike[row, other] >= level:
            best[people[other]] = max(best.get(people[other], 0.0), float(alike[row, other]))
    return sum(best.values())


def _sentence(
    said: Sequence[_Said], theme: Sequence[int], rows: Vectors, passages: Sequence[tuple[str, Known]], theirs: Vectors
) -> Sentence:
    """The best sentence of a theme, with every message and passage that says the same."""
    best = theme[0]
    backing = {said[row].told.message_id: said[row] for row in reversed(theme)}
    backed = [Source("message", one.told.message_id, one.told.within, one.original) for one in reversed(backing.values())]
    if len(passages):
        cosines = theirs @ rows[best]
        at = int(np.argmax(cosines))
        if cosines[at] >= NEAR:
            backed.append(Source("passage", passages[at][1].passage_id, passages[at][1].article_id, passages[at][0]))
    return Sentence(said[best].text, tuple(backed), supported=True)


def _from_articles(passages: Sequence[tuple[str, Known]], theirs: Vectors, question: Vectors) -> list[Sentence]:
    """Where agents say nothing: the sentences of articles that come nearest to the question, in reading order."""
    if not len(passages):
        return []
    cosines = theirs @ question
    near = sorted(int(row) for row in np.argsort(-cosines)[:2] if cosines[row] >= LIKE_TITLE)
    return [
        Sentence(text, (Source("passage", passage.passage_id, passage.article_id, text),), supported=True)
        for text, passage in (passages[row] for row in near)
    ]


def _short(written: Sequence[Sentence]) -> list[Sentence]:
    kept: list[Sentence] = []
    words = 0
    for sentence in written[:MOST_SENTENCES]:
        words += len(sentence.text.split())
        if words > MOST_WORDS and kept:
            break
        kept.append(sentence)
    return kept
