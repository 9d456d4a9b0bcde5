"""The OpenAPI document with the error responses of every route, and GET /docs, a page to read and try the routes.

The page runs Swagger UI from this package, and some lines of our own; it fetches nothing from elsewhere.
"""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any, Final

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse

from judge_server.server.problems import MEDIA_TYPE, Problem

_EVERYWHERE = {
    "421": "The server does not answer under this name",
    "422": "The request cannot be used as it stands",
    "503": "The store or the server is not available",
}
_WITH_A_BODY = {
    "400": "The body cannot be read",
    "408": "The body arrives too slowly",
    "413": "The body is too large",
    "415": "The body is compressed",
}
_WITH_A_KEY = {
    "401": "An API key is needed",
    "403": "The API key does not allow this, or another site's page sent it",
    "429": "The API key has reached its limit: see Retry-After",
}
_WAYS_TO_SEND_A_KEY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "jsk_<id>_<secret>"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "The key is the password; the name does not matter.",
    },
}
_SCORED = {
    "404": "No such rubric or judge",
    "409": "The judge has not passed calibration for the rubric",
    "429": "The queue is full: see Retry-After",
    "502": "The judge's answer could not be read",
    "503": "The judge, the store or the server is not available: see Retry-After",
    "504": "The deadline passed",
}
_DECISIONS = ("/v1/systemone", "/v1/decisions")
_DECISION_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}
_BY_PATH: tuple[tuple[str, dict[str, str]], ...] = (
    ("/v1/score", _SCORED),
    *((path, _SCORED) for path in _DECISIONS),
    (
        "/v1/fine_tuning/alpha/graders/",
        {
            "409": "The judge is not certified, and only certified judges may be used",
            "429": "The queue is full: see Retry-After",
            "502": "The judge's answer could not be read",
            "503": "The judge or the grader's process is not available: see Retry-After",
            "504": "The deadline passed",
        },
    ),
    ("/trainers/", _SCORED),
    (
        "/v1/jobs",
        {
            "404": "No such job, rubric or judge",
            "409": "The Idempotency-Key belongs to another job",
            "429": "The queue is full: see Retry-After",
        },
    ),
    ("/v1/rubrics", {"404": "No such rubric", "409": "A published rubric version cannot change"}),
    ("/v1/judgments/", {"404": "No such judgment"}),
    ("/v1/monitor/audit-queue", {"404": "No such judge or rubric"}),
    ("/v1/runs/", {"404": "No such run"}),
    ("/v1/rescore", {"404": "No such rubric"}),
    ("/v1/calibrations", {"404": "No such calibration, rubric or judge", "429": "Too many wait: see Retry-After"}),
    (
        "/v1/improvements",
        {"404": "No such improvement, label set, rubric or judge", "429": "Too many are open: see Retry-After"},
    ),
    ("/v1/exams", {"404": "No such exam or judge", "429": "Too many wait: see Retry-After"}),
    (
        "/v1/admin/",
        {
            "409": "No such engine, or one that cannot sleep",
            "503": "The engine's server does not answer",
            "504": "The calls under way or the order take too long",
        },
    ),
    ("/v1/budgets", {"404": "This key or run has no budget"}),
    ("/v1/label-sets/", {"404": "No such label set"}),
    ("/readyz", {"429": "The queue is full", "503": "The judge, the store or the server is not available"}),
)
_PLAIN = ("/healthz", "/metrics")


def install(app: FastAPI, *, public: frozenset[str], demands_keys: bool) -> None:
    """Add problem documents and API keys to the application's OpenAPI document."""

    def openapi() -> dict[str, Any]:
        return _described(app, public, _ways(demanded=demands_keys))

    # FastAPI's documented way to extend the document
    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI, public: frozenset[str], ways: list[dict[str, Any]]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        routes=app.routes,
        servers=app.servers or None,
        separate_input_output_schemas=False,  # custom serializers would reduce output schemas to "object"
    )
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's form of errors, which this server does not send
            operation["responses"].update(_problems(path, path in public, "requestBody" in operation))
            if path not in public:
                operation["security"] = ways
    document["components"]["securitySchemes"] = _WAYS_TO_SEND_A_KEY
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    return document


def _ways(*, demanded: bool) -> list[dict[str, Any]]:
    """Any one of the ways to send a key; no key as well if none is required."""
    ways: list[dict[str, Any]] = [{name: []} for name in _WAYS_TO_SEND_A_KEY]
    return ways if demanded else [*ways, {}]


def _problems(path: str, public: bool, has_body: bool) -> dict[str, Any]:
    if path in _PLAIN and public:
        return {}
    known = _EVERYWHERE | (_WITH_A_BODY if has_body else {}) | ({} if public else _WITH_A_KEY)
    for prefix, more in _BY_PATH:
        if path.startswith(prefix):
            known |= more
    content: dict[str, Any] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if path in _DECISIONS:
        content = {"application/json": {"schema": _DECISION_ERROR}}
    return {status: {"description": described, "content": content} for status, described in sorted(known.items())}


router = APIRouter(include_in_schema=False)

_SWAGGER: Final = Path(__file__).parent / "swagger"  # Swagger UI 5.35.0, Apache-2.0: see NOTICE there
_SCRIPT: Final = "docs/swagger-ui-bundle.js"
_STYLE: Final = "docs/swagger-ui.css"

# All addresses are relative to the page, so that it also works behind a proxy that serves it below a prefix.
_START: Final = """
fetch("openapi.json").then(answer => answer.json()).then(spec => {
  spec.servers = [{url: new URL(".", location.href).href.replace(/[/]$/, "")}];
  SwaggerUIBundle({spec, dom_id: "#page", deepLinking: true, presets: [SwaggerUIBundle.presets.apis]});
});
"""
_PAGE: Final = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>judge-server</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{_STYLE}">
</head>
<body>
<div id="page"></div>
<script src="{_SCRIPT}"></script>
<script>{_START}</script>
</body>
</html>
"""
_START_DIGEST: Final = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' 'sha256-{_START_DIGEST}'",
        "style-src 'self' 'unsafe-inline'",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


@router.get("/docs", response_class=HTMLResponse)
async def page(request: Request) -> HTMLResponse:
    """A page to read and try every route. The document that it asks for is begun meanwhile."""
    _document(request.app)
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get(f"/{_SCRIPT}")
async def script() -> FileResponse:
    """The page's program: Swagger UI."""
    return FileResponse(_SWAGGER / "swagger-ui-bundle.js", media_type="text/javascript")


@router.get(f"/{_STYLE}")
async def style() -> FileResponse:
    """How the page looks."""
    return FileResponse(_SWAGGER / "swagger-ui.css", media_type="text/css")


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
async def document(request: Request) -> Response:
    """The OpenAPI document."""
    return Response(await asyncio.shield(_document(request.app)), media_type="application/json")


def _document(app: FastAPI) -> "asyncio.Task[bytes]":
    """It is written once, by a thread, because that takes nearly a second of a core and anybody may ask for it while
    others wait for rewards. It is not begun at the start of the server: most servers are never asked."""
    state = app.state
    if not hasattr(state, "openapi_json"):
        state.openapi_json = asyncio.create_task(asyncio.to_thread(_written, app), name="openapi.json")
    found: asyncio.Task[bytes] = state.openapi_json
    return found


def _written(app: FastAPI) -> bytes:
    return orjson.dumps(app.openapi())
