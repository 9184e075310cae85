"""A form of ours must come from one of our own pages."""

from urllib.parse import urlsplit

from fastapi import Request

from api.errors import ForeignForm


def cross_site(request: Request) -> None:
    """Refuse a form that another site sent. Raise ForeignForm."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm("this request came from another site")
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForeignForm("this request came from another site")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"application/x-www-form-urlencoded", "application/json", ""}:
        raise ForeignForm("this kind of form is not taken")
