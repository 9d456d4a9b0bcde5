"""No text in any field of any route keeps the server from answering others, and time grows with its size alone."""

import json
from collections.abc import Iterator

import pytest

from judge_server.server.app import create_app
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
from tests.hostile.test_bodies import BODIES
from tests.served import settings_of
from tests.submissions import rubric

SMALL, LARGE = 32_768, 262_144
_LONGEST_SILENCE = 0.100  # seconds, of ``/healthz``
_TRIES = 8  # other programs on the machine can only add to a time
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
                if waited <= _LONGEST_SILENCE:
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
    many = {f"{place}": with_many(bodies[-1], place, 20_000) for place in list_places(bodies[-1])}
    assert held(watched[0], path, many) == {}


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
    assert silence(watched, path, body) < 5 * _LONGEST_SILENCE
