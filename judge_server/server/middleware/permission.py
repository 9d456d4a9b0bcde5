"""Which scopes may use which route. This is the only table of it.

The first rule that covers a route applies. A route without a rule requires ``admin``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from judge_server.core.caller import Scope, current_caller
from judge_server.core.errors import Forbidden

_READ: Final = ("GET", "HEAD")
_ALL: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_WORKING: Final[tuple[Scope, ...]] = ("score", "author", "label")
_PUBLIC: Final[tuple[Scope, ...]] = ()


class ScopeRule(NamedTuple):
    """Paths that begin with ``prefix`` require any one of ``scopes``; without scopes they are public."""

    methods: tuple[str, ...]
    prefix: str
    scopes: tuple[Scope, ...]

    def covers(self, method: str, path: str) -> bool:
        return method in self.methods and (path == self.prefix or path.startswith(f"{self.prefix}/"))


RULES: Final = (
    ScopeRule(_READ, "/healthz", _PUBLIC),
    ScopeRule(_READ, "/readyz", _PUBLIC),
    ScopeRule(_READ, "/openapi.json", _PUBLIC),
    ScopeRule(_READ, "/docs", _PUBLIC),
    ScopeRule(_READ, "/metrics", ("metrics",)),
    ScopeRule(_ALL, "/v1/score", ("score",)),
    ScopeRule(_ALL, "/v1/jobs", ("score",)),
    ScopeRule(_ALL, "/v1/fine_tuning/alpha/graders", ("score",)),
    ScopeRule(_ALL, "/v1/systemone", ("score",)),
    ScopeRule(_ALL, "/v1/decisions", ("score",)),
    ScopeRule(_ALL, "/trainers", ("score",)),
    ScopeRule(_READ, "/v1/judgments", _WORKING),
    ScopeRule(("DELETE",), "/v1/judgments", ("admin",)),
    ScopeRule(_ALL, "/v1/erasures", ("admin",)),
    ScopeRule(_ALL, "/v1/admin", ("admin",)),
    ScopeRule(_READ, "/v1/budgets", _WORKING),
    ScopeRule(_ALL, "/v1/budgets", ("admin",)),
    ScopeRule(_READ, "/v1/runs", _WORKING),
    ScopeRule(("POST",), "/v1/runs", ("author", "score")),
    ScopeRule(("POST",), "/v1/rescore", ("author", "score")),
    ScopeRule(("POST",), "/v1/rubrics/validate", _WORKING),
    ScopeRule(_READ, "/v1/rubrics", _WORKING),
    ScopeRule(_ALL, "/v1/rubrics", ("author",)),
    ScopeRule(_READ, "/v1/judges", _WORKING),
    ScopeRule(_ALL, "/v1/labels", ("label",)),
    ScopeRule(_READ, "/v1/label-sets", ("label", "author")),
    ScopeRule(_READ, "/v1/calibrations", _WORKING),
    ScopeRule(_ALL, "/v1/calibrations", ("author",)),
    ScopeRule(_READ, "/v1/improvements", ("label", "author")),  # files of a result hold texts of labels
    ScopeRule(_ALL, "/v1/improvements", ("author",)),
    ScopeRule(_READ, "/v1/exams", _WORKING),
    ScopeRule(_ALL, "/v1/exams", ("author",)),
    ScopeRule(_READ, "/v1/monitor/audit-queue", ("label",)),  # it shows other callers' conversations and responses
    ScopeRule(_READ, "/v1/monitor", _WORKING),
    ScopeRule(_ALL, "/v1/monitor", ("label",)),
    ScopeRule(_ALL, "/signin", _PUBLIC),
    ScopeRule(_READ, "/static", _PUBLIC),
    ScopeRule(("POST",), "/signout", _WORKING),
    ScopeRule(_READ, "/", _WORKING),
    ScopeRule(_ALL, "/try", ("score",)),
    ScopeRule(_READ, "/rubrics", _WORKING),
    ScopeRule(_ALL, "/drafts", ("author",)),
    ScopeRule(_READ, "/calibrations/{calibration_id}/items", ("label", "author")),  # it shows conversations of others
    ScopeRule(_READ, "/calibrations/improve", ("label", "author")),
    ScopeRule(_READ, "/calibrations", _WORKING),
    ScopeRule(_ALL, "/calibrations", ("author",)),
    ScopeRule(_READ, "/runs", _WORKING),
    ScopeRule(_ALL, "/jobs", ("score",)),
    ScopeRule(_READ, "/judges", _WORKING),
    ScopeRule(_ALL, "/keys", ("admin",)),
    ScopeRule(_READ, "/settings", ("admin",)),
    ScopeRule(_READ, "/judgments", _WORKING),
    ScopeRule(_READ, "/groups", _WORKING),
    ScopeRule(_ALL, "/label", ("label",)),  # it shows other callers' conversations and responses
)
METRICS: Final = "/metrics"
PROBES: Final = frozenset({"/healthz", "/readyz", METRICS})
"""What asks again and again whether the server is well."""
STATIC: Final = "/static/"  # scripts and styles of the pages, which the page for signing in needs too


class Guarded:
    """A route that requires one of ``scopes``. Checked before anything of the body is read."""

    def __init__(self, route: ASGIApp, scopes: tuple[Scope, ...]) -> None:
        self.route = route
        self.scopes = scopes

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        caller = current_caller.get()
        if not caller.may(*self.scopes):
            needed = " or ".join(self.scopes)
            raise Forbidden(
                f"This requires an API key of scope {needed}; {caller.name!r} has {', '.join(sorted(caller.scopes))}.",
                remedy="Send a key with this scope; judge-server keys create makes one.",
                scopes=list(self.scopes),
            )
        await self.route(scope, receive, send)


def scopes_of(method: str, path: str) -> tuple[Scope, ...] | None:
    """The scopes that the rules give for a route's declared path; None if no rule covers it."""
    return next((rule.scopes for rule in RULES if rule.covers(method, path)), None)


def guard_routes(app: FastAPI, *, public_metrics: bool) -> frozenset[str]:
    """Guard every route that is not public. Returns the paths of the public ones."""
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
            raise TypeError(f"{route!r} is not a plain route, so it cannot be guarded")
        found = {scopes_of(method, route.path) for method in route.methods or ()}
        if len(found) != 1:
            raise TypeError(f"{route.path}: its methods need different scopes; declare a route for each")
        scopes = found.pop()
        yield route, ("admin",) if scopes is None else scopes
