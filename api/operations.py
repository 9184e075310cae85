"""What an operator can ask for on the command line, done in this process or by the server that owns the index.

Only one process may open the embedded index. When a server holds it, the command line sends the same
requests to it over loopback, with the token that the server wrote into its owner file.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import httpx
from sqlalchemy import select

from api.bootstrap import Service, new_secret
from assistant import conversation
from assistant.conversation import Incoming
from assistant.learning import learn
from assistant.tables import Message, Turn
from assistant.turn import take_turn
from guardrails.checks.personal_data import redact_secrets
from knowledge.articles import ArticleText, Picture
from knowledge.publishing import Change, Origin, Published
from knowledge.tables import Article, ArticleKind, ArticleState

REMOTE_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Asked:
    """A question asked from the command line, and what came back."""

    text: str
    outcome: str
    sources: list[dict[str, Any]]
    choices: list[dict[str, Any]]
    probability: float | None
    milliseconds: float
    written: str = ""
    """The chat model that wrote the answer; empty where it is quoted."""


class Operations(Protocol):
    """What the command line needs; the same whether done here or by a server."""

    def publish(self, texts: Sequence[ArticleText], origin: Origin, *, dry_run: bool) -> list[Published]:
        """Publish a batch, or say what publishing it would do."""

    def prune(self, source: str, seen: Sequence[str], *, dry_run: bool) -> list[Published]:
        """Retire the source's articles that were not seen."""

    def reindex(self, progress: Callable[[int, int], None]) -> int:
        """Build the index anew from SQL; how many passages are live."""

    def release(self, passage_id: str) -> None:
        """Index a passage that was held back. Raise LookupError when no such passage is held."""

    def suggest(self, *, rebuild: bool) -> dict[str, Any]:
        """Learn from what happened and suggest what is ready: what was found and done."""

    def ask(self, question: str) -> Asked:
        """Answer a question in a conversation of its own."""

    def explain(self, question: str) -> dict[str, Any]:
        """How a question is searched: each method's scores, what was dropped, the decision."""


@dataclass(frozen=True)
class LocalOperations:
    """Done in this process."""

    service: Service

    def publish(self, texts: Sequence[ArticleText], origin: Origin, *, dry_run: bool) -> list[Published]:
        """Publish a batch, or say what publishing it would do."""
        publisher = self.service.library.publisher
        return publisher.preview(texts, origin) if dry_run else publisher.publish(texts, origin, now=self.service.now())

    def prune(self, source: str, seen: Sequence[str], *, dry_run: bool) -> list[Published]:
        """Retire the source's articles that were not seen."""
        with self.service.database.read() as session:
            query = select(Article).where(Article.source == source, Article.state == ArticleState.PUBLISHED)
            kept = set(seen)
            gone = [article for article in session.scalars(query) if article.external_id not in kept]
        if dry_run or not gone:
            return [Published(article.external_id, Change.RETIRED, article.id) for article in gone]
        return self.service.library.publisher.retire([article.id for article in gone], now=self.service.now())

    def reindex(self, progress: Callable[[int, int], None]) -> int:
        """Build the index anew from SQL; how many passages are live."""
        return self.service.library.reindex(progress, now=self.service.now())

    def release(self, passage_id: str) -> None:
        """Index a passage that was held back. Raise LookupError when no such passage is held."""
        self.service.library.publisher.release(passage_id)

    def suggest(self, *, rebuild: bool) -> dict[str, Any]:
        """Learn from what happened and suggest what is ready: what was found and done."""
        return asdict(learn(self.service.assistant, self.service.settings.knowledge, now=self.service.now(), rebuild=rebuild))

    def ask(self, question: str) -> Asked:
        """Answer a question in a conversation of its own."""
        service = self.service
        with service.database.write() as session:
            started = conversation.start(session, secret=new_secret(), locale="en", new_id=service.new_id, now=service.now())
        take_turn(service.assistant, started.id, Incoming(redact_secrets(question).text), now=service.now())
        with service.database.read() as session:
            turn = session.scalars(select(Turn).where(Turn.conversation_id == started.id)).one()
            reply = session.get_one(Message, turn.reply_id)
        return Asked(
            reply.text,
            reply.content["outcome"],
            reply.content["sources"],
            reply.content["choices"],
            turn.probability,
            turn.trace.get("milliseconds", 0.0),
            reply.content.get("written", ""),
        )

    def explain(self, question: str) -> dict[str, Any]:
        """How a question is searched: each method's scores, what was dropped, the decision."""
        found = self.service.library.find(question, self.service.assistant.embed([question]), limit=10)
        return {
            "decision": found.band,
            "probability": found.probability,
            "features": dict(found.explanation.features),
            "dropped": list(found.explanation.dropped),
            "language": found.explanation.language,
            "passages": [asdict(hit) for hit in found.passages],
        }


@dataclass(frozen=True)
class RemoteOperations:
    """Done by the server that owns the index."""

    url: str
    token: str

    def publish(self, texts: Sequence[ArticleText], origin: Origin, *, dry_run: bool) -> list[Published]:
        """Publish a batch, or say what publishing it would do."""
        body = {"texts": [text_to_json(text) for text in texts], "origin": asdict(origin), "dry_run": dry_run}
        return [_published(row) for row in self._post("publish", body)]

    def prune(self, source: str, seen: Sequence[str], *, dry_run: bool) -> list[Published]:
        """Retire the source's articles that were not seen."""
        return [_published(row) for row in self._post("prune", {"source": source, "seen": list(seen), "dry_run": dry_run})]

    def reindex(self, progress: Callable[[int, int], None]) -> int:
        """Build the index anew from SQL; how many passages are live. The server reports no progress."""
        live = int(self._post("reindex", {}))
        progress(1, 1)
        return live

    def release(self, passage_id: str) -> None:
        """Index a passage that was held back. Raise LookupError when no such passage is held."""
        if not self._post("release", {"passage": passage_id}):
            raise LookupError(f"no passage {passage_id} is held back")

    def suggest(self, *, rebuild: bool) -> dict[str, Any]:
        """Learn from what happened and suggest what is ready: what was found and done."""
        return dict(self._post("suggest", {"rebuild": rebuild}))

    def ask(self, question: str) -> Asked:
        """Answer a question in a conversation of its own."""
        return Asked(**self._post("ask", {"question": question}))

    def explain(self, question: str) -> dict[str, Any]:
        """How a question is searched: each method's scores, what was dropped, the decision."""
        return dict(self._post("explain", {"question": question}))

    def _post(self, name: str, body: dict[str, Any]) -> Any:
        response = httpx.post(
            f"{self.url}/internal/{name}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=REMOTE_TIMEOUT_SECONDS,
        )
        response.raise_for_status()
        return response.json()


def text_to_json(text: ArticleText) -> dict[str, Any]:
    """An article's text as JSON; image bytes as hexadecimal digits."""
    images = [{"name": i.name, "media_type": i.media_type, "content": i.content.hex()} for i in text.images]
    return {**asdict(text), "images": images}


def text_from_json(row: dict[str, Any]) -> ArticleText:
    """The text that text_to_json wrote."""
    images = tuple(Picture(i["name"], i["media_type"], bytes.fromhex(i["content"])) for i in row["images"])
    learned = None if row["learned"] is None else tuple(row["learned"])
    fields = {**row, "images": images, "learned": learned, "kind": ArticleKind(row["kind"])}
    fields |= {name: tuple(row[name]) for name in ("tags", "wordings")}
    return ArticleText(**fields)


def _published(row: dict[str, Any]) -> Published:
    return Published(**{**row, "change": Change(row["change"])})
