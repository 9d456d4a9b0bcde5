"""Numbers, dates and texts at the ends of their range, in every field of every body and query: those that a body has,
and those that the OpenAPI document says it may have."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from judge_server.server.app import create_app
from tests.hostile.test_bodies import BODIES, server  # noqa: F401 - a fixture
from tests.served import settings_of

_NUMBERS = (2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**399, -(10**399), 1e308, -1e308, 5e-324, 2.0**63, -0.0)
_DATES = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59.999999Z",
    "2016-12-31T23:59:60Z",
)
_TEXTS = ("a\0b", "\0", "\ud800", "a" * 5_000, "٣", "-0", "1e400", "NaN", "0x10", "1_000")
_EXTREMES = (*_NUMBERS, *_DATES, *_TEXTS)
_SOME = (2**63, 10**399)
_JSON = {"content-type": "application/json"}
_DOCUMENT = create_app(settings_of()).openapi()


def _resolved(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema, or what it refers to and its alternatives."""
    if "$ref" in schema:
        yield from _resolved(_DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
        return
    alternatives = [one for name in ("anyOf", "oneOf", "allOf") for one in schema.get(name, ())]
    for one in alternatives:
        yield from _resolved(one)
    yield schema


def _places(schema: dict[str, Any], value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The way to every field that the body has or may have."""
    kinds = list(_resolved(schema))
    if isinstance(value, dict):
        fields = {name: one for kind in kinds for name, one in kind.get("properties", {}).items()}
        for name in fields.keys() | value.keys():
            yield (*path, name)
            if name in value:
                yield from _places(fields.get(name, {}), value[name], *path, name)
    elif isinstance(value, list) and value:
        yield (*path, 0)
        items = next((kind["items"] for kind in kinds if "items" in kind), {})
        yield from _places(items, value[0], *path, 0)


def _with(body: Any, path: tuple[Any, ...], value: Any) -> bytes:
    changed = node = deepcopy(body)
    for place in path[:-1]:
        node = node[place]
    node[path[-1]] = value
    return json.dumps(changed).encode()


def _schema_of(path: str) -> dict[str, Any]:
    plain = path.split("?", maxsplit=1)[0]
    for name, methods in _DOCUMENT["paths"].items():
        if name.replace("{rubric}", "test/listed") == plain and "post" in methods:
            schema: dict[str, Any] = methods["post"]["requestBody"]["content"]["application/json"]["schema"]
            return schema
    raise KeyError(path)


@pytest.mark.parametrize("values", [_SOME, pytest.param(_EXTREMES, marks=pytest.mark.longest)], ids=["some", "all"])
@pytest.mark.parametrize("name", BODIES)
def test_an_extreme_value_in_any_field_is_answered_or_refused_by_name(server, name, values):  # noqa: F811
    path, bodies = BODIES[name]
    failed = {}
    for body in bodies:
        for place in _places(_schema_of(path), body):
            for value in _EXTREMES:
                answer = server.post(
                    path, content=_with(body, place, value), headers={"content-type": "application/json"}
                )
                if answer.status_code == 500 or (answer.status_code >= 400 and not answer.json()):
                    failed[f"{place} {str(value)[:30]!r}"] = answer.text
    assert failed == {}


@pytest.mark.parametrize("values", [_SOME, pytest.param(_EXTREMES, marks=pytest.mark.longest)], ids=["some", "all"])
def test_an_extreme_value_in_any_query_is_answered_or_refused_by_name(server, values):  # noqa: F811
    failed = {}
    for path, methods in _DOCUMENT["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            if parameter["in"] != "query":
                continue
            address = path.replace("{job_id}", f"job_{'0' * 24}").replace("{rubric_id}", "test/listed")
            for value in values:
                text = str(value).encode("utf-8", "surrogatepass").decode("latin-1")
                answer = server.get(address, params={parameter["name"]: text})
                if answer.status_code == 500:
                    failed[f"{address} {parameter['name']} {text[:30]!r}"] = answer.text
    assert failed == {}
