"""The HTTP interface explained on a page of our own: FastAPI's loads a stranger's scripts (trap M16)."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.routes.help import page

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every route with its parameters, an example body and its answers."""
    schema = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": operation.get("summary", ""),
                    "description": operation.get("description", ""),
                    "parameters": operation.get("parameters", []),
                    "body": _example(schema, operation),
                    "responses": operation["responses"],
                },
            )
    return page(request, "docs.html", groups=groups)


def _example(schema: dict[str, Any], operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = body.get("$ref", "").rpartition("/")[2]
    if not name:
        return ""
    fields = schema["components"]["schemas"][name]["properties"]
    return json.dumps({field: _value(about) for field, about in fields.items()}, indent=2, ensure_ascii=False)


def _value(about: dict[str, Any]) -> Any:
    if about.get("examples"):
        return about["examples"][0]
    if "anyOf" in about:
        return _value(about["anyOf"][0])
    return about.get("default", {"boolean": True, "integer": 1, "array": []}.get(about.get("type", ""), ""))
