"""How long until what is published can be answered, and until what is retracted is gone: over HTTP, from a server of its own.

`python -m evals freshness`. The clock starts when the change is sent and stops with the first reply that shows it.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from api import identity
from api.bootstrap import new_secret, running
from api.ingesting import Order, ingest
from api.operations import LocalOperations
from api.settings import Settings
from evals.laboratory import in_folder, share_models
from evals.visiting import ServerFailed, serving

SAMPLE = Path(__file__).parent.parent / "knowledge" / "sample"
LIMIT = 5.0  # seconds, the bar at the 95th percentile
GIVE_UP = 30.0
THINGS = (
    *("harpsichord", "lighthouse", "glacier", "accordion", "windmill", "beehive", "compass", "telescope", "sundial", "kayak"),
    *("anvil", "greenhouse", "chandelier", "gondola", "trampoline", "lantern", "sawmill", "aquarium", "hammock", "toboggan"),
)


@dataclass(frozen=True)
class Freshness:
    """Seconds until published texts were answered and until retracted ones were gone."""

    published: tuple[float, ...]
    retracted: tuple[float, ...]

    @property
    def failures(self) -> list[str]:
        """Which 95th percentile is over the bar."""
        both = (("published", self.published), ("retracted", self.retracted))
        return [f"{name}: {percentile(values, 95):.2f} s" for name, values in both if percentile(values, 95) > LIMIT]


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` percent of the values lie, the nearest one above."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share / 100 * len(ordered)) - 1)]


def measure(settings: Settings, cache: Path, changes: int) -> Freshness:
    """Publish and retract so many FAQs beside the sample help centre. Raise ServerFailed."""
    with TemporaryDirectory(prefix="firstline-fresh-") as name:
        folder, key = Path(name), f"fl_{new_secret()}"
        share_models(folder, cache)
        with running(in_folder(settings, folder)) as service:
            ingest(Order(SAMPLE, "sample"), LocalOperations(service), lambda _done, _of: None)
            with service.database.write() as session:
                identity.create_key(session, name="freshness", secret=key, key_id=service.new_id(), now=service.now())
        with serving(folder) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=GIVE_UP) as http:
            times = [_one(http, key, f"{THINGS[n % len(THINGS)]} {n // len(THINGS) + 1}") for n in range(changes)]
    return Freshness(tuple(one for one, _ in times), tuple(other for _, other in times))


def _one(http: httpx.Client, key: str, thing: str) -> tuple[float, float]:
    """Seconds until a new FAQ about the thing is answered, and until it is gone again."""
    bearer = {"Authorization": f"Bearer {key}"}
    question = f"How do I polish the {thing}?"
    body = {"source": "freshness", "external_id": thing, "title": question, "body": f"Polish the {thing} with wax.", "kind": "faq"}
    began = time.perf_counter()
    article = _checked(http.put("/api/articles", json=body, headers=bearer)).json()["article_id"]
    published = _until(began, lambda: _shows(http, question, article))
    began = time.perf_counter()
    _checked(http.delete(f"/api/articles/{article}", headers=bearer))
    return published, _until(began, lambda: not _shows(http, question, article))


def _until(began: float, happened: Callable[[], bool]) -> float:
    while not happened():
        if time.perf_counter() - began > GIVE_UP:
            return math.inf
    return time.perf_counter() - began


def _shows(http: httpx.Client, question: str, article_id: str) -> bool:
    """Whether a visitor who asks gets the article, as the answer or among the choices."""
    conversation = _checked(http.post("/api/conversations", json={})).json()
    bearer = {"Authorization": f"Bearer {conversation['secret']}"}
    path = f"/api/conversations/{conversation['id']}/messages"
    reply: dict[str, Any] = _checked(http.post(path, json={"text": question}, headers=bearer)).json()
    return article_id in str(reply)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        raise ServerFailed(f"{response.url}: status {response.status_code}: {response.text[:300]}")
    return response
