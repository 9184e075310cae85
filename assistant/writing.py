"""An answer written by a chat model from the found passages: every sentence checked, what is not supported cut.

None when what remains does not answer; then the reply is the one that is made without a model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, Field

from assistant import judging
from assistant.answer import Draft, Manner
from assistant.conversation import Citation
from assistant.looking import Seen
from assistant.means import Means
from assistant.pen import Pen
from assistant.prompting import Wording, within
from assistant.proving import Claim, Proof, Sentence, prove
from assistant.question import Said
from assistant.relevance import stems
from assistant.replying import Drafted
from assistant.tables import Outcome, Role
from assistant.wording import language_name
from guardrails.drafts import CitedPassage
from knowledge.embedding import Vectors, vectors
from knowledge.language import detect
from knowledge.library import Place, comparing
from knowledge.passages import plain
from knowledge.search import Band

MOST_PASSAGES = 12
QUOTE_CHARACTERS = 600  # of a passage that is shown beside a written answer
AS_NEAR = 0.6  # of the quoted answer's cosine with the question that a written answer must have; not yet chosen by an eval
NEAR = 0.35  # cosine with the question that a written answer must have where nothing is quoted; not yet chosen by an eval
SPOKEN = {Role.VISITOR: "Visitor", Role.ASSISTANT: "Assistant", Role.AGENT: "Agent"}
ASKED_BACK_CHARACTERS = 240
MISSING, LONG, MOST_NAMED = 100, 300, 3  # characters and sources that a server is asked to hold an answer to
LINKING = frozenset(  # words a question back may have that stand neither in a passage nor in the message, as stems
    "which want mean ask would like one two or do first second kind option case prefer choos use exact please tell".split()
)
LITERALS = re.compile(r"\d|https?:|www\.|@|[<>\[\]{}|]")


class Written(BaseModel):
    """What the model answers."""

    kind: Literal["answer", "question", "not_answered"]
    sentences: list[Sentence] = Field(default_factory=list, max_length=15)
    question: str = Field("", max_length=600)
    missing: str = Field("", max_length=600)


@dataclass(frozen=True)
class Attempt:
    """What came of the model: a draft to be screened, or None, and what the trace tells of it."""

    drafted: Drafted | None
    told: Mapping[str, Any]


def write(
    pen: Pen, means: Means, seen: Seen, spoken: Sequence[Said], quoted: Drafted, manner: Manner, *, wording: str = "answer"
) -> Attempt:
    """A written answer, a question back with choices, or neither. `spoken` is the conversation before, with the message as its last."""
    shown = dict(_labelled(seen, means.settings.chat_passage_tokens))
    if not shown:
        return Attempt(None, {})
    asked = Wording(wording, Written, means.settings.chat_answer_tokens)
    material = {"passages": _passages(shown), **_conversation(means, seen, spoken)}
    prompt = asked.prompt(
        material,
        pen.new_mark(),
        product=means.settings.product,
        language=language_name(manner.language, "en"),
        sentences=str(means.settings.chat_sentences),
    )
    written = pen.ask(replace(prompt, schema=_bounded(prompt.schema, means.settings.chat_sentences)), Written)
    if written is None:
        return Attempt(None, {"kind": "none"})
    told: dict[str, Any] = {"kind": written.kind}
    if written.kind == "answer":
        sentences, supports = written.sentences[: means.settings.chat_sentences], judging.supports(means, pen)
        proof = prove(sentences, _sources(shown), means.guard, supports, _asked(spoken))
        told |= {"kept": len(proof.kept), "cut": [asdict(one) for one in proof.cut]}
        draft = _draft(proof, shown, pen, manner)
        why_not = _does_not_answer(proof, draft, seen, quoted, means, manner)
        told |= {"not_used": why_not} if why_not else {}
        return Attempt(None if why_not else Drafted(draft.text, draft.outcome, draft), told)
    told |= {"missing": means.mask(written.missing)[:200]} if written.missing else {}
    if written.kind == "question" and quoted.outcome is Outcome.OFFERED_CHOICES and _may_be_asked(written.question, shown, spoken):
        return Attempt(Drafted(written.question.strip(), Outcome.OFFERED_CHOICES, choices=quoted.choices), told)
    return Attempt(None, told)


# ── what the model is shown ─────────────────────────────────────────────────────────────────────────


def _labelled(seen: Seen, tokens: int) -> Iterator[tuple[str, Place]]:
    """The passages that were found, then the rest of the best article, as far as the tokens go, labelled P1, P2, …."""
    by_id = {str(place.passage.id): place for places in seen.places.values() for place in places}
    ids = [hit.passage_id for hit in seen.ranked if hit.passage_id in by_id]
    if ids:
        ids += [str(place.passage.id) for place in seen.places[by_id[ids[0]].article.id]]
    places = [by_id[id_] for id_ in dict.fromkeys(ids)][:MOST_PASSAGES]
    fitting = within([_passage("P00", place) for place in places], tokens)
    yield from ((f"P{number}", place) for number, place in enumerate(places[: len(fitting)], start=1))


def _passage(label: str, place: Place) -> str:
    heads = " › ".join(dict.fromkeys((place.article.title, *place.passage.heading_path)))
    return f"[{label}] {heads}\n{place.passage.text.strip()}"


def _passages(shown: Mapping[str, Place]) -> str:
    return "\n\n".join(_passage(label, place) for label, place in shown.items())


def _conversation(means: Means, seen: Seen, spoken: Sequence[Said]) -> dict[str, str]:
    """What was said before, the newest that fit, and the message; personal data masked."""
    *before, last = spoken
    lines = [f"{SPOKEN[said.role]}: {means.mask(plain(said.text))}" for said in before]
    kept = within(lines[::-1], means.settings.chat_history_tokens)[::-1] if means.settings.chat_history_tokens else []
    asked = {"conversation before": "\n".join(kept)} if any(kept) else {}
    meant = {"meant as": means.mask(seen.asked)} if seen.question.leans_on or seen.chosen else {}
    return asked | {"message": means.mask(last.text)} | meant


def _bounded(schema: Mapping[str, Any], sentences: int) -> dict[str, Any]:
    """The schema with lengths that keep a small model from filling its tokens; servers that take lengths hold it to them."""
    fields, of_sentence = dict(schema["properties"]), dict(schema["$defs"]["Sentence"]["properties"])
    fields |= {name: fields[name] | {"maxLength": most} for name, most in (("question", ASKED_BACK_CHARACTERS), ("missing", MISSING))}
    fields["sentences"] = fields["sentences"] | {"maxItems": sentences}
    of_sentence |= {"text": of_sentence["text"] | {"maxLength": LONG}, "passages": of_sentence["passages"] | {"maxItems": MOST_NAMED}}
    return {**schema, "properties": fields, "$defs": {"Sentence": {**schema["$defs"]["Sentence"], "properties": of_sentence}}}


def _asked(spoken: Sequence[Said]) -> list[str]:
    return [said.text for said in spoken if said.role is Role.VISITOR]


def _sources(shown: Mapping[str, Place]) -> dict[str, CitedPassage]:
    return {
        label: CitedPassage(str(place.passage.id), place.passage.text, " › ".join((place.article.title, *place.passage.heading_path)))
        for label, place in shown.items()
    }


# ── what is made of its answer ──────────────────────────────────────────────────────────────────────


def _draft(proof: Proof, shown: Mapping[str, Place], pen: Pen, manner: Manner) -> Draft:
    """The kept sentences; where several articles are used, each sentence says which by its number."""
    by_id = {str(place.passage.id): place for place in shown.values()}
    used: dict[str, list[Place]] = {}
    for claim in proof.kept:
        for source in claim.sources:
            place = by_id[source.passage_id]
            used.setdefault(place.article.id, []).append(place)
    numbers = {article_id: number for number, article_id in enumerate(used, start=1)}
    sources = tuple(_citation(numbers[article_id], places, manner) for article_id, places in used.items())
    several = len(numbers) > 1
    text = " ".join(claim.text + (_marks(claim, by_id, numbers) if several else "") for claim in proof.kept)
    return Draft(text, Outcome.ANSWERED_WRITTEN, sources, written=pen.name)


def _marks(claim: Claim, by_id: Mapping[str, Place], numbers: Mapping[str, int]) -> str:
    named = sorted({numbers[by_id[source.passage_id].article.id] for source in claim.sources})
    return " " + "".join(f"[{number}]" for number in named)


def _citation(number: int, places: Sequence[Place], manner: Manner) -> Citation:
    """The article with what was used of it: the passages that the sentences name."""
    first = places[0]
    quote = "\n\n".join(dict.fromkeys(place.passage.text.strip() for place in places))
    return Citation(
        number=number,
        article_id=first.article.id,
        passage_id=first.passage.id,
        revision=first.passage.revision,
        title=first.article.title,
        url=first.article.url or manner.link(first.article.slug, first.passage.anchor),
        quote=quote if len(quote) <= QUOTE_CHARACTERS else quote[:QUOTE_CHARACTERS].rsplit(maxsplit=1)[0] + " …",
    )


def _does_not_answer(proof: Proof, draft: Draft, seen: Seen, quoted: Drafted, means: Means, manner: Manner) -> str:
    """Why what remains is no answer; empty when it is one."""
    if not proof.mostly:
        return "too little is left"
    if proof.cut and seen.found.band is not Band.ANSWER and seen.chosen is None:
        return "not all of it is supported, and the search is not sure"
    spoken = detect(draft.text)
    foreign = any(source.article_id in _of_other_language(seen, manner.language) for source in draft.sources)
    if (spoken is not None and spoken != manner.language) or (foreign and spoken is None):
        return "not in the visitor's language"
    encoder = means.encoders[comparing(means.encoders)]
    texts = [seen.question.text, draft.text, *([quoted.draft.text] if quoted.draft else [])]
    near = _nearness(vectors(encoder, texts))
    least = AS_NEAR * near[1] if quoted.draft else NEAR
    return "too far from the question" if near[0] < least else ""


def _of_other_language(seen: Seen, language: str) -> set[str]:
    return {id_ for id_, places in seen.places.items() if places and places[0].article.language != language}


def _nearness(rows: Vectors) -> list[float]:
    """The cosines of the first row with each other one."""
    return [float(cosine) for cosine in rows[1:] @ rows[0]]


def _may_be_asked(question: str, shown: Mapping[str, Place], spoken: Sequence[Said]) -> bool:
    """Whether a question back says nothing of its own: one short question in words of the passages and the message."""
    text = question.strip()
    if not text.endswith("?") or len(text) > ASKED_BACK_CHARACTERS or text.count("?") > 1 or "\n" in text or LITERALS.search(text):
        return False
    known = {stem for place in shown.values() for stem in stems(_passage("", place))} | stems(spoken[-1].text) | LINKING
    return stems(text) <= known
