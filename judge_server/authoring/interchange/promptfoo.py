"""promptfoo configurations and tests: assertions on outputs, a rubric for each test.

Source: promptfoo's reference of assertions. ``llm-rubric``, ``g-eval``, ``model-graded-closedqa`` and ``factuality``
ask a judge; ``contains``, ``equals``, ``regex``, ``is-json`` and their like are checks; ``not-`` negates, ``weight`` is
the weight, and a variable ``{{name}}`` is replaced by the test's. A judged assertion below its ``threshold`` fails the
test there; here it is a gate with reward 0. A test's own threshold is counted as not carried over.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from judge_server.authoring.interchange.entry import number_of
from judge_server.authoring.interchange.record import losses_of, slug, wrong_shape
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_JUDGED = ("llm-rubric", "g-eval", "model-graded-closedqa", "factuality", "model-graded-factuality", "search-rubric")
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SHAPE = "A test is {vars, assert: [{type, value, weight}]}."
_CHECKS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "contains": lambda value: {"kind": "contains", "all": [value], "ignore_case": False},
    "icontains": lambda value: {"kind": "contains", "all": [value]},
    "contains-all": lambda value: {"kind": "contains", "all": _several(value), "ignore_case": False},
    "contains-any": lambda value: {"kind": "contains", "any": _several(value), "ignore_case": False},
    "icontains-all": lambda value: {"kind": "contains", "all": _several(value)},
    "icontains-any": lambda value: {"kind": "contains", "any": _several(value)},
    "equals": lambda value: {"kind": "exact_match", "against": [value], "normalize": False},
    "starts-with": lambda value: {"kind": "regex", "pattern": rf"\A{re.escape(value)}"},
    "regex": lambda value: {"kind": "regex", "pattern": value},
    "is-json": lambda value: {"kind": "json"} | ({"schema": dict(value)} if isinstance(value, Mapping) else {}),
    "contains-json": lambda value: (
        {"kind": "json", "extract": "first"} | ({"schema": dict(value)} if isinstance(value, Mapping) else {})
    ),
}


def tests_of(config: Any) -> list[Any]:
    """The tests of a configuration, each with the assertions of ``defaultTest``; the record itself if it is a test."""
    if not isinstance(config, Mapping) or "tests" not in config:
        return [config]
    tests = config.get("tests")
    if not isinstance(tests, list):
        raise BadInput("tests is no list: tests in other files are not read.", remedy="Write them into the file.")
    default = config.get("defaultTest") if "defaultTest" in config else None
    common = list(default.get("assert") or []) if isinstance(default, Mapping) else []
    return [{**dict(test), "assert": [*common, *(test.get("assert") or [])]} for test in tests]


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one test. Raises BadInput that names assertions which neither a judge nor a check decides."""
    asserts = record.get("assert") if isinstance(record, Mapping) else None
    if not isinstance(asserts, list) or not asserts:
        raise wrong_shape(where, "a test has no assertions", _SHAPE)
    variables = record.get("vars") if "vars" in record else None
    known = variables if isinstance(variables, Mapping) else {}
    taken: set[str] = set()
    unknown: list[str] = []
    criteria = [made for one in _flat(asserts) for made in _criteria(one, known, taken, unknown)]
    if unknown:
        raise BadInput(
            f"{where}: neither a judge nor a check of ours decides {', '.join(dict.fromkeys(unknown))}.",
            remedy="Leave these assertions out, or write the check into a rubric by hand.",
        )
    described = record.get("description") if "description" in record else None
    data = {
        "id": rubric_id or f"promptfoo/test-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": str(described or "promptfoo test")[:200],
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric


def submission_of(record: Any) -> dict[str, Any]:
    """The prompt if a variable holds it under a usual name; a test has none of its own."""
    variables = record.get("vars") if isinstance(record, Mapping) and "vars" in record else None
    if not isinstance(variables, Mapping):
        return {}
    for name in ("prompt", "question", "query", "input", "message"):
        if isinstance(dict(variables).get(name), str):
            return {"prompt": variables.get(name)}
    return {}


def write(rubric: Rubric) -> dict[str, Any]:
    """One test with an ``llm-rubric`` for each criterion; its variables are the user's."""
    asserts = [
        {"type": "llm-rubric", "value": leaf.statement, "weight": leaf.points, "metric": leaf.id}
        for leaf in rubric.leaves
    ]
    return {"description": rubric.title, "vars": {}, "assert": asserts}


def losses(rubric: Rubric) -> list[str]:
    return losses_of(rubric, {"statements", "aggregate weighted_mean"})


def _flat(asserts: list[Any]) -> Iterator[Mapping[str, Any]]:
    for one in asserts:
        if isinstance(one, Mapping) and one.get("type") == "assert-set":
            yield from _flat(list(one.get("assert") or []))
        elif isinstance(one, Mapping):
            yield one


def _criteria(
    one: Mapping[str, Any], variables: Mapping[str, Any], taken: set[str], unknown: list[str]
) -> Iterator[dict[str, Any]]:
    kind = str(one.get("type"))
    negated = kind.startswith("not-")
    bare = kind.removeprefix("not-")
    value = _filled(one.get("value"), variables)
    points = number_of(one.get("weight") if "weight" in one else 1)
    metric = one.get("metric") if "metric" in one else None
    further: dict[str, Any] = {"tags": [str(metric)[:100]]} if metric else {}
    least = number_of(one.get("threshold")) if "threshold" in one and kind in _JUDGED else None
    if least is not None and 0 < least <= 1:
        further["gate"] = {"when": "unmet", "threshold": least, "reward": 0.0}
    if bare in _JUDGED:
        for text in value if isinstance(value, list) else [value]:
            said = f"The response does not satisfy this: {text}" if negated else str(text)
            yield {"id": slug(str(text), taken), "statement": said, "points": points, **further}
    elif bare in _CHECKS:
        check = _CHECKS[bare](value) | ({"negate": True} if negated else {})
        yield {"id": slug(f"{bare} {value or ''}", taken), "kind": "check", "points": points, "check": check, **further}
    else:
        unknown.append(kind)


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda name: str(variables.get(name[1])) if name[1] in variables else name[0], value).strip()


def _several(value: Any) -> list[str]:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else [str(part) for part in value]
