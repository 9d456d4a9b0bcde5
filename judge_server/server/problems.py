"""Errors as RFC 9457 problem documents, with Retry-After where waiting helps."""

import logging
import re
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict
from starlette.exceptions import HTTPException
from starlette.routing import Match

from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput, BadRubric, JudgeServerError
from judge_server.core.model import Frozen
from judge_server.server.middleware.request_id import HEADER, request_id_of
from judge_server.server.middleware.response_headers import HEADERS
from judge_server.util.parsing import writable
from judge_server.util.redaction import redacted

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
_SEND_JSON = "Send the header Content-Type: application/json."
_HTTP = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is no such thing here"),
    405: ("method_not_allowed", "The route does not know this method"),
}
_OUR_WORDS = ("type", "title", "status", "error_type")
_ROUTING = ("not_found", "method_not_allowed")
_NO_OBJECT = ("model_type", "model_attributes_type", "tuple_type", "list_type", "dict_type")
_ALTERNATIVE = re.compile(r"^(str|Rubric|tuple\[.*\]|(function|constrained|lax)-.*)$")


class ClientGone(Exception):
    """The caller hung up; nobody is left to answer."""


class Problem(Frozen):
    """The members every problem document has; others may follow."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    remedy: str | None = None
    retry_after_seconds: float | None = None


def problem_response(fault: JudgeServerError) -> Response:
    """The answer to an error of ours."""
    return _response(fault.status, fault.problem(), fault.retry_after_seconds)


def _response(status: int, document: dict[str, Any], retry_after_seconds: float | None = None) -> Response:
    headers = {} if retry_after_seconds is None else {"retry-after": str(ceil(retry_after_seconds))}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="judge-server"'
    shown = {name: value if name in _OUR_WORDS else _discreet(value) for name, value in document.items()}
    return Response(orjson.dumps(shown), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _discreet(value: Any) -> Any:
    """Every text in ``value`` without secrets, as it can be written. Text by text: one taken out of the whole JSON
    could break it."""
    if isinstance(value, str):
        return redacted(writable(value))
    if isinstance(value, Mapping):
        return {name: _discreet(inner) for name, inner in value.items()}
    return [_discreet(inner) for inner in value] if isinstance(value, Sequence) else value


def install(app: FastAPI) -> None:
    """Teach the application to answer every error with a problem document."""
    app.add_exception_handler(JudgeServerError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientGone, _hung_up)
    app.add_exception_handler(Exception, _unexpected)


def _ours(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, JudgeServerError)  # noqa: S101 - the handler is registered for this class
    return problem_response(fault)


def _invalid(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - the handler is registered for this class
    if any(error["loc"] == ("body",) for error in fault.errors()) and not _declares_json(request):
        return problem_response(BadInput("The body is not declared as JSON.", remedy=_SEND_JSON))
    rubric_fault = _inline_rubric_fault(fault.body)
    if rubric_fault is not None:
        return problem_response(rubric_fault)
    errors = [{"field": _field(error["loc"]), "message": _message(error)} for error in _telling(fault.errors())]
    shown = "; ".join(dict.fromkeys(f"{error['field']}: {error['message']}" for error in errors[:5]))
    return problem_response(BadInput(shown, remedy="Correct the fields named.", errors=errors[:100]))


def _inline_rubric_fault(body: Any) -> BadRubric | None:
    """What is wrong with the rubric that the body holds, told as ``rubric validate`` tells it."""
    rubric = body.get("rubric") if isinstance(body, dict) else None
    if not isinstance(rubric, dict):
        return None
    try:
        from_data(rubric)
    except BadRubric as fault:
        return fault
    return None


def _declares_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "")


def _telling(errors: Sequence[Any]) -> list[Any]:
    """Where a field may be a text or an object, the complaints about the form that was not meant say nothing."""
    told = [
        error for error in errors if not (error["type"] == "string_type" and isinstance(error["input"], dict | list))
    ]
    told = [error for error in told if not (error["type"] in _NO_OBJECT and isinstance(error["input"], str))]
    # a list whose elements are at fault is counted as too short, too
    deeper = {tuple(error["loc"][:depth]) for error in told for depth in range(len(error["loc"]))}
    return [error for error in told if tuple(error["loc"]) not in deeper] or list(errors)


def _message(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ").replace("a valid tuple", "a list")


def _field(location: tuple[str | int, ...]) -> str:
    """The path that the caller wrote, without the names of our own alternatives in it."""
    parts = [str(part) for part in location[1:] if not _ALTERNATIVE.match(str(part))]
    where = str(location[0])
    return ".".join(parts if where == "body" else [where, *parts]) or where


def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - the handler is registered for this class
    slug, title = _HTTP.get(fault.status_code, ("http_error", "The request cannot be answered"))
    document = {
        "type": f"urn:judge-server:error:{slug}",
        "title": title,
        "status": fault.status_code,
        "detail": str(fault.detail),
        "remedy": "The routes and their methods stand in /openapi.json." if slug in _ROUTING else None,
    }
    response = _response(fault.status_code, {name: value for name, value in document.items() if value is not None})
    response.headers.update(fault.headers or {})
    if fault.status_code == 405:
        response.headers["allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """What the path knows in all of its routes; the router itself names those of the first one only."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching for method in getattr(route, "methods", None) or ()})


def _unexpected(request: Request, fault: Exception) -> Response:
    request_id = request_id_of(request.scope)
    _log.error("request %s failed: %s", request_id, type(fault).__name__, exc_info=fault)
    response = problem_response(
        JudgeServerError(
            f"An error that nobody foresaw; the log has it under request {request_id}.", remedy="Please report it."
        )
    )
    response.headers.update({**HEADERS, HEADER: request_id})  # this answer goes out past every middleware
    return response


def _hung_up(_request: Request, _fault: Exception) -> Response:
    return Response(status_code=499)
