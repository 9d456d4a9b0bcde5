"""Which scopes open which route: the one place where that is said.

The first rule whose prefix is a route's wins; a route without a rule is for ``admin``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from judge_server.core.caller import SCOPES, Scope, current_caller
from judge_server.core.errors import Forbidden

_READ: Final = ("GET", "HEAD")
_ALL: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_PUBLIC: Final[tuple[Scope, ...]] = ()


class Rule(NamedTuple):
    """Any one of ``scopes`` opens what begins with ``prefix``; no scope at all: everybody may."""

    methods: tuple[str, ...]
    prefix: str
    scopes: tuple[Scope, ...]

    def covers(self, method: str, path: str) -> bool:
        return method in self.methods and (path == self.prefix or path.startswith(f"{self.prefix}/"))


RULES: Final = (
    Rule(_READ, "/healthz", _PUBLIC),
    Rule(_READ, "/readyz", _PUBLIC),
    Rule(_READ, "/openapi.json", _PUBLIC),
    Rule(_READ, "/docs", _PUBLIC),
    Rule(_READ, "/metrics", ("admin",)),
    Rule(_ALL, "/v1/score", ("score",)),
    Rule(_ALL, "/v1/jobs", ("score",)),
    Rule(_ALL, "/v1/fine_tuning/alpha/graders", ("score",)),
    Rule(_ALL, "/trainers", ("score",)),
    Rule(_READ, "/v1/judgments", SCOPES),
    Rule(("POST",), "/v1/rescore", ("author", "score")),
    Rule(("POST",), "/v1/rubrics/validate", SCOPES),
    Rule(_READ, "/v1/rubrics", SCOPES),
    Rule(_ALL, "/v1/rubrics", ("author",)),
    Rule(_READ, "/v1/judges", SCOPES),
    Rule(_ALL, "/v1/labels", ("label",)),
    Rule(_READ, "/v1/label-sets", ("label", "author")),
    Rule(_READ, "/v1/calibrations", SCOPES),
    Rule(_ALL, "/v1/calibrations", ("author",)),
    Rule(_READ, "/v1/monitor", SCOPES),
    Rule(_ALL, "/v1/monitor", ("label",)),
)
METRICS: Final = "/metrics"


class Guarded:
    """A route that only callers with one of these scopes reach; before that nothing of the request is read."""

    def __init__(self, route: ASGIApp, scopes: tuple[Scope, ...]) -> None:
        self.route = route
        self.scopes = scopes

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        caller = current_caller.get()
        if not caller.may(*self.scopes):
            needed = " or ".join(self.scopes)
            raise Forbidden(
                f"This needs an API key of scope {needed}; {caller.name!r} has {', '.join(sorted(caller.scopes))}.",
                remedy="Send a key with this scope; judge-server keys create makes one.",
                scopes=list(self.scopes),
            )
        await self.route(scope, receive, send)


def scopes_of(method: str, path: str) -> tuple[Scope, ...] | None:
    """What the rules say of a route, by the path that it was declared with; None where they say nothing."""
    return next((rule.scopes for rule in RULES if rule.covers(method, path)), None)


def guard_routes(app: FastAPI, *, public_metrics: bool) -> frozenset[str]:
    """Put every route that is not public behind its scopes; the paths of those that are."""
    public = set()
    for route, scopes in _with_scopes(app):
        if not scopes or (public_metrics and route.path == METRICS):
            public.add(route.path)
        else:
            route.app = Guarded(route.app, scopes)
    return frozenset(public)


def _with_scopes(app: FastAPI) -> Iterator[tuple[Route, tuple[Scope, ...]]]:
    for route in app.routes:
        if not isinstance(route, Route):
            raise TypeError(f"{route!r} is no plain route: nothing says which scope opens it")
        found = {scopes_of(method, route.path) for method in route.methods or ()}
        if len(found) != 1:
            raise TypeError(f"{route.path}: its methods need different scopes; declare a route for each")
        scopes = found.pop()
        yield route, ("admin",) if scopes is None else scopes
