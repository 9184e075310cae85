"""Articles that need a writer without anybody's new question: twins that say the same, and those that do not help."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import duplicates
from knowledge.drafting import Means
from knowledge.duplicates import Page
from knowledge.grouping import neighbours
from knowledge.loop_tables import Suggestion, SuggestionKind
from knowledge.suggestions import Proposal, Similar, Target
from knowledge.tables import Article, ArticleKind, ArticleState

TWINS = 0.8  # probability from which two published FAQs are called the same: a writer should rarely be asked in vain
NEIGHBOURS = 3
UNHELPFUL, SHARE = 3, 0.6  # people who said it did not help, and their share of all who said anything
UNUSED = timedelta(days=365)  # without a change and without one answer from it, an article may go


@dataclass(frozen=True)
class Use:
    """How an article fared since it was last changed: thumbs of different people, and when an answer last cited it."""

    helpful: int = 0
    unhelpful: int = 0
    cited_at: datetime | None = None


def twins(session: Session, means: Means) -> list[Proposal]:
    """Published FAQs that say the same, as suggestions to merge the younger into the older; none that was suggested before."""
    published = select(Article).where(Article.state == ArticleState.PUBLISHED, Article.kind == ArticleKind.FAQ)
    faqs = session.scalars(published.order_by(Article.created_at, Article.id)).all()
    if len(faqs) < 2:  # noqa: PLR2004 - a twin needs another
        return []
    pages = [Page(faq.id, faq.title, faq.body, tuple(faq.wordings)) for faq in faqs]
    seen = duplicates.seen(pages, means.embed(duplicates.texts(pages)))
    by_id = {faq.id: faq for faq in faqs}
    near, _ = neighbours(np.stack([one.text for one in seen]), min(NEIGHBOURS, len(faqs) - 1))
    before = {(row.article_id, *row.others) for row in session.scalars(select(Suggestion).where(Suggestion.kind == SuggestionKind.MERGE))}
    found: list[Proposal] = []
    gone: set[str] = set()
    for at, others in enumerate(near.tolist()):
        for other in others:
            kept, twin = by_id[seen[min(at, other)].page.id], by_id[seen[max(at, other)].page.id]
            score = duplicates.likeness(seen[at], seen[other])
            known = (kept.id, twin.id) in before or {kept.id, twin.id} & gone
            if score >= TWINS and not known and kept.language == twin.language:
                found.append(_merge(kept, twin, score))
                gone |= {kept.id, twin.id}
    return found


def stale(session: Session, uses: Mapping[str, Use], *, now: datetime) -> list[Proposal]:
    """Articles that do not help, to be refreshed, and those nobody needed for a year, to be retired; none that was suggested lately."""
    recent = select(Suggestion.article_id).where(Suggestion.created_at > now - timedelta(days=90), Suggestion.article_id.is_not(None))
    known = set(session.scalars(recent.where(Suggestion.kind.in_([SuggestionKind.REFRESH, SuggestionKind.RETIRE]))))
    found = []
    for article in session.scalars(select(Article).where(Article.state == ArticleState.PUBLISHED).order_by(Article.id)):
        use = uses.get(article.id, Use())
        if article.id in known:
            continue
        if use.unhelpful >= UNHELPFUL and use.unhelpful >= SHARE * (use.helpful + use.unhelpful):
            why = f"{use.unhelpful} people said that it did not help, {use.helpful} that it did."
            found.append(_tend(article, SuggestionKind.REFRESH, why, float(use.unhelpful)))
        elif uses and article.updated_at < now - UNUSED and (use.cited_at is None or use.cited_at < now - UNUSED):
            found.append(_tend(article, SuggestionKind.RETIRE, "Nobody was answered from it for a year, nor was it changed.", 0.1))
    return found


def _merge(kept: Article, twin: Article, score: float) -> Proposal:
    return Proposal(
        kind=SuggestionKind.MERGE,
        title=kept.title,
        text=kept.body,
        body=(),
        why=f"“{kept.title}” and “{twin.title}” say the same; the first would be found by both questions, the second retired.",
        language=kept.language,
        rank=score,
        target=Target(kept.id, kept.revision, (twin.id,)),
        similar=(Similar("article", twin.id, twin.title, round(score, 3), duplicate=True),),
    )


def _tend(article: Article, kind: SuggestionKind, why: str, rank: float) -> Proposal:
    target = Target(article.id, article.revision)
    text = "" if kind is SuggestionKind.RETIRE else article.body
    return Proposal(kind, article.title, text, (), why, article.language, rank, target=target)
