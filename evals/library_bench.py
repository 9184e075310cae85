"""How long the library's pages take with hundreds of articles and suggestions: one request after another, in this process.

`python -m evals library-pages`. The bar is 300 ms at the 95th percentile on a quiet machine.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create
from api.bootstrap import Service, new_secret
from api.serving import spare_the_collector
from api.settings import Settings
from api.staff import sessions
from api.staff.door import COOKIE
from api.staff.sessions import Lasting, NewSession
from api.tables import Account, StaffRole
from evals.freshness import percentile
from evals.laboratory import Laboratory, laboratory
from knowledge import golden, suggestions
from knowledge.articles import ArticleText
from knowledge.golden import Golden
from knowledge.loop_tables import Evidence, Gap, GapGroup, GapId, GroupId, GroupState, SuggestionId, SuggestionKind
from knowledge.suggestions import Proposal, Similar
from knowledge.support import Sentence, Source
from knowledge.tables import ArticleKind

LIMIT = 300.0  # milliseconds
WARM = 3  # requests of a page before its time counts
ASKED = 12  # questions of a group
PROTECTED = 20  # golden questions, on which a trial runs
LASTING = Lasting(timedelta(days=7), timedelta(days=7))
THINGS = ("invoice", "refund", "password", "export", "team", "calendar", "webhook", "invitation", "report", "licence")
DEEDS = ("change", "find", "delete", "share", "download", "print", "archive", "rename", "restore", "protect")


@dataclass(frozen=True)
class Timed:
    """A page and the milliseconds of each request."""

    name: str
    times: tuple[float, ...]

    @property
    def slow(self) -> bool:
        """Whether its 95th percentile is over the bar."""
        return percentile(self.times, 95) > LIMIT

    def row(self) -> str:
        """In words."""
        middle, most = percentile(self.times, 50), percentile(self.times, 95)
        return f"{self.name:24} p50 {middle:6.0f} ms  p95 {most:6.0f} ms  ({len(self.times)} requests; bar: p95 at most {LIMIT:.0f} ms)"


def measure(settings: Settings, cache: Path, count: int, requests: int) -> list[Timed]:
    """Make so many articles, groups and suggestions, then ask for each kind of page so often."""
    with laboratory(settings, cache) as lab:
        ids = list(lab.publish([_article(number) for number in range(count)]).values())
        groups, waiting = _suggested(lab.service, ids, count)
        _guarded(lab, ids)
        spare_the_collector()
        with TestClient(create(lab.service), base_url="https://testserver") as client:
            client.cookies.set(COOKIE, _signed_in(lab.service))
            return [_timed(client, name, paths, requests) for name, paths in _pages(ids, groups, waiting).items()]


def _pages(ids: Sequence[str], groups: Sequence[str], waiting: Sequence[str]) -> dict[str, list[str]]:
    return {
        "articles": ["/library", "/library?sort=views", "/library?sort=title&page=2"],
        "search among articles": [f"/library?q={deed}+{thing}" for deed, thing in zip(DEEDS, THINGS, strict=True)],
        "an article in the editor": [f"/library/articles/{id_}" for id_ in ids[:50]],
        "its revisions": [f"/library/articles/{id_}/revisions" for id_ in ids[:50]],
        "what retiring changes": [f"/library/articles/{id_}/trial" for id_ in ids[:50]],
        "suggestions": ["/library/suggestions", "/library/suggestions?page=2"],
        "one suggestion": [f"/library/suggestions/{id_}" for id_ in waiting[:50]],
        "what accepting changes": [f"/library/suggestions/{id_}/trial" for id_ in waiting[:50]],
        "groups": ["/library/groups", "/library/groups?page=2"],
        "one group": [f"/library/groups/{id_}" for id_ in groups[:50]],
        "numbers": ["/library/loop"],
    }


def _timed(client: TestClient, name: str, paths: Sequence[str], requests: int) -> Timed:
    times = []
    for at in range(WARM + requests):
        path = paths[at % len(paths)]
        began = time.perf_counter()
        status = client.get(path, headers={"Accept": "text/html"}).status_code
        if status != 200:  # noqa: PLR2004 - what else would be timed
            raise RuntimeError(f"{path} gave {status}")
        if at >= WARM:
            times.append(1000 * (time.perf_counter() - began))
    return Timed(name, tuple(times))


def _words(number: int) -> tuple[str, str]:
    return DEEDS[number % len(DEEDS)], THINGS[number // len(DEEDS) % len(THINGS)]


def _article(number: int) -> ArticleText:
    deed, thing = _words(number)
    steps = f"1. Open **Settings › {thing.capitalize()}**.\n2. Choose **{deed.capitalize()}** and confirm with code {number}."
    return ArticleText(
        f"bench-{number}", f"How do I {deed} the {thing} no. {number}?", f"{steps}\n\nIt takes a minute.", kind=ArticleKind.FAQ
    )


def _suggested(service: Service, ids: Sequence[str], count: int) -> tuple[list[str], list[str]]:
    """So many groups with their questions, each with a suggestion that waits; the ids of both."""
    groups, waiting = [], []
    for number in range(count):
        deed, thing = _words(number)
        group_id = GroupId(service.new_id())
        with service.database.write() as session:
            session.add(_group(service, group_id, f"How can I {deed} my {thing}?"))
            session.flush()
            session.add_all(_gap(service, group_id, f"{deed} {thing} number {number}, version {at}", at) for at in range(ASKED))
            said = f"Open Settings, choose {thing} and press {deed}."
            sentence = Sentence(said, tuple(Source("message", str(at), f"t{at}", said) for at in range(3)), supported=True)
            near = tuple(Similar("article", id_, "How do I?", 0.3, duplicate=False) for id_ in ids[:3])
            title = f"How can I {deed} my {thing}?"
            wanted = Proposal(
                SuggestionKind.NEW, title, said, [sentence], "12 people asked this.", "en", float(number), group_id, similar=near
            )
            waiting.append(str(suggestions.propose(session, wanted, SuggestionId(service.new_id()), now=service.now()).id))
        groups.append(str(group_id))
    return groups, waiting


def _group(service: Service, group_id: GroupId, title: str) -> GapGroup:
    now = service.now()
    counts = {"size": ASKED, "people": ASKED, "recent": ASKED, "before": 1, "decided_size": 0}
    shares = {"unresolved": 0.9, "agent_minutes": 5.0, "rank": 50.0, "purity": 0.8}
    moments = dict.fromkeys(("first_at", "last_at", "updated_at"), now)
    return GapGroup(id=group_id, title=title, language="en", state=GroupState.OPEN, **counts, **shares, **moments)


def _gap(service: Service, group_id: GroupId, question: str, at: int) -> Gap:
    kinds = [Evidence.NOTHING_FOUND]
    named = {"person": f"p{at}", "conversation_id": service.new_id(), "asked_id": str(at)}
    return Gap(
        id=GapId(service.new_id()), question=question, kinds=kinds, weight=1.0, language="en", group_id=group_id, at=service.now(), **named
    )


def _guarded(lab: Laboratory, ids: Sequence[str]) -> None:
    """Some protected golden questions, as a library in use has."""
    service = lab.service
    with service.database.write() as session:
        for number, article_id in enumerate(ids[:PROTECTED]):
            deed, thing = _words(number)
            wanted = Golden(f"Where can I {deed} the {thing} no. {number}?", article_id)
            golden.add(session, wanted, service.new_id(), by="bench", now=service.now())


def _signed_in(service: Service) -> str:
    """The cookie of a writer."""
    new = NewSession(service.new_id(), new_secret(), new_secret(), "bench")
    account = Account(id=service.new_id(), email="w@example.org", name="Writer", role=StaffRole.WRITER, created_at=service.now())
    account.password_hash = "x"  # noqa: S105 - nobody signs in with it
    with service.database.write() as session:
        session.add(account)
        session.flush()
        sessions.begin(session, account, new, LASTING, now=service.now())
    return new.token
