"""Items of the Responses API as messages."""

import pytest

from judge_server.core.errors import BadSubmission
from judge_server.core.submission import Submission
from judge_server.server.dialects.responses_api import messages_of


def test_a_text_is_the_users():
    assert messages_of("Hi", "input") == [{"role": "user", "content": "Hi"}]


def test_messages_calls_outputs_and_reasoning_become_a_conversation_that_can_be_judged():
    items = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Look it up."}]},
        {"type": "function_call", "name": "search", "arguments": '{"q": "stroke"}', "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "Call."},
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "So."}], "summary": []},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Call now.", "annotations": []}],
        },
    ]
    read = Submission(prompt="p", response=messages_of(items, "output")).read
    assert read.answer == "Call now."
    assert read.reasoning == "Look it up.\n\nSo."
    assert [call.function.name for call in read.tool_calls] == ["search"]


def test_easy_messages_need_no_type():
    assert messages_of([{"role": "developer", "content": "d"}], "input") == [{"role": "developer", "content": "d"}]


def test_a_thought_without_an_answer_stays_a_thought():
    items = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}]
    assert Submission(prompt="p", response=messages_of(items, "output")).read.reasoning == "Hm"


@pytest.mark.parametrize(
    "item",
    [
        5,
        {"type": "image_generation_call"},
        {"role": "user", "content": 5},
        {"role": "user", "content": [5]},
        {"role": "user", "content": [{"type": "input_image", "image_url": "x"}]},
        {"type": "function_call_output", "output": {"a": 1}},
    ],
)
def test_an_item_that_cannot_be_read_is_named(item):
    with pytest.raises(BadSubmission, match=r"^output\[1\]: "):
        messages_of([{"role": "user", "content": "x"}, item], "output")
