"""From a question and what was found to a draft: a FAQ word for word, a quotation, or choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.conversation import Choice, Citation
from assistant.previewing import preview
from assistant.quoting import Quotation, Source, quote
from assistant.tables import Outcome
from assistant.wording import language_name, say
from knowledge.library import Place
from knowledge.search import Found, Hit

Rarity = Callable[[str], float]
MAX_CHOICES = 4


@dataclass(frozen=True)
class Draft:
    """An unchecked answer: its text, how the turn would end with it, the sources it used, and which sentences are our own.

    `written` names the chat model that wrote it; empty where it is quoted.
    """

    text: str
    outcome: Outcome
    sources: tuple[Citation, ...] = ()
    ours: tuple[str, ...] = ()
    written: str = ""


@dataclass(frozen=True)
class Manner:
    """How answers are written here."""

    words: int
    max_sources: int
    language: str
    link: Callable[[str, str], str]
    """Slug and anchor of an article → the address a visitor can open."""


def compose(
    question: str, hits: Sequence[Hit], places: Mapping[str, Sequence[Place]], manner: Manner, rarity: Rarity | None
) -> Draft | None:
    """The answer that the found passages give, or None when nothing of them can be quoted (they went away meanwhile)."""
    ids = [id_ for id_ in dict.fromkeys(hit.article_id for hit in hits) if places.get(id_)]
    if not ids:
        return None
    best = places[ids[0]][0].article
    draft: Draft | None
    if best.kind == "faq":
        draft = _faq(places[ids[0]], manner)
    else:
        scores = {hit.passage_id: hit.score for hit in hits}
        articles = [places[id_] for id_ in ids if places[id_][0].article.kind != "faq"][: manner.max_sources]
        draft = _quotation(question, articles, scores, manner, rarity)
    if draft is None or best.language == manner.language:
        return draft
    notice = say("other_language", manner.language, language=language_name(best.language, manner.language))
    return Draft(f"{notice}\n\n{draft.text}", draft.outcome, draft.sources, (notice, *draft.ours))


def choices(question: str, found: Found, places: Mapping[str, Sequence[Place]], rarity: Rarity | None) -> tuple[Choice, ...]:
    """The nearest articles to choose from, each once, with a line of what those of their passages say that were found."""
    ids = [id_ for id_ in dict.fromkeys(hit.article_id for hit in found.passages) if places.get(id_)]
    titles = {id_: places[id_][0].article.title for id_ in ids}
    distinct = {title.casefold(): (id_, title) for id_, title in reversed(titles.items())}
    scores = {hit.passage_id: hit.score for hit in found.passages}
    return tuple(
        Choice(id_, title, preview(question, [_source(place, scores) for place in places[id_] if place.passage.id in scores], rarity))
        for id_, title in list(reversed(distinct.values()))[:MAX_CHOICES]
    )


def _faq(places: Sequence[Place], manner: Manner) -> Draft:
    place = places[0]
    text = place.article.body.strip()
    source = _citation(1, place, text, manner)
    return Draft(text, Outcome.ANSWERED_FAQ, (source,))


def _quotation(
    question: str, articles: Sequence[Sequence[Place]], scores: Mapping[str, float], manner: Manner, rarity: Rarity | None
) -> Draft | None:
    sources = [[_source(place, scores) for place in article] for article in articles]
    quotation = quote(question, sources, words=manner.words, rarity=rarity)
    if not quotation.text.strip():
        return None
    goes_on = say("continues", manner.language)
    text = f"{quotation.text}\n\n{goes_on}" if quotation.continues else quotation.text
    return Draft(text, Outcome.ANSWERED_QUOTED, _citations(quotation, articles, manner), (goes_on,))


def _source(place: Place, scores: Mapping[str, float]) -> Source:
    passage = place.passage
    return Source(
        article_id=passage.article_id,
        passage_id=passage.id,
        title=place.article.title,
        heading_path=tuple(passage.heading_path),
        anchor=passage.anchor,
        text=passage.text,
        score=scores.get(passage.id, 0.0),
    )


def _citations(quotation: Quotation, articles: Sequence[Sequence[Place]], manner: Manner) -> tuple[Citation, ...]:
    """One source per article that a part was taken from, linked to the first part's place."""
    by_passage = {str(place.passage.id): place for article in articles for place in article}
    first: dict[str, tuple[Place, list[str]]] = {}
    for part in quotation.parts:
        place = by_passage[part.passage_id]
        first.setdefault(part.article_id, (place, []))[1].append(quotation.text[part.start : part.end])
    numbered = enumerate(first.values(), start=1)
    return tuple(_citation(number, place, "\n\n".join(quotes), manner) for number, (place, quotes) in numbered)


def _citation(number: int, place: Place, quoted: str, manner: Manner) -> Citation:
    article, passage = place.article, place.passage
    return Citation(
        number=number,
        article_id=article.id,
        passage_id=passage.id,
        revision=passage.revision,
        title=article.title,
        url=article.url or manner.link(article.slug, passage.anchor),
        quote=quoted,
    )
