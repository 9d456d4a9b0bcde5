"""HTTP exchanges: the middleware that observes them, their Prometheus metrics and the access log."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judge_server.server.telemetry.counts import Counter, Histogram
from judge_server.util.tracing import Span, Tracer

HUNG_UP = 499
UNMATCHED = "unmatched"
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response. ``route`` is the path's template, or ``unmatched``, so that no text of the client
    becomes a label. ``status`` 499: the client disconnected before the response. ``seconds``: until the response
    began. ``caller``: the name of the API key, if one was required and valid. ``error_type``: of the problem that was
    answered, such as store_unavailable."""

    method: str
    route: str
    status: int
    seconds: float
    request_id: str
    caller: str | None = None
    error_type: str | None = None


class ExchangeObserver(Protocol):
    """Gets every exchange when it has ended."""

    def answered(self, exchange: Exchange) -> None: ...


class ObserveExchanges:
    """Opens the request's span, except of ``untraced`` paths, and passes every exchange to the observers when it has
    ended."""

    def __init__(
        self,
        app: ASGIApp,
        observers: Sequence[ExchangeObserver],
        tracer: Tracer | None,
        untraced: frozenset[str] = frozenset(),
    ) -> None:
        self.app = app
        self._observers = observers
        self._tracer = tracer
        self._untraced = untraced

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

        tracer = None if scope["path"] in self._untraced else self._tracer
        with nullcontext() if tracer is None else tracer.span("request", _Headers(scope)) as span:
            try:
                await self.app(scope, receive, noted)
            finally:
                exchange = Exchange(
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=_route_of(scope),
                    status=status,
                    seconds=time.monotonic() - started if seconds is None else seconds,
                    request_id=scope["state"].get("request_id", ""),
                    caller=scope["state"].get("caller"),
                    error_type=scope["state"].get("error_type"),
                )
                for observer in self._observers:
                    observer.answered(exchange)
                if span is not None:
                    _describe(span, exchange)


def _describe(span: Span, exchange: Exchange) -> None:
    span.rename(f"{exchange.method} {exchange.route}")
    span.note(
        {
            "http.request.method": exchange.method,
            "http.route": exchange.route,
            "http.response.status_code": exchange.status,
            "judge_server.request_id": exchange.request_id,
            "judge_server.caller": exchange.caller,
            "error.type": str(exchange.status) if exchange.status >= 500 else None,
        }
    )


class _Headers(dict[str, str]):
    """The headers that carry the trace context."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        )


def _route_of(scope: Scope) -> str:
    """The route's template. A request that a middleware refused was never routed, so its route is looked up here."""
    route = scope.get("route") or _route_asked_for(scope)
    path = getattr(route, "path", None)
    return path if isinstance(path, str) else UNMATCHED


def _route_asked_for(scope: Scope) -> BaseRoute | None:
    app = scope.get("app")
    routes: Sequence[BaseRoute] = app.routes if isinstance(app, Starlette) else ()
    return next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)


_log = logging.getLogger("judge_server.access")
_LINES_A_SECOND = 20
AccessLogging = Literal["off", "errors", "all"]


class AccessLog:
    """Logs exchanges. ``errors``: only statuses from 400 on, at most 20 a second; the next line says how many were left
    out."""

    def __init__(self, what: AccessLogging, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lowest = {"off": 1_000, "errors": 400, "all": 0}[what]
        self._bounded = what == "errors"
        self._second = -1
        self._told = 0
        self._untold = 0

    def answered(self, exchange: Exchange) -> None:
        """Log one exchange."""
        if exchange.status < self._lowest or (self._bounded and self._is_too_much()):
            return
        fields: dict[str, str | int | float] = {
            "method": exchange.method,
            "route": exchange.route,
            "status": exchange.status,
            "seconds": round(exchange.seconds, 6),
            "request_id": exchange.request_id,
        }
        line = "%(method)s %(route)s %(status)d in %(seconds).3f s"
        if exchange.error_type is not None:
            fields["error_type"] = exchange.error_type
            line = line.replace("%(status)d", "%(status)d %(error_type)s")
        if exchange.caller is not None:
            fields["caller"] = exchange.caller
            line += " for %(caller)s"
        if self._untold:
            fields["left_out"], self._untold = self._untold, 0
            line += " (%(left_out)d lines left out)"
        _log.log(logging.WARNING if exchange.status >= 500 else logging.INFO, line, fields, extra=fields)

    def _is_too_much(self) -> bool:
        now = int(self._clock())
        if now != self._second:
            self._second, self._told = now, 0
        self._told += 1
        if self._told <= _LINES_A_SECOND:
            return False
        self._untold += 1
        return True


_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class HttpMetrics:
    """Counts and times requests. Labels are declared routes, never requested paths."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "judge_server_http_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self._internal = Counter(
            "judge_server_internal_errors", "Requests that met an error that nobody foresaw.", registry=registry
        )
        self._seconds = Histogram(
            "judge_server_http_seconds",
            "Seconds from a request to the beginning of its answer.",
            ("route",),
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )

    def answered(self, exchange: Exchange) -> None:
        """Count one exchange."""
        self._requests.labels(exchange.method, exchange.route, str(exchange.status)).inc()
        if exchange.status == 500:
            self._internal.inc()
        self._seconds.labels(exchange.route).observe(exchange.seconds)
