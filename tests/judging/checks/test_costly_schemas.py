"""Schemas that take long: done in the process for long texts, with the same verdict, and never on the event loop."""

import json

import pytest

from judge_server.core.errors import BadRubric
from judge_server.core.submission import Submission
from judge_server.judging import checks
from judge_server.judging.checks.interface import NotAtOnceError, at_once
from tests.judging.checks.deciding import criterion, decided, rubric


def multiplied(keyword, last, levels=12):
    """A schema of a few lines whose references branch tenfold at each level."""
    named = {f"a{level}": {keyword: [{"$ref": f"#/$defs/a{level + 1}"}] * 10} for level in range(levels)}
    return {"$ref": "#/$defs/a0", "$defs": named | {f"a{levels}": last}}


BRANCHING = multiplied("allOf", {"type": "string"})
LONG = {"type": "object", "properties": {f"p{place}": {"type": "string", "minLength": 1} for place in range(300)}}
LISTED = {"type": "array", "items": {"enum": [f"word {place}" for place in range(3_000)]}}
COSTLY = {
    "references that branch": ({"kind": "json", "schema": BRANCHING}, '"x"', None),
    "alternatives that branch": (
        {"kind": "json", "schema": multiplied("anyOf", {"type": "integer"})},
        '"x"',
        None,
    ),
    "values against a long list": ({"kind": "json", "schema": LISTED}, json.dumps(["word 2999"] * 600), None),
    "tools with long schemas": (
        {"kind": "tool_schema"},
        [{"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": '{"p1": "x"}'}}]}],
        json.dumps([{"name": "f", "parameters": LONG}]),
    ),
}


@pytest.mark.parametrize("case", COSTLY)
async def test_a_costly_schema_is_not_worked_through_at_once_and_gives_the_same_verdict(case):
    spec, response, reference = COSTLY[case]
    submission = Submission.model_validate({"prompt": "p", "response": response, "reference": reference})
    with at_once(), pytest.raises(NotAtOnceError):
        checks.decide_now(criterion(spec), submission)
    expected = decided(spec, response, reference)
    assert await checks.decide(criterion(spec), submission) == expected


async def test_a_plain_schema_is_worked_through_at_once():
    spec = {"kind": "json", "schema": {"type": "object", "properties": {"age": {"type": "integer"}}}}
    submission = Submission.model_validate({"prompt": "p", "response": '{"age": 4}'})
    with at_once():
        assert checks.decide_now(criterion(spec), submission).value == 1


async def test_a_long_schema_of_a_rubric_is_checked_elsewhere():
    long = rubric({"kind": "json", "schema": LONG})
    with at_once(), pytest.raises(NotAtOnceError):
        checks.check_specifications(long)
    await checks.prepare_unblocking(long)
    await checks.prepare_unblocking(long)  # remembered


async def test_a_fault_of_a_long_schema_names_its_criterion():
    wrong = LONG | {"additionalProperties": "no"}
    with pytest.raises(BadRubric, match="'it'"):
        await checks.prepare_unblocking(rubric({"kind": "json", "schema": wrong}))
