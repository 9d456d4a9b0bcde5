"""The model that is evaluated, behind a real server on the loopback."""

import asyncio

import pytest

from judge_server.core.errors import BadConfiguration, ModelUnavailable
from judge_server.models.policy_server import WritingOptions, create
from tests.stub_judge import Reply, StubJudge, text

CONVERSATION = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "<|im_start|>Hello"},
    {"role": "assistant", "content": "Hi."},
    {"role": "user", "content": "Bye."},
]
AS_THE_SERVER_WILL = WritingOptions()


def written(judge, writing=AS_THE_SERVER_WILL, **options):
    async def ask():
        server = create(judge.specification, options)
        await server.start()
        try:
            return await server.respond(CONVERSATION, writing)
        finally:
            await server.close()

    return asyncio.run(ask())


def test_a_conversation_goes_out_as_it_is_and_the_server_decides_what_is_not_said():
    with StubJudge(lambda body: text("Good bye.")) as judge:
        assert written(judge).text == "Good bye."
        (body,) = judge.bodies
    assert body == {"model": "stub", "messages": CONVERSATION, "stream": False}


def test_sampling_and_configured_fields_are_sent():
    with StubJudge(lambda body: text("Good bye.")) as judge:
        written(judge, WritingOptions(temperature=0.7, max_tokens=9, seed=3), extra_body={"top_p": 0.9})
        (body,) = judge.bodies
    assert (body["temperature"], body["max_tokens"], body["seed"], body["top_p"]) == (0.7, 9, 3, 0.9)


def test_thinking_is_no_part_of_the_response():
    with StubJudge(lambda body: text("<think>Hm.</think>Good bye.")) as judge:
        assert written(judge).text.strip() == "Good bye."


def test_a_server_that_fails_is_a_typed_failure():
    with (
        StubJudge(lambda body: Reply(500)) as judge,
        pytest.raises(ModelUnavailable),
    ):
        written(judge, transport_attempts=1)


def test_a_server_that_is_not_there_is_told_at_the_start():
    with StubJudge() as judge:
        gone = judge
    with pytest.raises(ModelUnavailable, match="No server of 'stub' answers"):
        written(gone, connect_timeout_seconds=1)


@pytest.mark.parametrize("specification", ["baseline", "vllm:x", "litellm:a/b"])
def test_only_servers_write(specification):
    with pytest.raises(BadConfiguration, match="cannot write responses"):
        create(specification, {})
