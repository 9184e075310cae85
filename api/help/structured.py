"""What search engines read of a page: schema.org as JSON-LD."""

from collections.abc import Sequence
from typing import Any

from knowledge.tables import Article, ArticleKind

CONTEXT = "https://schema.org"


def article(of: Article, html: str, address: str, trail: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """An article or FAQ, and the way to it: names and addresses from the outermost page on."""
    way = enumerate([*trail, (of.title, address)], 1)
    crumbs = [{"@type": "ListItem", "position": n, "name": name, "item": item} for n, (name, item) in way]
    body: dict[str, Any] = {
        "@type": "TechArticle",
        "headline": of.title,
        "inLanguage": of.language,
        "dateModified": of.updated_at.isoformat(),
        "datePublished": of.created_at.isoformat(),
        "mainEntityOfPage": address,
    }
    if of.summary:
        body["description"] = of.summary
    if of.kind == ArticleKind.FAQ:
        body = {"@type": "FAQPage", "mainEntity": [_question(of.title, html)]}
    return {"@context": CONTEXT, "@graph": [body, {"@type": "BreadcrumbList", "itemListElement": crumbs}]}


def faq_page(questions: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Questions with their answers as HTML."""
    return {"@context": CONTEXT, "@type": "FAQPage", "mainEntity": [_question(title, html) for title, html in questions]}


def _question(title: str, html: str) -> dict[str, Any]:
    return {"@type": "Question", "name": title, "acceptedAnswer": {"@type": "Answer", "text": html}}
