"""Every route has a rule: nobody can add one and forget who may use it."""

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, Route

from judge_server.server.app import create_app
from judge_server.server.middleware.permission import RULES, Guarded, guard_routes, scopes_of
from judge_server.settings.settings import Settings
from tests.served import served
from tests.server.keys import bearer, demanding, key_of

PUBLIC = {
    "/healthz", "/readyz", "/openapi.json", "/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/signin",
    "/static/{name}",
}  # fmt: skip


def routes(settings: Settings | None = None) -> list[Route]:
    return list(create_app(settings or Settings()).routes)


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{sorted(route.methods)} {route.path}")
def test_every_route_has_a_rule_that_names_its_scopes(route):
    for method in route.methods:
        assert scopes_of(method, route.path) is not None, "say in server/door/permission.py which scopes open it"


def test_every_route_that_is_not_public_stands_behind_its_scopes():
    open_to_all = {route.path for route in routes() if not isinstance(route.app, Guarded)}
    assert open_to_all == PUBLIC
    with_metrics = routes(Settings(public_metrics=True))
    assert {route.path for route in with_metrics if not isinstance(route.app, Guarded)} == PUBLIC | {"/metrics"}


def test_only_reading_is_open_to_every_scope():
    for rule in RULES:
        if set(rule.scopes) == {"score", "author", "label"}:
            assert set(rule.methods) <= {"GET", "HEAD"} or rule.prefix in ("/v1/rubrics/validate", "/signout")


def test_a_prefix_is_whole_segments():
    assert scopes_of("GET", "/v1/rubrics/{name}") == ("score", "author", "label")
    assert scopes_of("GET", "/v1/rubrics-of-others") is None
    assert scopes_of("POST", "/healthz") is None


def test_a_route_that_nobody_thought_of_is_for_admin():
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/forgotten")(lambda: "secret")
    assert guard_routes(app, public_metrics=False) == frozenset()
    (route,) = app.routes
    assert isinstance(route, Route)
    assert isinstance(route.app, Guarded)
    assert route.app.scopes == ("admin",)


def test_a_mounted_application_is_refused_for_nothing_guards_it():
    app = FastAPI(routes=[Mount("/pages", app=FastAPI())])
    with pytest.raises(TypeError, match="cannot be guarded"):
        guard_routes(app, public_metrics=False)


def test_texts_of_the_audit_queue_are_shown_to_label_keys_and_to_no_trainer():
    (trainer, one), (annotator, two) = key_of("trainer", "score"), key_of("ann", "label")
    path, query = "/v1/monitor/audit-queue", {"label_set": "audit/june"}
    with served(demanding(one, two)) as client:
        refused = [client.get(f"{path}{end}", params=query, headers=bearer(trainer)) for end in ("", "/estimate")]
        shown = client.get(path, params=query, headers=bearer(annotator))
    assert [answer.status_code for answer in refused] == [403, 403]
    assert shown.status_code == 200
