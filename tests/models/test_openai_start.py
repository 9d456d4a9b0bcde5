"""What starting finds out, against a real HTTP server on the loopback."""

import json
import socket

import pytest

from judge_server.core.errors import (
    BadConfiguration,
    ModelUnavailable,
)
from judge_server.models.protocol import Model, Structured
from judge_server.models.registry import open_model
from tests.models.openai_model import SCHEMA, request, started
from tests.stub_judge import Reply, StubJudge, faithful, text, wants_schema


class TestStarting:
    async def test_the_canaries_find_out_what_a_faithful_server_can_do(self):
        listing = {"data": [{"id": "stub", "root": "/models/judge-7b", "max_model_len": 4096}]}

        def behave(body):
            reply = faithful()(body)
            return Reply(body=reply.body | {"system_fingerprint": "fp_1"})

        with StubJudge(behave, listing=listing) as judge:
            async with started(judge, max_in_flight=7) as model:
                assert isinstance(model, Model)
                assert (model.capabilities.logprobs, model.capabilities.structured) == (True, True)
                assert model.capabilities.context_tokens == 4096
                assert model.revision == "/models/judge-7b window 4096 fp_1"
                assert (model.name, model.capacity, model.notice) == ("stub", 7, None)
                assert await model.healthy()
            assert not await model.healthy()

    async def test_a_server_that_always_says_yes_can_neither_constrain_nor_tell_probabilities(self):
        with StubJudge(lambda body: text("Yes")) as judge:
            async with started(judge) as model:
                assert (model.capabilities.logprobs, model.capabilities.structured) == (False, False)
                assert (await model.complete(request())).candidates == ()

    async def test_a_server_that_ignores_the_schema_is_found_out(self):
        with StubJudge(lambda body: text('{"canary": "hello"}')) as judge:
            async with started(judge) as model:
                assert not model.capabilities.structured

    @pytest.mark.parametrize("style", ["structured_outputs", "json_schema", "guided_json", "json_object"])
    async def test_the_way_in_which_schemas_are_obeyed_is_found_and_used(self, style):
        def behave(body):
            mine = style in body or body.get("response_format", {}).get("type") == style
            return text(json.dumps({"canary": "quartz-41"} if mine else "hello"))

        with StubJudge(behave) as judge:
            async with started(judge) as model:
                assert model.capabilities.structured
                await model.complete(request(answer=Structured(SCHEMA, 50)))
            assert style in judge.bodies[-1] or judge.bodies[-1]["response_format"]["type"] == style

    async def test_a_model_that_fills_its_answer_with_blanks_is_constrained_and_warned_of(self, caplog):
        def behave(body):
            reply = text('{"canary"' + "\n" * 60)
            reply.body["choices"][0]["finish_reason"] = "length"
            return reply if wants_schema(body) else faithful()(body)

        with StubJudge(behave) as judge:
            async with started(judge) as model:
                assert model.capabilities.structured
        assert "white space" in caplog.text

    async def test_fields_that_a_strict_server_refuses_are_given_up_one_by_one(self):
        def behave(body):
            for field in ("chat_template_kwargs", "max_tokens", "temperature"):
                if field in body:
                    error = {"message": f"Unsupported parameter: '{field}'", "param": field}
                    return Reply(400, {"error": error})
            if body.get("top_logprobs", 0) > 5:
                return Reply(400, {"error": {"message": "top_logprobs must be at most 5"}})
            return faithful()(body)

        with StubJudge(behave) as judge:
            async with started(judge) as model:
                assert (model.capabilities.logprobs, model.capabilities.structured) == (True, True)
                await model.complete(request())
            assert judge.bodies[-1]["max_completion_tokens"] == 1
            assert judge.bodies[-1]["top_logprobs"] == 5

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(500, b'{"error":"boom"}'),
            Reply(503),
            Reply(429, b'{"error":"slow down"}'),
            Reply(429, b"", {"Retry-After": "60"}),
            Reply(200, b"<<<not json"),
            Reply(200, {"choices": []}),
            Reply(401, {"error": {"code": "invalid_api_key"}}),
            Reply(404, {"error": {"message": "no such model"}}),
            Reply(400, {"error": {"message": "no"}}),
            Reply(400, {"error": {"message": "maximum context length is 8 tokens"}}),
            Reply(302, b"", {"Location": "http://127.0.0.1:1/v1/chat/completions"}),
            Reply(reset=True),
        ],
        ids=["500", "503", "429", "429 for long", "garbage", "no choices", "401", "404", "400", "tiny", "302", "reset"],
    )
    async def test_a_server_that_answers_no_canary_is_unavailable_soon_and_with_a_remedy(self, reply):
        with StubJudge(lambda body: reply) as judge:
            model = open_model(judge.specification)
            with pytest.raises(ModelUnavailable) as caught:
                await model.start()
            assert caught.value.remedy
            assert judge.calls <= 16

    async def test_nobody_at_the_address_is_told_soon(self, dead_address):
        with pytest.raises(ModelUnavailable, match="accepts no connection"):
            await open_model(f"openai:stub@{dead_address}").start()

    async def test_a_name_that_nobody_knows_is_said_to_be_one(self, monkeypatch):
        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(ModelUnavailable, match=r"the name judge\.invalid is not found") as caught:
            await open_model("openai:stub@http://judge.invalid/v1").start()
        assert "DNS" in str(caught.value)

    async def test_a_silent_server_is_waited_for_no_longer_than_set(self, silent_address):
        with pytest.raises(ModelUnavailable, match="start_timeout_seconds"):
            await open_model(f"openai:stub@{silent_address}", {"start_timeout_seconds": 0.3}).start()

    async def test_one_living_address_is_enough(self, dead_address):
        with StubJudge() as judge:
            async with started(dead_address, judge) as model:
                assert model.capabilities.logprobs
                for _ in range(10):
                    assert (await model.complete(request())).text == "Yes"

    async def test_a_key_is_sent_and_never_told(self):
        def behave(body):
            return Reply(400, {"error": {"message": "Bad key sk-secret in request"}})

        with StubJudge(behave) as judge:
            model = open_model(judge.specification, {"api_key": "sk-secret"})
            with pytest.raises(ModelUnavailable, match="Bad key … in request") as caught:
                await model.start()
            assert judge.headers[0]["Authorization"] == "Bearer sk-secret"
            assert "sk-secret" not in str(caught.value) + repr(vars(model))

    async def test_starting_twice_is_starting_once(self):
        with StubJudge() as judge:
            async with started(judge) as model:
                calls = judge.calls
                await model.start()
                assert judge.calls == calls

    def test_a_missing_certificate_file_is_named(self, tmp_path):
        with pytest.raises(BadConfiguration, match="tls_ca_file"):
            open_model("openai:stub@https://127.0.0.1/v1", {"tls_ca_file": str(tmp_path / "none.pem")})
