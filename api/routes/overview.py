"""The operator's page: what happened in a range of time, with what each number counts printed beside it."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from api.bootstrap import Service
from api.context import limits_address, service_of
from api.desk import clock_words
from api.desk.overview import AGES, FAMILY_MEANS, PROMISE_MEANS, overview
from api.desk.pages import page, policies
from api.desk.words import queue_title
from api.staff.door import Agents
from assistant.breaker import State

router = APIRouter(prefix="/desk", include_in_schema=False, dependencies=[Depends(limits_address)])
RANGES = {"1": "24 hours", "7": "7 days", "30": "30 days", "90": "90 days", "365": "A year"}
USUAL = "7"
BREAKER_MEANS = {
    State.CLOSED: "It is asked.",
    State.OPEN: "It failed too often and is not asked for a moment; answers are quoted.",
    State.HALF_OPEN: "It failed too often; the next answer tries it again.",
}


@dataclass(frozen=True)
class Judge:
    """Who judges what the chat model writes, and what that means."""

    name: str
    means: str


def judge_shown(service: Service) -> Judge:
    """The judges that are configured, as the card of the chat model names them."""
    judge, entailment = service.assistant.judge, service.settings.guardrails.entailment
    names = [name for name in (judge.name if judge else "", entailment) if name]
    if not names:
        return Judge("None", "Words and vectors alone: little but near-quotations passes, and most answers are quoted.")
    state = judge.breaker.state(judge.clocks.seconds()) if judge else State.CLOSED
    if state is State.OPEN:
        return Judge(", ".join(names), "It failed too often and is not asked for a moment; answers are quoted.")
    return Judge(", ".join(names), "A sentence is shown only where it says that it follows from its passages.")


@router.get("/overview")
def overview_page(request: Request, me: Agents, days: str = USUAL) -> HTMLResponse:
    """Numbers of the last days, up to now."""
    chosen = days if days in RANGES else USUAL
    service = service_of(request)
    until = service.now()
    with service.database.read() as session:
        writer = service.assistant.writer
        model = writer.standing(session) if writer else None
        shown = overview(session, until - timedelta(days=int(chosen)), until, policies(request))
    ages = [name for name, _ in AGES]
    return page(
        request,
        "desk/overview.html",
        me,
        here="/desk/overview",
        o=shown,
        model=model,
        judge=judge_shown(service),
        breaker_means=BREAKER_MEANS,
        days=chosen,
        ranges=RANGES,
        ages=ages,
        means=FAMILY_MEANS,
        queue_title=queue_title,
        clock_names=clock_words.NAMES,
        promise_means=PROMISE_MEANS,
    )
