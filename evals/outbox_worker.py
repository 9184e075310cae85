"""A worker process of the outbox table: `python -m evals.outbox_worker DATA PORT AHEAD` runs jobs by a clock that is AHEAD seconds fast.

It works as `firstline work` does; the other clock lets a later worker find the leases of a killed one run out.
"""

import sys
import threading
from datetime import timedelta
from pathlib import Path

from api.bootstrap import running_without_index, utc_now, worker_name
from api.jobs.kinds import JOBS
from api.jobs.worker import here, work_until
from api.settings import ApiSettings, Settings


def settings_in(data: Path, smtp_port: int = 0) -> Settings:
    """Settings of the table's services; with a port they send mail there."""
    mail = {"smtp_host": "127.0.0.1", "smtp_port": smtp_port, "smtp_security": "none", "smtp_from": "Desk <desk@example.com>"}
    api = {"data": data, "public_url": "https://help.example.com", "webhook_internal": "127.0.0.1", **(mail if smtp_port else {})}
    return Settings(api=ApiSettings.model_validate(api))


def main() -> None:
    """Work until killed."""
    data, port, ahead = Path(sys.argv[1]), int(sys.argv[2]), timedelta(seconds=float(sys.argv[3]))
    with running_without_index(settings_in(data, port), now=lambda: utc_now() + ahead) as service:
        work_until(service, worker_name(), here(JOBS, with_index=False), threading.Event(), lambda _line: None)


if __name__ == "__main__":
    main()
