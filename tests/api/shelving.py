"""What tests of the library share: writers, articles and suggestions to decide."""

from typing import Any

from sqlalchemy import select

from api.bootstrap import Service
from knowledge import suggestions
from knowledge.loop_tables import Evidence, Gap, GapGroup, GapId, GroupId, GroupState, Suggestion, SuggestionId, SuggestionKind
from knowledge.suggestions import Proposal, Similar
from knowledge.support import Sentence, Source
from knowledge.tables import Article
from tests.api.staffing import Colleague

SAID = "Open **Billing**, choose **Export** and pick a month."
SUPPORTED = Sentence(SAID, (Source("message", "7", "t1", "Please open Billing, choose Export and pick a month."),), supported=True)
LOOSE = Sentence("It takes three days.")
QUESTIONS = ("How do I export my invoices?", "export invoices as csv", "where can I download all invoices", "bulk invoice export?")


def article_now(service: Service, name: str = "refunds") -> Article:
    """An article as it stands, by its name at its source."""
    with service.database.read() as session:
        return session.scalars(select(Article).where(Article.external_id == name)).one()


def by_title(service: Service, title: str) -> Article:
    """An article as it stands, by its title."""
    with service.database.read() as session:
        return session.scalars(select(Article).where(Article.title == title)).one()


def group_in(service: Service, title: str = QUESTIONS[0], rank: float = 25.0) -> GroupId:
    """A group in which four people asked the same."""
    now = service.now()
    group = GapGroup(
        id=GroupId(service.new_id()),
        title=title,
        language="en",
        state=GroupState.OPEN,
        size=len(QUESTIONS),
        people=len(QUESTIONS),
        recent=3,
        before=1,
        unresolved=0.9,
        agent_minutes=6.0,
        rank=rank,
        purity=0.9,
        first_at=now,
        last_at=now,
        updated_at=now,
    )
    with service.database.write() as session:
        session.add(group)
        session.flush()
        session.add_all(
            Gap(
                id=GapId(service.new_id()),
                question=question,
                kinds=[Evidence.NOTHING_FOUND],
                weight=1.0,
                language="en",
                person=f"person {number}",
                conversation_id=f"conversation {number}",
                asked_id=str(number),
                group_id=group.id,
                at=now,
            )
            for number, question in enumerate(QUESTIONS)
        )
    return group.id


def suggested(service: Service, *body: Sentence, title: str = QUESTIONS[0], similar: tuple[Similar, ...] = (), **more: Any) -> SuggestionId:
    """A suggestion that waits, with its group."""
    written = body or (SUPPORTED,)
    rank = more.pop("rank", 25.0)
    proposal = Proposal(
        kind=more.pop("kind", SuggestionKind.NEW),
        title=title,
        text="\n\n".join(sentence.text for sentence in written),
        body=written,
        why="4 people asked this in two weeks and no article answered.",
        language="en",
        rank=rank,
        group_id=group_in(service, title, rank),
        wordings=QUESTIONS[1:],
        similar=similar,
        size=4,
        people=4,
        **more,
    )
    with service.database.write() as session:
        return suggestions.propose(session, proposal, SuggestionId(service.new_id()), now=service.now()).id


def suggestion_now(service: Service, suggestion_id: str) -> Suggestion:
    """A suggestion as it stands."""
    with service.database.read() as session:
        return suggestions.get(session, suggestion_id)


def called(writer: Colleague, method: str, path: str, body: Any = None) -> Any:
    """The library's interface, as somebody who is signed in."""
    sent = {} if body is None else {"json": body}
    return writer.client.request(method, f"/api/library{path}", headers={"X-CSRF-Token": writer.new.csrf}, **sent)
