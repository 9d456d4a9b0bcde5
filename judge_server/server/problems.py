"""Errors as RFC 9457 problem documents, with Retry-After where waiting helps."""

import errno
import logging
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from judge_server.authoring.parsing import from_data
from judge_server.core import errors
from judge_server.core.errors import (
    BadInput,
    BadRubric,
    JudgeFailure,
    JudgeRefused,
    JudgeServerError,
    Overloaded,
    UnusableVerdict,
)
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure
from judge_server.server.middleware.headers import HEADER, HEADERS, request_id_of
from judge_server.server.middleware.session import is_page
from judge_server.server.pages.errors import error_page
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.parsing import writable
from judge_server.util.redaction import redacted

_Handler = Callable[[Request, Exception], Response]
Shape = Callable[[Mapping[str, Any]], dict[str, Any]]
_AsyncHandler = Callable[[Request, Exception], Coroutine[Any, Any, Response]]
_MOST_ERRORS = 1_000
_log = logging.getLogger(__name__)
_throttle = LogThrottle()
MEDIA_TYPE = "application/problem+json"
_MOST_CHARACTERS = 8_000
_SEND_JSON = "Send the header Content-Type: application/json."
_HTTP = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is no such thing here"),
    405: ("method_not_allowed", "The route does not know this method"),
}
_OUR_WORDS = ("type", "title", "status", "error_type")
_ROUTES = (
    "See /openapi.json for the routes and their methods. The server's address has no path, unless root_path is set."
)
_ROUTING = ("not_found", "method_not_allowed")
_NO_OBJECT = ("model_type", "model_attributes_type", "tuple_type", "list_type", "dict_type")
_ALTERNATIVE = re.compile(r"^(str|bool|Rubric|(tuple|list)\[.*\]|(function|constrained|lax)-.*)$")


class ClientGone(Exception):
    """The client disconnected, so no response can be sent."""


class Problem(Frozen):
    """The members that every problem document has; some have more."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    remedy: str | None = None
    retry_after_seconds: float | None = None


def problem_response(fault: JudgeServerError) -> Response:
    """The response for one of our own errors."""
    return _response(fault.status, fault.problem(), fault.retry_after_seconds)


def _response(status: int, document: dict[str, Any], retry_after_seconds: float | None = None) -> Response:
    headers = {} if retry_after_seconds is None else {"retry-after": str(ceil(retry_after_seconds))}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="judge-server"'
    shown = {name: value if name in _OUR_WORDS else _discreet(value) for name, value in document.items()}
    return ProblemResponse(shown, status, headers)


class ProblemResponse(Response):
    """A problem document; to somebody who asked for one of the pages, a page; on a route of another format, that
    format's error. A program that sends JSON to a page has the wrong address, and reads no page."""

    media_type = MEDIA_TYPE

    def __init__(self, document: dict[str, Any], status: int, headers: dict[str, str]) -> None:
        super().__init__(orjson.dumps(document), status_code=status, headers=headers)
        self.document = document

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["error_type"] = str(self.document.get("type", "")).rsplit(":", 1)[
            -1
        ]  # for the log
        if scope["type"] == "http" and is_page(scope["path"]) and not _sends_json(scope):
            await error_page(Request(scope), self.status_code, self.document)(scope, receive, send)
        elif (shaped := _shape(scope)) is not None:
            kept = {name: value for name, value in self.headers.items() if not name.startswith("content-")}
            content = orjson.dumps(shaped(self.document))
            await Response(content, self.status_code, kept, "application/json")(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _shape(scope: Scope) -> Shape | None:
    """That of errors on this path, if they are no problem documents there."""
    shapes: Mapping[str, Shape] = getattr(scope["app"].state, "error_shapes", {}) if "app" in scope else {}
    return shapes.get(scope["path"]) if scope["type"] == "http" else None


def _sends_json(scope: Scope) -> bool:
    return Headers(scope=scope).get("content-type", "").startswith("application/json")


def _discreet(value: Any) -> Any:
    """``value`` with secrets removed, lone surrogates replaced and long texts cut. Done text by text, because a
    replacement in the serialized JSON could break it. An error may quote a text of any length of the client's."""
    if isinstance(value, str):
        cut = value if len(value) <= _MOST_CHARACTERS else f"{value[:_MOST_CHARACTERS]}…"
        return redacted(writable(cut))
    if isinstance(value, Mapping):
        return {name: _discreet(inner) for name, inner in value.items()}
    return [_discreet(inner) for inner in value] if isinstance(value, Sequence) else value


def install(app: FastAPI, shapes: Mapping[str, Shape]) -> None:
    """Answer every error of the application with a problem document. ``shapes``: what becomes of it on routes of other
    formats, by path."""
    app.state.error_shapes = shapes
    app.add_exception_handler(JudgeServerError, _at_once(_ours))
    app.add_exception_handler(RequestValidationError, _invalid)  # in a thread: it may have much to say
    app.add_exception_handler(HTTPException, _at_once(_http))
    app.add_exception_handler(ClientGone, _at_once(_client_gone))
    app.add_exception_handler(ClientDisconnect, _at_once(_client_gone))
    app.add_exception_handler(OSError, _system)
    app.add_exception_handler(Exception, _unexpected)


def _at_once(handle: _Handler) -> _AsyncHandler:
    """For handlers that take no time. What is not async waits for a thread, and a refusal should cost little."""

    async def handled(request: Request, fault: Exception) -> Response:
        return handle(request, fault)

    return handled


def _ours(_request: Request, fault: Exception) -> Response:
    assert isinstance(fault, JudgeServerError)  # noqa: S101 - the handler is registered for this class
    _let_go(fault)
    return problem_response(fault)


def _invalid(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - the handler is registered for this class
    _let_go(fault)
    if any(error["loc"] == ("body",) for error in fault.errors()) and not _declares_json(request):
        return problem_response(BadInput("The body is not declared as JSON.", remedy=_SEND_JSON))
    return problem_response(refused(fault.errors(), fault.body))


def refused(errors: Sequence[Any], body: Any) -> BadInput:
    """The error for a body that pydantic refused; locations begin with ``body``."""
    rubric_fault = _inline_rubric_fault(body)
    if rubric_fault is not None:
        return rubric_fault
    told = [{"field": _field(error["loc"]), "message": _message(error)} for error in _telling(errors[:_MOST_ERRORS])]
    shown = "; ".join(dict.fromkeys(f"{error['field']}: {error['message']}" for error in told[:5]))
    return BadInput(shown, remedy="Correct the fields named.", errors=told[:100])


def _let_go(fault: Exception) -> None:
    """Drop the traceback: its frames refer to the fault and hold the parsed body, which would stay in memory until the
    next collection of cycles."""
    fault.__traceback__ = None


def _inline_rubric_fault(body: Any) -> BadRubric | None:
    """The fault of the rubric in the body, as ``rubric validate`` reports it."""
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
    """Drop errors about the alternative that was not meant, if a field may be a text or an object."""
    told = [
        error for error in errors if not (error["type"] == "string_type" and isinstance(error["input"], dict | list))
    ]
    told = [error for error in told if not (error["type"] in _NO_OBJECT and isinstance(error["input"], str))]
    # a list with invalid elements is also reported as too short
    deeper = {tuple(error["loc"][:depth]) for error in told for depth in range(len(error["loc"]))}
    return [error for error in told if tuple(error["loc"]) not in deeper] or list(errors)


def _message(error: Any) -> str:
    return str(error["msg"]).removeprefix("Value error, ").replace("a valid tuple", "a list")


def _field(location: tuple[str | int, ...]) -> str:
    """The path that the caller wrote, without the names that pydantic gives to alternatives of a union."""
    parts = [str(part) for part in location[1:] if not _ALTERNATIVE.match(str(part))]
    where = str(location[0])
    return ".".join(parts if where == "body" else [where, *parts]) or where


def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101 - the handler is registered for this class
    _let_go(fault)
    slug, title = _HTTP.get(fault.status_code, ("http_error", "The request cannot be answered"))
    document = {
        "type": f"urn:judge-server:error:{slug}",
        "title": title,
        "status": fault.status_code,
        "detail": f"There is no route {request.url.path[:200]!r}." if slug == "not_found" else str(fault.detail),
        "remedy": _ROUTES if slug in _ROUTING else None,
    }
    response = _response(fault.status_code, {name: value for name, value in document.items() if value is not None})
    response.headers.update(fault.headers or {})
    if fault.status_code == 405:
        response.headers["allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """The methods of all routes that match the path; starlette's router lists those of the first one only."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching for method in getattr(route, "methods", None) or ()})


def _system(_request: Request, fault: Exception) -> Response:
    """The process has no file left: a passing fault. Any other error of the system is unexpected."""
    if not isinstance(fault, OSError) or fault.errno not in (errno.EMFILE, errno.ENFILE):
        raise fault
    more = _throttle.of("files")
    if more is not None:
        _log.warning("no file can be opened: raise the limit of open files (ulimit -n)%s", more)
    refusal = Overloaded(
        "The server has no file left.", remedy="Send the request again.", retry_after_seconds=_RETRY_AFTER_SECONDS
    )
    return _response(503, refusal.problem() | {"status": 503}, refusal.retry_after_seconds)


def _unexpected(request: Request, fault: Exception) -> Response:
    request_id = request_id_of(request.scope)
    _log.error("request %s failed: %s", request_id, type(fault).__name__, exc_info=fault)
    response = problem_response(
        JudgeServerError(f"An unexpected error; the log has it under request {request_id}.", remedy="Please report it.")
    )
    response.headers.update({**HEADERS, HEADER: request_id})  # this response bypasses the middleware
    return response


def _client_gone(_request: Request, _fault: Exception) -> Response:
    return Response(status_code=499)


_RETRY_AFTER_SECONDS = 5.0
_BY_TYPE: dict[str, type[JudgeFailure]] = {
    fault.type: fault for fault in vars(errors).values() if isinstance(fault, type) and issubclass(fault, JudgeFailure)
}
_NO_JUDGE_TO_BLAME = frozenset({"nothing_applicable", "undefined_reward", "missing_reference"})


def failure_response(judgment: Judgment) -> Response:
    """The problem document of a failed judgment, with the judgment in it: 504, 503, 502 or 422 by the cause, with
    Retry-After unless the same request would fail again."""
    cause = judgment.error or Failure(type=UnusableVerdict.type, detail="No criterion has a verdict.")
    return failure_problem(cause, judgment=judgment.model_dump(mode="json"))


def failure_problem(cause: Failure, remedy: str | None = None, **extensions: Any) -> Response:
    """The problem document of a cause without a judgment."""
    return problem_response(failure_of(cause, remedy, **extensions))


def failure_of(cause: Failure, remedy: str | None = None, **extensions: Any) -> JudgeServerError:
    """The error for a cause; ``extensions`` become members of the problem document."""
    family = BadInput if cause.type in _NO_JUDGE_TO_BLAME else _BY_TYPE.get(cause.type, JudgeFailure)
    passing = family.status >= 500 and family is not JudgeRefused
    wait = (cause.retry_after_seconds or _RETRY_AFTER_SECONDS) if passing else None
    return family(cause.detail, remedy=remedy, retry_after_seconds=wait, error_type=cause.type, **extensions)
