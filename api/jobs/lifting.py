"""The job that measures what accepted suggestions changed, and keeps answers that helped as golden questions."""

from datetime import datetime, timedelta

from api.bootstrap import Service
from assistant import lifting

ABOUT = "measures what each accepted suggestion changed, and keeps questions whose answer got a thumb up as golden ones"
BACK = timedelta(days=7)  # thumbs are looked at again this far back: a question that is known stays as it is


def work(service: Service, now: datetime) -> str:
    """Measure every accepted suggestion anew."""
    new = lifting.confirm(service.assistant, since=now - BACK, now=now)
    measured = lifting.measure(service.assistant, now=now)
    return f"{measured} suggestions measured, {new} confirmed questions kept"
