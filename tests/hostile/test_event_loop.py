"""No text in any field of any route keeps the server from answering others, and time grows with its size alone."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from judge_server.server.app import create_app
from judge_server.server.service import StrictRoute
from tests.hostile.event_loop import (
    TEXTS,
    Watch,
    exchange,
    list_places,
    long_steps,
    server,
    text_of,
    text_places,
    with_many,
    with_text,
)
from tests.hostile.test_bodies import BODIES, RUBRIC
from tests.served import settings_of
from tests.submissions import rubric, submission
from tests.yardstick import PATIENCE_SECONDS

SMALL, LARGE = 32_768, 262_144
_LONGEST_SILENCE = 0.100  # seconds, of ``/healthz``
_LEEWAY = 2.5  # a slow machine alone fails nothing; a text that is searched again and again takes seconds
MANY = 12_000  # beside other tests a step takes up to twice its time
_TRIES = 8  # other programs on the machine can only add to a time
FORM_FIELDS = (
    *("text", "prompt", "response", "reference", "facts", "rubric", "judge", "set", "name", "act", "item", "criterion"),
    *("note", "annotator", "key", "statement", "guidance", "wording", "labels", "split", "editor", "revision"),
)
_WITHOUT_TEXTS = {
    *("/v1/monitor/audit-queue", "/v1/monitor/audit-queue/labels"),  # need judgments that were drawn
    *("/v1/admin/sleep", "/v1/admin/wake"),  # for administrators; their texts are names of at most 100 characters
}


@pytest.fixture(scope="module")
def watched() -> Iterator[tuple[int, Watch]]:
    with server() as port, Watch(port) as watch:
        assert exchange(port, "POST", "/v1/rubrics", json.dumps(rubric()).encode()).status == 201
        yield port, watch


def silence(watched: tuple[int, Watch], path: str, body: bytes) -> float:
    """The longest wait of ``/healthz`` beside the request: the least of some tries."""
    port, watch = watched
    least = float("inf")
    for _ in range(_TRIES):
        watch.reset()
        assert exchange(port, "POST", path, body).status < 600
        least = min(least, watch.slowest)
        if least < _LONGEST_SILENCE:
            break
    return least


def seconds(watched: tuple[int, Watch], path: str, body: bytes) -> float:
    return min(exchange(watched[0], "POST", path, body).seconds for _ in range(2))


def test_every_route_that_takes_texts_is_tried():
    document = create_app(settings_of()).openapi()
    posts = {path for path, operations in document["paths"].items() if "requestBody" in operations.get("post", {})}
    routes = {path.replace("{rubric}", "test/listed") for path in posts}
    tried = {path.split("?")[0] for path, _ in BODIES.values()}
    assert routes - tried == _WITHOUT_TEXTS


def test_every_route_with_a_json_body_reads_a_long_one_in_another_process():
    reading = [route for route in _all_routes(create_app(settings_of()).routes) if getattr(route, "body_field", None)]
    assert {route.path for route in reading} > {"/v1/budgets", "/v1/admin/sleep", "/v1/score"}
    assert [route.path for route in reading if not isinstance(route, StrictRoute)] == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BODIES)
def test_healthz_answers_in_100_ms_beside_any_text_in_any_field(watched, name):
    path, bodies = BODIES[name]
    loud = {}
    for place in text_places(bodies[-1]):
        for kind in TEXTS:
            for attempt in ("", "1", "2"):  # other work may hold the processor once; a text that does holds it always
                text = text_of(kind, SMALL) + attempt
                waited = silence(watched, path, with_text(bodies[-1], place, text))
                if waited <= _LEEWAY * _LONGEST_SILENCE:
                    break
            else:
                loud[f"{place} {kind}"] = f"{waited * 1_000:.0f} ms"
    assert loud == {}


@pytest.mark.longest
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("name", BODIES)
def test_time_grows_with_the_size_of_a_text_alone(watched, name):
    path, bodies = BODIES[name]
    steep = {}
    for place in text_places(bodies[-1]):
        for kind in TEXTS:
            once, eight_times = (
                seconds(watched, path, with_text(bodies[-1], place, text_of(kind, size))) for size in (SMALL, LARGE)
            )
            if eight_times > 0.2 and eight_times > 16 * once:
                steep[f"{place} {kind}"] = f"{once:.3f} s, with 8 times the text {eight_times:.3f} s"
    assert steep == {}


def held(port: int, path: str, bodies: dict[str, bytes]) -> dict[str, int]:
    """By name of a body: how many steps held the loop for more than 50 ms. Counted in processor time, and again if it
    happened once: collections of garbage and caches that are filled take time once."""
    found = {}
    for name, body in bodies.items():
        for _ in range(_TRIES):
            before = long_steps(port)
            assert exchange(port, "POST", path, body).status < 600
            steps = long_steps(port) - before
            if not steps:
                break
        else:
            found[name] = steps
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BODIES)
def test_no_list_and_no_object_of_a_body_holds_the_loop_for_50_ms(watched, name):
    path, bodies = BODIES[name]
    many = {f"{place}": with_many(bodies[-1], place, MANY) for place in list_places(bodies[-1])}
    assert held(watched[0], path, many) == {}


def page_forms() -> list[str]:
    """The paths of every page that takes a form; they are not in the document of the API."""
    routes = [route for route in _all_routes(create_app(settings_of()).routes) if not route.include_in_schema]
    return sorted(route.path for route in routes if "POST" in route.methods)


def _all_routes(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        if hasattr(route, "include_in_schema") and getattr(route, "methods", None):
            yield route
        yield from _all_routes(getattr(route, "routes", None) or ())


def _sent(port: int, path: str, fields: dict[str, str]) -> int:
    """The status; 0 if the server answered and closed before it read the form."""
    body = urlencode(fields).encode()
    try:
        return exchange(port, "POST", path, body, "application/x-www-form-urlencoded").status
    except ConnectionError:
        return 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["wide letters", pytest.param("paragraphs", marks=pytest.mark.longest)])
def test_no_form_of_a_page_holds_the_loop_for_50_ms(watched, kind):
    port = watched[0]
    with urlopen(f"http://127.0.0.1:{port}/try", timeout=PATIENCE_SECONDS) as shown:
        token = shown.read().decode().partition('name="token" value="')[2].partition('"')[0]
    assert _sent(port, "/drafts", {"token": token, "id": "test/form"}) == 303
    with urlopen(f"http://127.0.0.1:{port}/drafts", timeout=PATIENCE_SECONDS) as shown:
        (draft, *_) = re.findall(r'href="/drafts/([^"/]+)"', shown.read().decode())
    named, found = defaultdict(lambda: "none", draft_id=draft), {}
    sent = dict.fromkeys(FORM_FIELDS, text_of(kind, SMALL)) | {
        "token": token,
        "act": "add",
        "set": "s",
        "rubric": RUBRIC,
    }
    for path in page_forms():
        for _ in range(_TRIES):
            before = long_steps(port)
            assert _sent(port, path.format_map(named), sent) < 500
            if not (steps := long_steps(port) - before):
                break
        else:
            found[path] = steps
    assert found == {}


def _said(times: int, role: str = "user") -> list[dict[str, str]]:
    return [{"role": role, "content": "x"}] * times


ONE_FOR_MANY: dict[str, tuple[str, dict[str, Any]]] = {
    "a prompt of many messages, and many responses": (
        "/v1/score/group",
        {"rubric": rubric(), "prompt": _said(600), "responses": [f"r{number}" for number in range(60)]},
    ),
    "the same for a group that is collected": (
        "/v1/score/group",
        {"rubric": rubric(), "prompt": "x " * 500_000, "responses": [f"r{number}" for number in range(60)]}
        | {"group": "g", "expected": 61, "collection_seconds": 0.1, "deadline_seconds": 0.5},
    ),
    "a name of a fact above many others": (
        "/v1/score",
        submission(rubric=rubric(), facts={"x" * 50_000: {f"f{number}": number for number in range(900)}}),
    ),
    "as many facts as are taken": (
        "/v1/score",
        submission(rubric=rubric(), facts={f"o{one}": {f"f{two}": 1 for two in range(20)} for one in range(900)}),
    ),
    "as many messages as are taken": (
        "/v1/score",
        submission(rubric=rubric(), prompt=_said(9_999), response=_said(9_999, "assistant")),
    ),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ONE_FOR_MANY)
def test_what_comes_once_and_counts_for_many_holds_no_step_for_50_ms(watched, name):
    path, body = ONE_FOR_MANY[name]
    assert held(watched[0], path, {name: json.dumps(body).encode()}) == {}


@pytest.mark.longest
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("size", [32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576])
@pytest.mark.parametrize("name", BODIES)
def test_no_text_of_any_size_holds_the_loop_for_50_ms(watched, name, size):
    path, bodies = BODIES[name]
    texts = {
        f"{place} {kind}": with_text(bodies[-1], place, text_of(kind, size))
        for place in text_places(bodies[-1])
        for kind in TEXTS
    }
    assert held(watched[0], path, texts) == {}


@pytest.mark.longest
@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("values", [40_000, 80_000, 160_000, 240_000])
@pytest.mark.parametrize("name", BODIES)
def test_no_number_of_values_holds_the_loop_for_50_ms(watched, name, values):
    path, bodies = BODIES[name]
    many = {f"{place}": with_many(bodies[-1], place, values) for place in list_places(bodies[-1])}
    assert held(watched[0], path, many) == {}


@pytest.mark.parametrize("kind", ["paragraphs", "combining marks", "step elements", "commas", "hidden characters"])
def test_a_megabyte_in_a_response_takes_no_second_from_others(watched, kind):
    path, bodies = BODIES["score"]
    body = with_text(bodies[0], ("response",), text_of(kind, 1_000_000))
    assert silence(watched, path, body) < 10 * _LONGEST_SILENCE
