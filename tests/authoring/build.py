"""Small rubrics for the tests."""

from typing import Any

from judge_server.authoring.parsing import Parsed, from_data


def criterion(name: str = "a", **fields: Any) -> dict[str, Any]:
    return {"id": name, "statement": f"Names the {name} of the matter.", **fields}


def data(*criteria: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "test/small", "version": "1.0.0", "title": "A small rubric", "description": "For tests."}
    return {**head, "criteria": list(criteria) or [criterion()], **fields}


def rubric(*criteria: dict[str, Any], **fields: Any) -> Parsed:
    return from_data(data(*criteria, **fields))
