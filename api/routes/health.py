"""Whether the process lives, and whether it can take a message. Async, so that busy threads cannot delay them."""

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request, Response

from api.context import service_of
from api.errors import problem
from api.shapes import problems

router = APIRouter(tags=["health"])
READY_SECONDS = 2


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process runs; nothing else is asked."""
    return {"status": "ok"}


@router.get("/readyz", responses=problems(503))
async def readyz(request: Request) -> Response:
    """The database takes a write."""
    service = service_of(request)
    with anyio.move_on_after(READY_SECONDS):
        try:
            await anyio.to_thread.run_sync(service.database.ping, abandon_on_cancel=True)
        except Exception:  # noqa: BLE001 - whatever is wrong, the answer is: not ready
            return problem(503, "the database does not take a write")
        return Response('{"status":"ok"}', media_type="application/json")
    return problem(503, f"the database did not answer within {READY_SECONDS} s")
