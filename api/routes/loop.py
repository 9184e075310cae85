"""The library's page of numbers: what the knowledge loop found, what writers did with it, and what that changed; also as files."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from api import charts
from api.context import limits_address, service_of
from api.exporting import csv_of
from api.headers import STAFF
from api.library.loop import MOST, NOT_MEASURED, VERDICTS, Lifted, Loop, loop
from api.staff import door as staff
from api.staff.door import Writers

router = APIRouter(prefix="/library", include_in_schema=False, dependencies=[Depends(limits_address)])
COLUMNS = [name for name in Lifted.__dataclass_fields__ if name != "words"]


def _loop(request: Request) -> Loop:
    service = service_of(request)
    with service.database.read() as session:
        return loop(session, service.now(), timedelta(days=service.settings.knowledge.stale_days))


@router.get("/loop")
def page(request: Request, me: Writers) -> HTMLResponse:
    """The numbers, each with what it counts."""
    shown = _loop(request)
    return staff.page(
        request,
        "library/loop.html",
        me,
        here="/library",
        loop=shown,
        bars=charts.bars([(f"{week.until:%d %b}", week.gaps, week.grouped) for week in shown.weeks]),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        whisker=lambda one: charts.whisker(one.low, one.ratio, one.high),
        verdicts=VERDICTS,
        not_measured=NOT_MEASURED,
        most=MOST,
    )


@router.get("/loop.csv")
def as_csv(request: Request, _me: Writers) -> Response:
    """Every accepted suggestion with its lift, for a spreadsheet."""
    text = csv_of(COLUMNS, [_row(one) for one in _loop(request).lifted])
    return _file(text.encode("utf-8-sig"), "text/csv; charset=utf-8", "loop.csv")


@router.get("/loop.json")
def as_json(request: Request, _me: Writers) -> Response:
    """Everything the page shows, for a program."""
    shown = _loop(request)
    body = {
        "figures": [asdict(one) for one in shown.figures],
        "suggestions": [_row(one) | {"words": one.words} for one in shown.lifted],
        "review": [asdict(one) | {"updated_at": one.updated_at.isoformat()} for one in shown.review],
        "weeks": [asdict(one) | {"until": one.until.isoformat()} for one in shown.weeks],
    }
    return JSONResponse(body, headers={"Content-Disposition": 'attachment; filename="loop.json"'})


def _row(one: Lifted) -> dict[str, Any]:
    return asdict(one) | {"accepted_at": one.accepted_at.isoformat()}


def _file(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={**STAFF, "Content-Disposition": f'attachment; filename="{name}"'})
