"""Headers of every response: the request id, and those that keep browsers from running, framing or caching it."""

import re
import secrets
import time
from contextvars import ContextVar
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.util.deadline import GRACE_SECONDS, wait_ends_at

HEADER = "x-request-id"
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
_SECONDS = re.compile(rb"[0-9]{1,5}(?:\.[0-9]{1,9})?")
_HARMLESS = re.compile(rb"^[A-Za-z0-9._-]{1,128}$")


def request_id_of(scope: Scope) -> str:
    """The id of a request; empty if it did not pass the middleware."""
    return str(scope.get("state", {}).get("request_id", ""))


HEADERS: Final = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_RAW: Final = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())


class ResponseHeaders:
    """Puts the client's X-Request-Id, or a new one if that has other characters than ``A-Za-z0-9._-``, on the request's
    state and on the response, and adds those of ``HEADERS`` that the response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"")
        request_id = given.decode() if _HARMLESS.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        current_request_id.set(request_id)  # for log lines
        seconds = next((value for name, value in scope["headers"] if name == b"deadline-seconds"), None)
        if seconds is not None and _SECONDS.fullmatch(seconds):  # the route answers to others
            wait_ends_at.set(time.monotonic() + float(seconds) + GRACE_SECONDS)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                said = {name for name, _ in headers.raw}
                message["headers"] = [*headers.raw, *(header for header in _RAW if header[0] not in said)]
            await send(message)

        await self.app(scope, receive, with_headers)
