"""The JSON Schema of rubric files, for editors: that of the models, with the shorthands that authors may use."""

import json
from typing import Any

from judge_server.authoring.parsing import FORMAT
from judge_server.core.rubric import Rubric

_SCALAR: list[dict[str, Any]] = [{"type": ["string", "number", "boolean", "null"]}]


def rubric_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the format."""
    schema = Rubric.model_json_schema(by_alias=True, mode="validation")
    definitions: dict[str, Any] = schema["$defs"]
    for definition in definitions.values():
        properties = definition.get("properties", {})
        if "points" in properties and "id" in properties:
            properties["weight"] = {**properties["points"], "title": "Weight", "description": "A synonym of points."}
            definition["not"] = {"required": ["points", "weight"]}
    definitions["Condition"] = _condition(definitions["Condition"])
    policy = definitions["Missing"]["properties"]["policy"]
    definitions["Missing"]["properties"]["policy"] = {**policy, "enum": [*policy["enum"], None]}
    definitions["Missing"]["properties"]["policy"].pop("type", None)
    schema["properties"]["format"] = {"const": FORMAT, "description": "The format of the file; optional."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:judge-server:rubric:{FORMAT}",
        **schema,
        "title": f"judge-server rubric, format {FORMAT}",
    }


def _condition(described: dict[str, Any]) -> dict[str, Any]:
    """One condition, in long form or in the shorthand that authors write."""
    properties = {name.rstrip("_"): spec for name, spec in described["properties"].items()}
    for spec in properties.values():
        spec.pop("default", None)
    long_form = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {
        "title": "Condition",
        "description": "A value (equal), a list (one of), or {exists: true}, {not: x}, {gte: n}, {lte: n}.",
        "anyOf": [*_SCALAR, {"type": "array", "items": _SCALAR[0], "minItems": 1}, long_form],
    }


def schema_text() -> str:
    """The schema published in docs/rubric.schema.json."""
    return json.dumps(rubric_schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
