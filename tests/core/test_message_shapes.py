"""Messages of other interfaces are read into one shape; what may be content is never left out."""

import pickle

import pytest
from pydantic import ValidationError

from judge_server.core.submission import Submission


def read(*messages):
    return Submission(prompt="p", response=list(messages)).response


def calls(message):
    return [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls]


FUNCTION = {"name": "look", "arguments": '{"at":1}'}
CALLS = {
    "openai": {"id": "c1", "type": "function", "function": FUNCTION},
    "with its index": {"index": 0, "id": "c1", "type": "function", "function": FUNCTION},
    "flat": {"id": "c1", "name": "look", "arguments": {"at": 1}},
    "custom": {"id": "c1", "type": "custom", "custom": {"name": "look", "input": '{"at":1}'}},
    "langchain": {"id": "c1", "name": "look", "args": {"at": 1}, "type": "tool_call"},
    "provider's fields": {"id": "c1", "function": FUNCTION, "provider_specific_fields": None},
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_is_the_same_whoever_wrote_it(call):
    (message,) = read({"role": "assistant", "content": None, "tool_calls": [call]})
    assert calls(message) == [("c1", "look", '{"at":1}')]


def test_a_call_without_arguments_has_none():
    (message,) = read({"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": None}}]})
    assert calls(message) == [("c", "f", "{}")]


def test_old_function_calls_and_the_role_of_their_results_are_read():
    called, result = read(
        {"role": "assistant", "content": None, "function_call": FUNCTION},
        {"role": "function", "name": "look", "content": "nothing"},
    )
    assert calls(called) == [(None, "look", '{"at":1}')]
    assert (result.role, result.name, result.content) == ("tool", "look", "nothing")


def test_blocks_of_anthropic_become_text_reasoning_calls_and_results():
    messages = read(
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look first.", "signature": "s"},
                {"type": "text", "text": "I look.", "cache_control": {"type": "ephemeral"}},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
            ],
            "stop_reason": "tool_use",
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "nothing"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "There is nothing."}]},
    )
    assert [one.role for one in messages] == ["assistant", "tool", "assistant"]
    assert (messages[0].content, messages[0].reasoning) == ("I look.", "I look first.")
    assert calls(messages[0]) == [("t1", "look", '{"at":1}')]
    assert (messages[1].content, messages[1].tool_call_id) == ("nothing", "t1")


def test_a_result_with_a_question_behind_it_keeps_both():
    result, question = Submission(
        prompt=[{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "5"}]},
            {"type": "text", "text": "And now?"},
        ]}],
        response="Six.",
    ).prompt  # fmt: skip
    assert (result.role, result.content, question.role, question.content) == ("tool", "5", "user", "And now?")


def test_items_of_the_responses_api_are_messages():
    messages = read(
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "function_call", "id": "f", "call_id": "c1", "name": "look", "arguments": "{}", "status": "completed"},
        {"type": "function_call_output", "call_id": "c1", "output": "nothing"},
        {"type": "message", "id": "m", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Nothing.", "annotations": [], "logprobs": []}]},
    )  # fmt: skip
    assert [one.role for one in messages] == ["assistant", "assistant", "tool", "assistant"]
    assert messages[0].reasoning == "Hm."
    assert calls(messages[1]) == [("c1", "look", "{}")]
    assert messages[3].content == "Nothing."


def test_metadata_is_left_out():
    (message,) = read(
        {"role": "assistant", "content": "Hi.", "id": "x", "index": 3, "thinking_blocks": [], "logprobs": None,
         "provider_specific_fields": {"a": 1}, "finish_reason": "stop", "refusal": None}
    )  # fmt: skip
    assert message.content == "Hi."


def test_unknown_metadata_is_left_out_and_counted():
    call = {"id": "c", "function": FUNCTION, "elapsed": 3}
    submission = Submission(
        prompt=[{"role": "user", "content": "p", "trace": "t-1"}],
        response=[
            {"role": "assistant", "content": "Hi.", "trace": "t-2", "latency_ms": 12.5, "cached": False, "safety": {}},
            {"role": "assistant", "content": None, "tool_calls": [call], "scores": {"a": 0.1, "b": None}},
        ],
    )
    (notice,) = submission.notices
    counts = "trace (2), latency_ms (1), cached (1), safety (1), tool_calls.elapsed (1), scores (1)"
    assert notice == f"unknown metadata of messages was left out: {counts}"
    plain = Submission(
        prompt="p",
        response=[
            {"role": "assistant", "content": "Hi."},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": FUNCTION}]},
        ],
    )
    assert (plain.notices, plain.digest) == ((), submission.digest)
    assert pickle.loads(pickle.dumps(submission)).notices == submission.notices


def test_the_names_of_left_out_metadata_are_bounded():
    fields = {f"field_{number}": number for number in range(200)} | {"x" * 500: 1}
    (notice,) = Submission(prompt="p", response=[{"role": "assistant", "content": "Hi.", **fields}]).notices
    assert notice.endswith("and 191 more names")
    assert len(notice) < 1_000


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "Hi.", "images": ["x"]},
        {"role": "assistant", "content": "Hi.", "images": "https://example.org/x.png"},
        {"role": "assistant", "content": "Hi.", "images": "one line\nand another"},
        {"role": "assistant", "content": "Hi.", "images": "long " * 30},
        {"role": "assistant", "content": "Hi.", "images": {"first": "a text"}},
        {"role": "assistant", "content": "", "images": "x"},
        {"role": "assistant", "content": "Hi.", "contnet": "Ho."},
        {"role": "assistant", "content": "Hi.", "tool_calls": [{"id": "c", "name": "f", "argumants": 1}]},
        {"role": "assistant", "contnet": "Hi."},
        {"role": "assistant", "content": "Hi.", "refusal": "I refuse."},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f"}, {"type": "image"}]},
        {"role": "critic", "content": "Hi."},
        {"role": "assistant", "content": "Hi.", "tool_calls": [{"id": "c", "name": "f", "argumants": {"at": 1}}]},
        {"type": "web_search_call", "id": "w", "status": "completed"},
        {"role": "assistant", "content": [{"type": "hologram", "data": "x"}]},
    ],
)
def test_what_may_be_content_is_refused_with_its_name(message):
    with pytest.raises(ValidationError) as refused:
        read({"role": "assistant", "content": "First."}, message)
    said = str(refused.value)
    names = ("images", "contnet", "refusal", "text only", "role", "argumants", "web_search_call")
    assert any(name in said for name in names)
    assert "hologram" in said or "hologram" not in str(message)


def test_a_refusal_is_what_the_assistant_says():
    field, part = read(
        {"role": "assistant", "content": None, "refusal": "I cannot."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot."}]},
    )
    assert field.content == part.content == "I cannot."


def test_details_of_reasoning_are_its_text_unless_that_stands_there():
    detail = {"type": "reasoning.text", "text": "Hm."}
    both, alone = read(
        {"role": "assistant", "content": "A.", "reasoning": "Well.", "reasoning_details": [detail]},
        {"role": "assistant", "content": "A.", "reasoning_details": [detail]},
    )
    assert (both.reasoning, alone.reasoning) == ("Well.", "Hm.")


def test_ordinary_messages_pass_as_they_are():
    (message,) = read({"role": "assistant", "content": "Hi.", "name": "ann"})
    assert (message.content, message.name, message.tool_calls) == ("Hi.", "ann", ())
