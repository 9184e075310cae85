"""The web server: started, announced once it really listens, and stopped without losing an answer."""

import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
import uvicorn

from api.app import create
from api.bootstrap import Service, new_secret, owner_file, worker_name
from api.jobs.agreeing import in_step
from api.jobs.kinds import JOBS, Job
from api.jobs.worker import working
from api.staff import accounts
from api.staff.accounts import Link

DRAIN_SECONDS = 20
COLLECT_AFTER = (10_000, 20, 10)  # objects, young and middle collections; evals/desk_bench.py


def serve(service: Service, announce: Callable[[str], None]) -> None:
    """Serve until a signal comes. `announce` gets the address when the first request can be taken."""
    api = service.settings.api
    token = new_secret()
    app = create(service, control_token=token)
    warm(service)
    spare_the_collector()
    config = uvicorn.Config(
        app,
        host=api.host,
        port=api.port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = uvicorn.Server(config)
    threading.Thread(target=_tell, args=(server, service, token, announce), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises it again after its end: the index must still be closed then
        signal.signal(number, lambda _number, _frame: None)
    with working(in_step(service), worker_name(), jobs_of(service)):
        server.run()


def jobs_of(service: Service) -> tuple[Job, ...]:
    """The kinds of jobs that the server runs: all; or only those that need the embedded index, which nobody else can open."""
    api = service.settings.api
    if api.jobs_in_server:
        return JOBS
    return () if api.chroma_url else tuple(job for job in JOBS if job.needs_index)


def first_admin(service: Service) -> str:
    """The token of a new link for the first admin; empty when there is an admin. Links of earlier starts work no more."""
    lasting = timedelta(hours=service.settings.api.invitation_hours)
    link = Link(service.new_id(), new_secret(), accounts.FIRST_ADMIN, lasting)
    with service.database.write() as session:
        return link.token if accounts.invite_first_admin(session, link, now=service.now()) else ""


def warm(service: Service) -> None:
    """Load every model and the index now, so that the first visitor does not wait for them."""
    service.library.find("warm up", service.assistant.embed(["warm up"]))


def spare_the_collector() -> None:
    """Python's garbage collector need not walk again and again what was made at the start and lives to the end: models, routes, policies.

    Walking those some 300,000 objects stops every thread for 100 to 400 ms; requests make little garbage in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def configure_logs(level: str) -> None:
    """One JSON line per event, in UTC, to standard error."""
    numbers = {"debug": 10, "info": 20, "warning": 30, "error": 40}
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numbers[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _tell(server: uvicorn.Server, service: Service, token: str, announce: Callable[[str], None]) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    local = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    url = f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"
    if not service.settings.api.chroma_url:
        owner_file(service.settings).write_text(json.dumps({"pid": os.getpid(), "url": url, "token": token}))
    announce(url)
