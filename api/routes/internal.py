"""What the command line asks of a running server: the same operations, behind the token in the owner file."""

import hmac
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.context import service_of
from api.errors import Unauthorised
from api.identity import bearer
from api.operations import LocalOperations, text_from_json
from knowledge.publishing import Origin


def owner(request: Request) -> LocalOperations:
    """Let in who can read the owner file. Raise Unauthorised."""
    if not hmac.compare_digest(bearer(request).encode(), str(request.app.state.control_token).encode()):
        raise Unauthorised("this is for the command line on the same machine")
    return LocalOperations(service_of(request))


router = APIRouter(prefix="/internal", include_in_schema=False)


@router.post("/publish")
def publish(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> list[dict[str, Any]]:
    """Publish a batch."""
    results = do.publish([text_from_json(row) for row in body["texts"]], Origin(**body["origin"]), dry_run=body["dry_run"])
    return [asdict(result) for result in results]


@router.post("/prune")
def prune(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> list[dict[str, Any]]:
    """Retire what a source no longer has."""
    return [asdict(result) for result in do.prune(body["source"], body["seen"], dry_run=body["dry_run"])]


@router.post("/reindex")
def reindex(do: Annotated[LocalOperations, Depends(owner)]) -> int:
    """Build the index anew."""
    return do.reindex(lambda _done, _of: None)


@router.post("/ask")
def ask(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> dict[str, Any]:
    """Answer a question."""
    return asdict(do.ask(body["question"]))


@router.post("/explain")
def explain(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> dict[str, Any]:
    """How a question is searched."""
    return do.explain(body["question"])


@router.post("/suggest")
def suggest(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> dict[str, Any]:
    """Learn from what happened and suggest what is ready."""
    return do.suggest(rebuild=body["rebuild"])


@router.post("/release")
def release(body: dict[str, Any], do: Annotated[LocalOperations, Depends(owner)]) -> bool:
    """Index a held passage; False when no such passage is held."""
    try:
        do.release(body["passage"])
    except LookupError:
        return False
    return True
