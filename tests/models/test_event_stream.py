"""A server that streams whatever is asked is read as one that does not; an answer without choices keeps its tokens."""

import json

import pytest

from judge_server.core.errors import UnusableVerdict
from judge_server.models.event_stream import joined
from judge_server.models.protocol import Structured, UnusableCompletion
from tests.models.openai_model import SCHEMA, after_start, request, started
from tests.stub_judge import Reply, StubJudge, faithful


def streamed(reply: Reply) -> Reply:
    """The same answer in pieces, as servers stream it."""
    whole = reply.body
    choice = whole["choices"][0]
    text = choice["message"]["content"]
    chunks = [{"choices": [{"delta": {"role": "assistant", "content": ""}}]}]
    chunks += [{"choices": [{"delta": {"content": letter}, "logprobs": None}]} for letter in text]
    chunks[1]["choices"][0]["logprobs"] = choice.get("logprobs")
    chunks.append({"choices": [{"delta": {}, "finish_reason": choice.get("finish_reason", "stop")}]})
    chunks.append({"choices": [], "usage": whole.get("usage")})
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return Reply(200, (": wait\n\n" + events).encode(), {"Content-Type": "text/event-stream"})


async def test_labels_and_schemas_are_read_from_a_stream():
    with StubJudge(lambda body: streamed(faithful(0.25)(body))) as judge:
        async with started(judge) as model:
            direct = await model.complete(request())
            reason = await model.complete(request(answer=Structured(SCHEMA, 50)))
    assert [candidate.text for candidate in direct.candidates] == ["No", "Yes"]
    assert direct.usage.prompt_tokens == 10
    assert json.loads(reason.text) == {"reason": "because", "verdict": "No"}


@pytest.mark.parametrize("raw", [b'{"a": 1}', b"data: {no json\n\n", b"data: 5\n\n", b"", b"data of mine"])
def test_what_is_no_stream_stays_as_it_is(raw):
    assert joined(raw) == raw


async def test_an_answer_without_choices_keeps_the_tokens_that_it_cost():
    empty = Reply(200, {"choices": [], "usage": {"prompt_tokens": 70, "completion_tokens": 9}})
    with StubJudge(after_start(empty)) as judge:
        async with started(judge) as model:
            with pytest.raises(UnusableVerdict, match="no choices") as caught:
                await model.complete(request())
    assert isinstance(caught.value, UnusableCompletion)
    assert (caught.value.usage.prompt_tokens, caught.value.usage.completion_tokens) == (70, 9)
