"""Every answer carries a request id: the caller's own where it is harmless, else a new one."""

import re
import secrets
from contextvars import ContextVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
_HARMLESS = re.compile(rb"^[A-Za-z0-9._-]{1,128}$")


def request_id_of(scope: Scope) -> str:
    """The id of the request under way; empty where it never met the middleware."""
    return str(scope.get("state", {}).get("request_id", ""))


class RequestId:
    """Puts the id on the request's state and on its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER.encode()), b"")
        request_id = given.decode() if _HARMLESS.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        current_request_id.set(request_id)  # for the log lines of all that is done in its course

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self.app(scope, receive, with_id)
