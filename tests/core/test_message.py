import pytest
from pydantic import TypeAdapter, ValidationError

from judge_server.core.submission import Conversation, Message

CALL = {"id": "1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}


def message(content="", role="assistant", **fields):
    return Message.model_validate({"role": role, "content": content} | fields)


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
def test_text_parts_are_joined(kind):
    assert message([{"type": kind, "text": "one "}, {"type": kind, "text": "two"}]).content == "one two"


def test_no_content_is_an_empty_text():
    assert message(None).content == ""
    assert Message(role="assistant").content == ""
    assert message([]).content == ""


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "http://x"}},
        {"type": "text"},
        {"type": "text", "text": 5},
        {"text": "x"},
        "x",
        None,
    ],
)
def test_parts_that_are_no_text_are_refused_with_what_is_wanted(part):
    with pytest.raises(ValidationError, match="the judge reads text only"):
        message([part])


@pytest.mark.parametrize("content", [5, {"text": "x"}, True])
def test_content_of_another_type_is_refused(content):
    with pytest.raises(ValidationError):
        message(content)


def test_tool_calls_keep_the_arguments_as_the_model_wrote_them():
    assert message(tool_calls=[CALL]).tool_calls[0].function.arguments == '{"q": "x"}'
    broken = {"function": {"name": "search", "arguments": '{"q": '}}
    assert message(tool_calls=[broken]).tool_calls[0].function.arguments == '{"q": '
    assert message(tool_calls=None).tool_calls == ()


def test_arguments_given_as_an_object_become_canonical_json():
    call = {"function": {"name": "search", "arguments": {"b": [1, None], "a": "é"}}}
    assert message(tool_calls=[call]).tool_calls[0].function.arguments == '{"a":"é","b":[1,null]}'


@pytest.mark.parametrize("arguments", [{"a": float("nan")}, {"a": {1, 2}}, {"a": {1: 2}}, ["a"], 5])
def test_arguments_that_are_no_json_object_are_refused(arguments):
    with pytest.raises(ValidationError):
        message(tool_calls=[{"function": {"name": "search", "arguments": arguments}}])


@pytest.mark.parametrize(
    "call", [{"function": {"name": ""}}, {"function": {}}, {"type": "web", "function": CALL["function"]}]
)
def test_a_tool_call_names_a_function(call):
    with pytest.raises(ValidationError):
        message(tool_calls=[call])


def test_reasoning_has_two_names():
    assert message(reasoning="because").reasoning == message(reasoning_content="because").reasoning == "because"


@pytest.mark.parametrize("role", ["bot", "", None])
def test_a_role_is_one_of_five(role):
    with pytest.raises(ValidationError, match="'system', 'developer', 'user', 'assistant' or 'tool'"):
        message("x", role)


def test_a_conversation_has_at_least_one_message():
    with pytest.raises(ValidationError, match="at least 1"):
        TypeAdapter(Conversation).validate_python([])


def test_a_message_survives_its_own_json():
    first = message("x", reasoning="r", tool_calls=[CALL], name="n", tool_call_id="1")
    assert Message.model_validate_json(first.model_dump_json()) == first


def test_the_empty_fields_of_client_libraries_say_nothing():
    message = Message.model_validate(
        {
            "role": "assistant",
            "content": "Hello.",
            "refusal": None,
            "annotations": [],
            "audio": None,
            "tool_calls": None,
        }
    )
    assert message == Message(role="assistant", content="Hello.")


def test_a_refusal_that_says_something_is_not_dropped_silently():
    with pytest.raises(ValidationError, match="refusal"):
        Message.model_validate({"role": "assistant", "content": None, "refusal": "I cannot."})


def test_reasoning_under_both_names_is_read_once():
    message = Message.model_validate({"role": "assistant", "reasoning": "so", "reasoning_content": "so"})
    assert message.reasoning == "so"
