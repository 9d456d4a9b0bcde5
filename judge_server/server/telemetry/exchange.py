"""A request and its answer as they went, and the middleware that tells of them: metrics, access log, trace."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.server.middleware.request_id import request_id_of
from judge_server.util.tracing import Tracer

HUNG_UP = 499
UNMATCHED = "unmatched"
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """``route`` is the path's template, or ``unmatched``: nothing that a caller made up stands here but the id, which
    is harmless. ``status`` 499: the caller hung up before there was an answer. ``seconds`` until the answer began.
    ``caller``: the name of the API key, where one was demanded and known."""

    method: str
    route: str
    status: int
    seconds: float
    request_id: str
    caller: str | None = None


class ExchangeObserver(Protocol):
    """Told of every exchange."""

    def answered(self, exchange: Exchange) -> None: ...


class Observation:
    """Tells the observers of every exchange when it has ended, and opens the request's span."""

    def __init__(self, app: ASGIApp, observers: Sequence[ExchangeObserver], tracer: Tracer) -> None:
        self.app = app
        self._observers = observers
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.monotonic()
        status, seconds = HUNG_UP, None

        async def noted(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.monotonic() - started
            await send(message)

        with self._tracer.span("request", _Headers(scope)) as span:
            try:
                await self.app(scope, receive, noted)
            finally:
                exchange = Exchange(
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=_route_of(scope),
                    status=status,
                    seconds=time.monotonic() - started if seconds is None else seconds,
                    request_id=request_id_of(scope),
                    caller=scope["state"].get("caller"),
                )
                for observer in self._observers:
                    observer.answered(exchange)
                span.rename(f"{exchange.method} {exchange.route}")
                span.note(
                    {
                        "http.request.method": exchange.method,
                        "http.route": exchange.route,
                        "http.response.status_code": status,
                        "judge_server.request_id": exchange.request_id,
                        "judge_server.caller": exchange.caller,
                        "error.type": str(status) if status >= 500 else None,
                    }
                )


class _Headers(dict[str, str]):
    """The headers a trace may be continued from."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        )


def _route_of(scope: Scope) -> str:
    """What the door refuses was never routed: then the route is looked for here."""
    route = scope.get("route") or _route_asked_for(scope)
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else UNMATCHED


def _route_asked_for(scope: Scope) -> BaseRoute | None:
    app = scope.get("app")
    routes: Sequence[BaseRoute] = app.routes if isinstance(app, Starlette) else ()
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
