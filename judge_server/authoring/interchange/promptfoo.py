"""promptfoo configurations and tests: assertions on outputs, a rubric for each test.

Source: promptfoo's reference of assertions. ``llm-rubric``, ``g-eval`` and ``model-graded-closedqa`` ask a judge,
``factuality`` whether the output agrees with an expert's answer; ``contains``, ``equals``, ``regex``, ``is-json`` and
their like are checks; ``not-`` negates, ``weight`` is the weight, and ``assert-set`` and a ``g-eval`` of several
criteria weigh as one. A judged assertion below its ``threshold`` fails the test there; here it is a gate with reward 0.
The threshold of a test or a set is counted as not carried over.
"""

import csv
import re
from collections.abc import Callable, Mapping
from typing import Any

from judge_server.authoring.interchange.entry import GIVEN_ID, number_of
from judge_server.authoring.interchange.identity import DESCRIPTIVE, identified, identity_of
from judge_server.authoring.interchange.promptfoo_tests import PROMPT, filled
from judge_server.authoring.interchange.record import losses_of, slug, wrong_shape
from judge_server.authoring.interchange.tracked import use_all
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_JUDGED = frozenset({"llm-rubric", "g-eval", "model-graded-closedqa", "factuality", "model-graded-factuality"})
_FACTS = frozenset({"factuality", "model-graded-factuality"})
_TEMPLATE = ("{{", "{%")
_SHAPE = "A test is {vars, assert: [{type, value, weight}]}."


def _schema(value: Any) -> dict[str, Any]:
    use_all(value)
    if value is not None and not isinstance(value, Mapping):
        raise ValueError("a schema")
    return {"schema": dict(value)} if value else {}


def _words(value: Any) -> dict[str, Any]:
    use_all(value)
    bounds = dict(value) if isinstance(value, Mapping) else {"min": _number(value), "max": _number(value)}
    return {"kind": "length", "unit": "words", **bounds}


def _number(value: Any) -> int:
    number = number_of(value)
    if not isinstance(number, int):
        raise TypeError("a whole number")
    return number


_CHECKS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "contains": lambda value: {"kind": "contains", "all": [_one(value)], "ignore_case": False},
    "icontains": lambda value: {"kind": "contains", "all": [_one(value)]},
    "contains-all": lambda value: {"kind": "contains", "all": _several(value), "ignore_case": False},
    "contains-any": lambda value: {"kind": "contains", "any": _several(value), "ignore_case": False},
    "icontains-all": lambda value: {"kind": "contains", "all": _several(value)},
    "icontains-any": lambda value: {"kind": "contains", "any": _several(value)},
    "equals": lambda value: {"kind": "exact_match", "against": [_one(value)], "normalize": False},
    "starts-with": lambda value: {"kind": "regex", "pattern": rf"\A{re.escape(_one(value))}"},
    "regex": lambda value: {"kind": "regex", "pattern": _one(value)},
    "is-json": lambda value: {"kind": "json", **_schema(value)},
    "contains-json": lambda value: {"kind": "json", "extract": "first", **_schema(value)},
    "word-count": _words,
}


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one test. Raises BadInput that names assertions which neither a judge nor a check decides."""
    asserts = record.get("assert") if isinstance(record, Mapping) else None
    if not isinstance(asserts, list) or not asserts:
        raise wrong_shape(where, "a test has no assertions", _SHAPE)
    variables = record.get("vars") if "vars" in record else None
    reading = _Reading(where, variables if isinstance(variables, Mapping) else {}, _names(asserts))
    criteria = [reading.criterion(one) for one in asserts]
    unknown = reading.unknown
    if unknown:
        raise BadInput(
            f"{where}: neither a judge nor a check of ours decides {', '.join(dict.fromkeys(unknown))}.",
            remedy="Leave these assertions out, or write the check into a rubric by hand.",
        )
    described = record.get("description") if "description" in record else None
    data = {
        **identified(
            record.get("metadata") if "metadata" in record else None,
            rubric_id,
            id=f"promptfoo/test-{where.rsplit(':', 1)[-1]}",
            version="1.0.0",
            title=str(described or "promptfoo test")[:200],
        ),
        "aggregate": {"kind": "weighted_mean"},
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric


def submission_of(record: Any) -> dict[str, Any]:
    """The prompt: the configuration's with the test's variables if it has a single one, or a variable of a usual
    name."""
    if not isinstance(record, Mapping):
        return {}
    variables = record.get("vars") if "vars" in record else None
    known = variables if isinstance(variables, Mapping) else {}
    if PROMPT in record and isinstance(record.get(PROMPT), str):
        return {"prompt": filled(record.get(PROMPT), known, "prompts")}
    for name in ("prompt", "question", "query", "input", "message"):
        if isinstance(dict(known).get(name), str):
            return {"prompt": known.get(name)}
    return {}


def write(rubric: Rubric) -> dict[str, Any]:
    """One test with an ``llm-rubric`` for each criterion; its variables are the user's."""
    asserts = [
        {"type": "llm-rubric", "value": leaf.statement, "weight": leaf.points, "metric": leaf.id}
        for leaf in rubric.leaves
    ]
    return {"description": rubric.title, "metadata": identity_of(rubric), "vars": {}, "assert": asserts}


def losses(rubric: Rubric) -> list[str]:
    told = losses_of(rubric, DESCRIPTIVE | {"statements", "aggregate weighted_mean"})
    templates = [leaf.id for leaf in rubric.leaves if any(sign in leaf.statement for sign in _TEMPLATE)]
    return told + ([f"braces that promptfoo takes for a variable (first: {templates[0]})"] if templates else [])


def _names(asserts: list[Any]) -> set[str]:
    """The metrics that may be ids: those of one assertion only. Others are tags, as promptfoo adds them up."""
    named = [str(one["metric"]) for one in asserts if isinstance(one, Mapping) and "metric" in one]
    return {name for name in named if GIVEN_ID.fullmatch(name) and named.count(name) == 1}


class _Reading:
    """One test's assertions as criteria. ``unknown``: the types that neither a judge nor a check decides."""

    def __init__(self, where: str, variables: Mapping[str, Any], names: set[str]) -> None:
        self._where = where
        self._variables = variables
        self._names = names
        self._taken: set[str] = set(names)
        self.unknown: list[str] = []

    def criterion(self, one: Any) -> dict[str, Any]:
        if not isinstance(one, Mapping):
            raise wrong_shape(self._where, f"the assertion {str(one)[:60]!r} is not an object", _SHAPE)
        kind = one.get("type") if "type" in one else None
        if not isinstance(kind, str) or not kind.strip():
            raise wrong_shape(self._where, "an assertion has no type", _SHAPE)
        points = number_of(one.get("weight") if "weight" in one else 1)
        if points is None or points < 0:
            raise wrong_shape(self._where, f"the weight of {kind} is no number of 0 or more", _SHAPE)
        metric = str(one.get("metric")) if "metric" in one and one.get("metric") else ""
        made: dict[str, Any] = {"points": points}
        if metric and metric not in self._names:
            made["tags"] = [metric[:100]]
        named = metric if metric in self._names else ""
        if kind == "assert-set":
            found = one.get("assert")
            return self._group(made, named or "set", [self.criterion(part) for part in found or []])
        value = filled(one.get("value") if "value" in one else None, self._variables, self._where)
        bare = kind.removeprefix("not-")
        if bare in _JUDGED:
            return self._judged(one, kind, value, made, named)
        return self._checked(kind, value, made, named)

    def _judged(
        self, one: Mapping[str, Any], kind: str, value: Any, made: dict[str, Any], named: str
    ) -> dict[str, Any]:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text for text in texts):
            raise wrong_shape(self._where, f"the value of {kind} is no text", _SHAPE)
        if len(texts) > 1:
            parts = [{"id": slug(text, self._taken), "statement": _stated(kind, text)} for text in texts]
            return self._group(made, named or "criteria", parts)
        least = number_of(one.get("threshold")) if "threshold" in one and kind in _JUDGED else None
        gate = {"gate": {"when": "unmet", "threshold": least, "reward": 0.0}} if least and 0 < least <= 1 else {}
        return made | {"id": named or slug(texts[0], self._taken), "statement": _stated(kind, texts[0])} | gate

    def _checked(self, kind: str, value: Any, made: dict[str, Any], named: str) -> dict[str, Any]:
        bare = kind.removeprefix("not-")
        try:
            check = _CHECKS[bare](value) | ({"negate": True} if bare != kind else {})
        except (KeyError, TypeError, ValueError):
            self.unknown.append(kind if bare not in _CHECKS else f"{kind} with such a value")
            check = {}
        made_id = named or slug(f"{bare} {value or ''}", self._taken)
        return made | {"id": made_id, "kind": "check", "check": check}

    def _group(self, made: dict[str, Any], named: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
        if not parts:
            raise wrong_shape(self._where, "an assert-set holds no assertions", _SHAPE)
        made_id = named if named in self._names else slug(named, self._taken)
        return made | {"id": made_id, "kind": "group", "criteria": parts}


def _stated(kind: str, text: str) -> str:
    text = f"The response agrees with this expert answer: {text}" if kind.removeprefix("not-") in _FACTS else text
    return f"The response does not satisfy this: {text}" if kind.startswith("not-") else text


def _one(value: Any) -> str:
    """A text, or the number that stands for one."""
    if isinstance(value, str) and value:
        return value
    number = number_of(value)
    if number is None:
        raise ValueError("a text")
    return str(number)


def _several(value: Any) -> list[str]:
    """A list, or a text with commas between values, which may stand in double quotes."""
    given = next(csv.reader([value], skipinitialspace=True), []) if isinstance(value, str) else value
    if not isinstance(given, list) or not given:
        raise ValueError("texts")
    return [_one(part.strip() if isinstance(part, str) else part) for part in given]
