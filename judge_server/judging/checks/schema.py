"""JSON Schemas of rubric authors (draft 2020-12): no network, no backtracking patterns, bounded work."""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from judge_server.judging.checks import pattern
from judge_server.judging.checks.interface import CheckFailed, spend_at_once
from judge_server.util.canonical import canonical_json
from judge_server.util.parsing import read_json

LARGEST_SCHEMA = 50_000
MOST_STEPS = 50_000
_REFUSED = {
    "patternProperties": "use propertyNames with a pattern, and additionalProperties",
    "unevaluatedProperties": "use additionalProperties",
    "unevaluatedItems": "use items",
}
_DATA = frozenset(["const", "enum", "default", "examples"])
_NAMED_SCHEMAS = frozenset(["properties", "$defs", "definitions", "dependentSchemas"])
_steps: ContextVar[list[int]] = ContextVar("_steps")


def check(schema: dict[str, Any]) -> None:
    """Raises ValueError, with the remedy, for a schema that is invalid or not supported here."""
    text = canonical_json(schema)
    if len(text) > LARGEST_SCHEMA:
        raise ValueError(f"the schema has {len(text)} characters, more than {LARGEST_SCHEMA}: check less of the JSON")
    spend_at_once(len(text))
    draft = schema.get("$schema", "2020-12")
    if not isinstance(draft, str) or "2020-12" not in draft:
        raise ValueError(f"$schema names {draft!r}; write the schema in draft 2020-12, or leave $schema out")
    for keyword, value in _keywords(schema):
        _check_keyword(keyword, value)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as fault:
        where = "/".join(str(part) for part in fault.absolute_path)
        raise ValueError(f"the JSON Schema is not valid at {where or 'its root'}: {fault.message[:200]}") from None
    _check_references(schema)


def fault(schema_text: str, instance: Any, steps: int = MOST_STEPS) -> str | None:
    """The first error of ``instance``, or None. Raises CheckFailed if validation takes too much work."""
    _steps.set([steps])
    try:
        error = next(_validator(schema_text).iter_errors(instance), None)
    except RecursionError:
        raise CheckFailed("The JSON or its schema is nested too deeply to be validated.") from None
    return None if error is None else _said(error)


def _said(error: ValidationError) -> str:
    where = "/".join(str(part) for part in error.absolute_path)
    message = error.message if len(error.message) <= 160 else error.message[:159] + "…"
    return f"{where[:100]}: {message}" if where else message


def _keywords(schema: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every keyword of every subschema, except inside data. (The reader bounds a schema's depth.)"""
    if isinstance(schema, list):
        for item in schema:
            yield from _keywords(item, depth + 1)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        yield ("$id inside", value) if keyword == "$id" and depth else (keyword, value)
        if keyword in _NAMED_SCHEMAS and isinstance(value, dict):
            for named in value.values():
                yield from _keywords(named, depth + 1)
        elif keyword not in _DATA:
            yield from _keywords(value, depth + 1)


def _check_keyword(keyword: str, value: Any) -> None:
    if keyword in _REFUSED:
        raise ValueError(f"the schema keyword {keyword} is not supported: {_REFUSED[keyword]}")
    if keyword == "$id inside":
        raise ValueError("the schema has $id in a subschema, which moves its references: leave it out")
    if keyword in ("$ref", "$dynamicRef") and isinstance(value, str) and not value.startswith("#"):
        raise ValueError(f"{keyword} {value!r} points outside the schema: copy what it names under $defs")
    if keyword == "pattern" and isinstance(value, str):
        pattern.check(value)


def _check_references(schema: dict[str, Any]) -> None:
    root = {keyword: value for keyword, value in schema.items() if keyword != "$id"}
    resolver = Registry().with_resource("", DRAFT202012.create_resource(root)).resolver()
    for keyword, value in _keywords(schema):
        if keyword in ("$ref", "$dynamicRef") and isinstance(value, str):
            try:
                resolver.lookup(value)
            except Unresolvable:
                raise ValueError(f"{keyword} {value!r} names nothing in the schema: define it under $defs") from None


def _spend(steps: int) -> None:
    spend_at_once(steps)
    budget = _steps.get()
    budget[0] -= steps
    if budget[0] < 0:
        raise CheckFailed(
            f"The JSON takes too much work to validate (the limit is {MOST_STEPS} steps).",
            remedy="Use a simpler schema.",
        )


def _counted(keyword: Callable[..., Any], steps: int) -> Callable[..., Any]:
    def apply(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        _spend(steps + (len(value) // 50 if isinstance(value, list) else 0))
        return keyword(validator, value, instance, schema)

    return apply


def _pattern(validator: Any, value: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    _spend(1)
    if validator.is_type(instance, "string") and not pattern.found(value, instance):
        yield ValidationError(f"{instance!r} does not match {value!r}")


def _unique_items(validator: Any, value: bool, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """In O(n log n); the library compares every pair."""
    if value and validator.is_type(instance, "array"):
        _spend(len(instance))
        if len({canonical_json(_as_number(item)) for item in instance}) < len(instance):
            yield ValidationError("the array has repeated items")


def _as_number(value: Any) -> Any:
    """JSON has one kind of number: 1.0 equals 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_STEPS = {"$ref": 10, "$dynamicRef": 10, "enum": 5, "const": 5}
_Validator = extend(  # type: ignore[no-untyped-call]  # the library's own function has no types
    Draft202012Validator,
    {
        **{
            keyword: _counted(function, _STEPS.get(keyword, 1))
            for keyword, function in Draft202012Validator.VALIDATORS.items()
        },
        "pattern": _pattern,
        "uniqueItems": _unique_items,
    },
)


@lru_cache(maxsize=1_024)
def _validator(schema_text: str) -> Any:
    """An empty registry: nothing is ever fetched."""
    schema = read_json(schema_text)
    return _Validator(schema, registry=Registry())
