"""The real service in a temporary folder: what the exam asks questions and the benchmark measures."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from api import bootstrap
from api.bootstrap import Service
from api.settings import Settings
from assistant.chat_model import ChatModel
from evals.remembering import RememberingEncoder
from knowledge.articles import ArticleText
from knowledge.confidence import Confidence
from knowledge.embedding import Vectors, vectors
from knowledge.publishing import Change, Origin

PUBLISHED_AT_ONCE = 200  # articles; bounds the memory of one stage and swap


class IngestError(Exception):
    """An article of the set could not be published, so its numbers would be wrong."""


@dataclass(frozen=True)
class Laboratory:
    """A running service, in a folder of its own."""

    service: Service

    def publish(self, texts: Sequence[ArticleText], source: str = "evals") -> dict[str, str]:
        """Publish articles as `firstline ingest` does; their ids by external id. Raise IngestError."""
        ids: dict[str, str] = {}
        for start in range(0, len(texts), PUBLISHED_AT_ONCE):
            part = texts[start : start + PUBLISHED_AT_ONCE]
            for done in self.service.library.publisher.publish(part, Origin(source, source), now=self.service.now()):
                if done.article_id is None or done.change in {Change.CONFLICT, Change.FAILED}:
                    raise IngestError(f"{done.external_id}: {done.change} {done.reason}")
                ids[done.external_id] = done.article_id
        self.service.library.refresh()
        return ids

    def judge_by(self, fitted: Confidence) -> None:
        """Let search state its probabilities by this fit."""
        self.service.library.fitted = fitted
        self.service.library.open()

    def embed(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """One row per text by encoder, as a turn embeds a question."""
        return {name: vectors(encoder, list(texts)) for name, encoder in self.service.library.encoders.items()}


@contextmanager
def laboratory(
    settings: Settings, cache: Path, *, folder: Path | None = None, remember: bool = True, chat: ChatModel | None = None
) -> Iterator[Laboratory]:
    """The service that `settings` describes, but with storage of its own in `folder`, or in one that goes at the end.

    `chat` stands in for its chat model.

    Prepared models are shared through `cache`, and so are vectors, unless `remember` is off.
    """
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="firstline-evals-")))
        share_models(place, cache)
        service = stack.enter_context(bootstrap.running(in_folder(settings, place), chat=chat))
        if remember:
            _remember(service, cache, stack)
        yield Laboratory(service)


def in_folder(settings: Settings, folder: Path) -> Settings:
    """The same settings with SQLite and Chroma inside this folder."""
    api = settings.api.model_copy(update={"data": folder, "database_url": "", "chroma_url": ""})
    return settings.model_copy(update={"api": api})


def share_models(folder: Path, cache: Path) -> None:
    """Let a data folder use the models that were prepared in an earlier run."""
    models = (cache / "models").resolve()
    models.mkdir(parents=True, exist_ok=True)
    if not (folder / "models").exists():
        (folder / "models").symlink_to(models, target_is_directory=True)


def _remember(service: Service, cache: Path, stack: ExitStack) -> None:
    """Put remembering encoders in the place of the library's and the guard's, and open the library anew with them."""
    encoders = {name: RememberingEncoder(encoder, cache / "vectors.db") for name, encoder in service.library.encoders.items()}
    for encoder in encoders.values():
        stack.callback(encoder.close)
    service.library.encoders = encoders
    service.library.open()
    service.assistant.guard.encoders = {name: encoders[name] for name in service.assistant.guard.encoders}
