"""Templates are filled in one pass; what is missing is a typed fault, never an empty text."""

import json

import pytest

from judge_server.core.errors import GraderFailed
from judge_server.scoring.graders.grader_input import GraderInput


def filled(template: str, output: str = "The answer.", **item) -> str:
    return GraderInput(output, item).text(template)


def fault(template: str, output: str = "The answer.", **item) -> GraderFailed:
    with pytest.raises(GraderFailed) as caught:
        filled(template, output, **item)
    return caught.value


def test_texts_stand_as_they_are_and_other_values_as_json():
    assert filled("{{item.a}}|{{item.b}}|{{item.c}}|{{item.d}}", a="x", b=1.5, c=None, d={"é": [1]}) == (
        'x|1.5|null|{"é": [1]}'
    )


def test_paths_lead_into_objects_and_lists():
    assert filled("{{item.rows[1].name}}{{item.rows.0.name}}", rows=[{"name": "a"}, {"name": "b"}]) == "ba"


def test_what_takes_a_placeholders_place_is_never_read_again():
    assert filled("{{sample.output_text}}", "{{item.secret}}", secret="key") == "{{item.secret}}"
    assert filled("{{item.a}}{{item.b}}", a="{{item", b=".secret}}", secret="key") == "{{item.secret}}"


def test_the_sample_is_read_as_json_only_where_it_is_asked_for():
    assert filled("{{sample.output_json.a[0]}}", '{"a": [7]}') == "7"
    assert fault("{{sample.output_json.a}}", "no json").flag == "sample_parse_error"
    assert fault("{{sample.output_json.a}}", '{"a": NaN}').flag == "sample_parse_error"
    assert fault("{{sample.output_json.a}}", "[" * 100_000).flag == "sample_parse_error"


def test_tool_calls_come_from_a_chat_message_or_a_list():
    calls = [{"type": "function", "function": {"name": "look_up", "arguments": "{}"}}]
    for output in (json.dumps({"role": "assistant", "tool_calls": calls}), json.dumps(calls)):
        assert filled("{{sample.output_tools[0].function.name}}", output) == "look_up"
    assert fault("{{sample.output_tools}}", "no calls").flag == "sample_parse_error"
    assert fault("{{sample.output_tools}}", '{"tool_calls": 3}').flag == "sample_parse_error"


@pytest.mark.parametrize("template", ["{{item.b}}", "{{item.a.b}}", "{{item.rows[2]}}", "{{sample.output_json.b}}"])
def test_a_variable_that_is_not_there_is_a_fault_that_names_it(template):
    found = fault(template, '{"a": 1}', a="text", rows=[1])
    assert found.flag == "invalid_variable_error"
    assert template in found.detail


def test_a_filled_text_is_bounded():
    assert fault("{{item.a}}" * 50, a="x" * 100_000).flag == "other_error"


def test_a_program_sees_what_can_be_read():
    sample = GraderInput("plain", {}).sample
    assert sample["output_text"] == "plain"
    assert sample["output_json"] is None
    assert sample["output_tools"] == []
    assert sample["choices"][0]["message"]["content"] == "plain"
