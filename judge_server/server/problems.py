"""Errors as RFC 9457 problem documents, with Retry-After where waiting helps."""

import logging
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.model import Frozen

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(Frozen):
    """The members every problem document has; others may follow."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str | None = None
    retry_after_seconds: float | None = None


DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description, "content": {MEDIA_TYPE: {}}}
    for status, description in {
        400: "The body cannot be read",
        404: "No such rubric, judge or judgment",
        409: "A published rubric version cannot change",
        413: "The body is too large",
        422: "The request cannot be used as it stands",
        429: "The queue is full: see Retry-After",
        502: "The judge's answer could not be read",
        503: "The judge, the store or the server is not available: see Retry-After",
        504: "The deadline passed",
    }.items()
}


def problem_response(fault: JudgeServerError) -> Response:
    """The answer to an error of ours."""
    return _response(fault.status, fault.problem(), fault.retry_after_seconds)


def _response(status: int, document: dict[str, Any], retry_after_seconds: float | None = None) -> Response:
    headers = {} if retry_after_seconds is None else {"retry-after": str(ceil(retry_after_seconds))}
    return Response(orjson.dumps(document), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Teach the application to answer every error with a problem document."""
    app.add_exception_handler(JudgeServerError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _ours(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, JudgeServerError)  # noqa: S101 - the handler is registered for this class
    return problem_response(fault)


def _invalid(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - the handler is registered for this class
    errors = [{"field": _field(error["loc"]), "message": error["msg"]} for error in fault.errors()]
    shown = "; ".join(dict.fromkeys(f"{error['field']}: {error['message']}" for error in errors[:5]))
    return problem_response(BadInput(shown, remedy="Correct the fields named.", errors=errors[:100]))


def _field(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


def _http(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - the handler is registered for this class
    titles = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}
    slug = titles.get(fault.status_code, "http_error")
    document = {
        "type": f"urn:judge-server:error:{slug}",
        "title": slug.replace("_", " ").capitalize(),
        "status": fault.status_code,
        "detail": str(fault.detail),
    }
    return _response(fault.status_code, document)


def _unexpected(request: Request, fault: Exception) -> Response:
    request_id = getattr(request.state, "request_id", "")
    _log.error("request %s failed: %s", request_id, type(fault).__name__, exc_info=fault)
    return problem_response(
        JudgeServerError(
            f"An error that nobody foresaw; the log has it under request {request_id}.", remedy="Please report it."
        )
    )
