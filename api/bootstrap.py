"""Settings → Service: the only place that chooses implementations, reads the clock and draws random numbers."""

import fcntl
import json
import os
import platform
import random
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from api.database import Database
from api.messages.channels import Channels, channels_of
from api.settings import Settings
from assistant.breaker import Limits
from assistant.chat_model import ChatModel
from assistant.model_calls import Budget
from assistant.pen import Clocks, Writer
from assistant.proving import by_words
from assistant.turn import Assistant
from escalation import keeping, queues
from escalation.queues import NoSuchQueue
from escalation.triage import Triage
from guardrails.checks.grounding import CAUGHT, CAUGHT_BESIDE_A_JUDGE, Grounding
from guardrails.checks.personal_data import mask_personal
from guardrails.classifier import Fitted
from guardrails.screen import Guard
from guardrails.support.entailment import CrossEncoderEntailment
from knowledge import confidence
from knowledge.embedding import HashingEncoder, MiniLM, Multilingual, SentenceTransformerEncoder
from knowledge.index import ChromaIndex, drop_others
from knowledge.library import MAIN, MULTILINGUAL, Library, StaleIndexError
from knowledge.reranking import CrossEncoderReranker
from knowledge.vectors import Vectors

TELEMETRY_OFF = {
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "ANONYMIZED_TELEMETRY": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class IndexInUseError(Exception):
    """Another process owns the embedded index; `owner` says how to reach it, when it is a server."""

    def __init__(self, owner: Mapping[str, Any]) -> None:
        """`owner` holds pid, and url and token when the owner serves."""
        super().__init__(f"the index is in use by process {owner.get('pid', '?')}")
        self.owner = owner


@dataclass(frozen=True)
class Service:
    """Everything that runs: built once, handed to the app, the command line, the evals and the tests."""

    settings: Settings
    database: Database
    library: Library
    assistant: Assistant
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    repaired: tuple[int, int]
    channels: Channels
    chance: Callable[[], float]


def utc_now() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def new_id() -> str:
    """A random 128-bit name."""
    return secrets.token_hex(16)


def new_secret() -> str:
    """256 random bits that may stand in a header."""
    return secrets.token_urlsafe(32)


def new_secret_bytes() -> bytes:
    """256 random bits as they are, for a key that signs."""
    return secrets.token_bytes(32)


def worker_name() -> str:
    """What tells this worker from others, on this machine and elsewhere."""
    return f"{platform.node()[:50]}:{os.getpid()}:{secrets.token_hex(3)}"


def silence_telemetry() -> None:
    """No library reports to anybody, whatever the environment says (trap M17)."""
    os.environ.update(TELEMETRY_OFF)
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


@contextmanager
def running(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    announce: Callable[[str], None] = lambda _: None,
    chat: ChatModel | None = None,
) -> Iterator[Service]:
    """The service with its database and index open; both are closed at the end. `chat` stands in for the chat model of the settings.

    Raise UnknownSchemaError, IndexInUseError, ModelFileError, ChatModelError, UnusableModel, BadData or NoSuchProfile when it cannot run.
    """
    silence_telemetry()
    settings.api.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.api.sql)
    try:
        database.info[keeping.BOOK] = settings.sla_book()
        database.prepare()
        with _chroma(settings) as client:
            known = encoders(settings)
            guard = _guard(settings, known)
            library = _library(settings, database, client, known, guard)
            repaired = _open(library, client, announce, now, shared=bool(settings.api.chroma_url))
            pens = writer(settings, database, chat, now)
            assistant = _assistant(settings, database, library, guard, (pens, judge(settings, database, pens, now=now)))
            yield Service(settings, database, library, assistant, now, new_id, repaired, channels_of(settings.api), random.random)
    finally:
        database.close()


class _Elsewhere:
    """What stands for the index in a process that does not own it. Raise IndexInUseError for everything that is asked of it."""

    def __getattr__(self, name: str) -> Any:
        """Nothing works here."""
        raise IndexInUseError({"pid": f"`firstline serve`; {name} works there only"})


@contextmanager
def running_without_index(settings: Settings, *, now: Callable[[], datetime] = utc_now) -> Iterator[Service]:
    """The service with its database alone: for a worker beside the server that owns the embedded index. Raise UnknownSchemaError."""
    silence_telemetry()
    database = Database(settings.api.sql)
    nothing: Any = _Elsewhere()
    try:
        database.prepare()
        yield Service(settings, database, nothing, nothing, now, new_id, (0, 0), channels_of(settings.api), random.random)
    finally:
        database.close()


def encoders(settings: Settings) -> dict[str, Embeddings]:
    """The encoders that the settings name."""
    name = settings.knowledge.embedder
    if name == "hashing":
        return {MAIN: HashingEncoder()}
    main: Embeddings = MiniLM(settings.api.data / "models") if name == "minilm" else SentenceTransformerEncoder(name)
    return {MAIN: main, MULTILINGUAL: Multilingual()} if settings.knowledge.multilingual else {MAIN: main}


class _NothingFitted(Fitted):
    """What was fitted for no policies: no scores for any text."""

    def scores(self, vectors: Mapping[str, Vectors]) -> Vectors:
        """No column, one row per text."""
        return np.zeros((len(next(iter(vectors.values()))), 0), dtype=np.float32)


def _guard(settings: Settings, known: Mapping[str, Embeddings]) -> Guard:
    """The guard over the shipped policies; over none with the stand-in encoder, which sees words but no meaning to tell them by."""
    if not isinstance(known[MAIN], HashingEncoder):
        return Guard.build(known, settings.api.data / "models", settings=settings.guardrails)
    nothing = np.zeros(0, dtype=np.float32)
    fitted = _NothingFitted("none", (), (), (), (), nothing, nothing, nothing, nothing, nothing.astype(np.int16), ())
    return Guard([], fitted, settings.guardrails)


def owner_file(settings: Settings) -> Path:
    """Where the process that owns the embedded index says who it is."""
    return settings.api.data / "chroma.owner"


@contextmanager
def _chroma(settings: Settings) -> Iterator[Any]:
    """A Chroma client: of the server that the settings name, or embedded and then owned by this process alone."""
    import chromadb  # noqa: PLC0415
    from chromadb.config import Settings as ChromaSettings  # noqa: PLC0415

    quiet = ChromaSettings(anonymized_telemetry=False)
    if settings.api.chroma_url:
        from urllib.parse import urlsplit  # noqa: PLC0415

        url = urlsplit(settings.api.chroma_url)
        port = url.port or (443 if url.scheme == "https" else 8000)
        server: Any = chromadb.HttpClient(host=url.hostname or "", port=port, ssl=url.scheme == "https", settings=quiet)
        with closing(server):
            yield server
        return
    with _owned(owner_file(settings)):
        embedded: Any = chromadb.PersistentClient(str(settings.api.data / "chroma"), settings=quiet)
        with closing(embedded):
            yield embedded


@contextmanager
def _owned(file: Path) -> Iterator[None]:
    """Hold the lock that makes this process the only one to open the index; a kill releases it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IndexInUseError(json.loads(file.read_text() or "{}")) from None
        file.write_text(json.dumps({"pid": os.getpid()}))
        yield
        file.write_text("")
    finally:
        os.close(descriptor)


def _library(settings: Settings, database: Database, client: Any, known: Mapping[str, Embeddings], guard: Guard) -> Library:
    return Library(
        database,
        known,
        lambda name: ChromaIndex(client, name),
        new_id,
        fitted=confidence.load(target_error=settings.knowledge.target_error, unsure_from=settings.knowledge.offer_from),
        hold=lambda texts, _rows: guard.document(texts),
        reranker=CrossEncoderReranker(settings.knowledge.reranker) if settings.knowledge.reranker else None,
    )


def _open(library: Library, client: Any, announce: Callable[[str], None], now: Callable[[], datetime], *, shared: bool) -> tuple[int, int]:
    """Open the library; build its index anew when it was made with another model."""
    try:
        repaired = library.open()
    except StaleIndexError as stale:
        announce(f"Rebuilding the index: {stale}.")
        library.reindex(lambda done, of: announce(f"  {done} of {of} articles"), now=now())
        repaired = (0, 0)
    drop_others(client, library.collection_names, shared=shared)
    return repaired


def writer(settings: Settings, database: Database, chat: ChatModel | None = None, now: Callable[[], datetime] = utc_now) -> Writer | None:
    """The chat model that the settings name, or the one handed in, with its limits; None without one. Raise ChatModelError."""
    chosen = settings.assistant
    if chat is None and not chosen.chat_model:
        return None
    if chat is None:
        from api.chat import chat_model  # noqa: PLC0415

        chat = chat_model(chosen)
    return _pens(settings, database, chat, now)


def judge(
    settings: Settings, database: Database, writer: Writer | None, chat: ChatModel | None = None, now: Callable[[], datetime] = utc_now
) -> Writer | None:
    """The chat model that judges what is written: that of the settings, or the one handed in; None without one. Raise ChatModelError.

    Where it is the one that writes, both are one, so that what rests for one rests for the other.
    """
    chosen = settings.assistant
    if chat is None and not chosen.chat_judge:
        return None
    if chat is None:
        from api.chat import as_judge, judge_model  # noqa: PLC0415

        seen = as_judge(chosen)
        if writer is not None and (seen.chat_model, seen.chat_base_url) == (chosen.chat_model, chosen.chat_base_url):
            return writer
        chat = judge_model(chosen)
    return _pens(settings, database, chat, now)


def _pens(settings: Settings, database: Database, chat: ChatModel, now: Callable[[], datetime]) -> Writer:
    chosen = settings.assistant
    return Writer(
        chat,
        database,
        Clocks(now, time.monotonic, time.sleep),
        new_id,
        budget=Budget(chosen.chat_tokens_conversation, chosen.chat_tokens_day),
        limits=Limits(failures=chosen.chat_failures, pause=chosen.chat_pause_seconds),
        retries=chosen.chat_retries,
    )


def _assistant(
    settings: Settings, database: Database, library: Library, guard: Guard, models: tuple[Writer | None, Writer | None]
) -> Assistant:
    """`models`: who writes, and who judges."""

    def link(slug: str, anchor: str) -> str:
        return f"{settings.api.public_url.rstrip('/')}/help/{slug}" + (f"#{anchor}" if anchor else "")

    triage = Triage.over(library.encoders, settings.escalation)
    _check_queues(guard)
    supports = by_words if isinstance(library.encoders[MAIN], HashingEncoder) else grounding(settings, library.encoders).check
    own = settings.assistant
    return Assistant(database, library, own, new_id, link, mask_personal, guard, identify, triage, models[0], supports, models[1])


def grounding(settings: Settings, known: Mapping[str, Embeddings]) -> Grounding:
    """The checker of written sentences that the settings describe; where a model judges what they mean, it cuts what is surely wrong.

    Raise UnusableModel.
    """
    chosen = settings.guardrails
    entailment = CrossEncoderEntailment(chosen.entailment) if chosen.entailment else None
    alone = entailment is None and not settings.assistant.chat_judge
    usual = CAUGHT if alone else CAUGHT_BESIDE_A_JUDGE
    return Grounding(known, caught=usual if chosen.written_caught is None else chosen.written_caught, entailment=entailment)


def _check_queues(guard: Guard) -> None:
    """Every policy names a queue that there is. Raise NoSuchQueue, which says the policy's name."""
    for policy in guard.policies.values():
        try:
            queues.get(policy.queue)
        except NoSuchQueue as error:
            raise NoSuchQueue(f"the guard policy {policy.id}: {error}") from None


def identify(text: str) -> tuple[str, float]:
    """The most probable of 97 languages, for texts whose language shows no sign we know; loaded when first needed (90 MB)."""
    code, probability = _identifier().classify(text)
    return str(code), float(probability)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
