"""The real LiteLLM, talking to a real server on the loopback."""

import asyncio
import json
import subprocess
import sys
import time
from contextlib import asynccontextmanager

import pytest

from judge_server.core.errors import (
    BadConfiguration,
    ContextOverflow,
    DeadlineExceeded,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.models.protocol import Labels, Model, Prompt, Request, Segment, Structured, Turn
from judge_server.models.registry import open_model
from tests.decisions import REFUSED, always, openai
from tests.judging.values import ask, binary, judge, scale
from tests.stub_judge import Reply, StubJudge, faithful, text
from tests.yardstick import HANG_SECONDS

# LiteLLM's own declarations, seen once when its router is made.
pytestmark = pytest.mark.filterwarnings("ignore:Item .* on TypedDict class:UserWarning")

SCHEMA = {"type": "object", "properties": {"verdict": {"enum": ["No", "Yes"]}}, "required": ["verdict"]}


def request(content="Is it met?", *, answer=None, deadline_seconds=None):
    return Request(
        Prompt((Turn("user", (Segment(content, "response", trusted=False),)),)),
        answer or Labels(("Yes", "No")),
        deadline=None if deadline_seconds is None else time.monotonic() + deadline_seconds,
    )


@asynccontextmanager
async def started(judge, **options):
    options = {"api_base": judge.address, "api_key": "sk-secret", "num_retries": 0} | options
    model = open_model("litellm:openai/stub", options)
    await model.start()
    try:
        yield model
    finally:
        await model.close()


def after_start(reply):
    well = faithful()

    def behave(body):
        content = body["messages"][-1]["content"]
        return well(body) if "water wet" in content or "Say hello" in content else reply

    return behave


async def test_probabilities_and_schemas_arrive_through_litellm():
    with StubJudge(faithful(0.8)) as judge:
        async with started(judge, max_in_flight=5) as model:
            assert isinstance(model, Model)
            assert (model.capabilities.logprobs, model.capabilities.structured) == (True, True)
            assert (model.name, model.capacity, model.notice) == ("openai/stub", 5, None)
            direct = await model.complete(request("<|im_start|>x"))
            structured = await model.complete(request(answer=Structured(SCHEMA, 40)))
            assert await model.healthy()
        assert not await model.healthy()
    assert [(c.text, round(2.718281828**c.logprob, 3)) for c in direct.candidates] == [("Yes", 0.8), ("No", 0.2)]
    assert (direct.usage.prompt_tokens, direct.usage.calls) == (10, 1)
    assert json.loads(structured.text) == {"verdict": "No"}
    assert "<|" not in judge.bodies[-2]["messages"][0]["content"]
    assert judge.headers[-1]["Authorization"] == "Bearer sk-secret"


async def test_a_model_without_probabilities_is_known_as_such():
    with StubJudge(lambda body: text("Yes")) as judge:
        async with started(judge) as model:
            assert (model.capabilities.logprobs, model.capabilities.structured) == (False, False)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500, {"error": {"message": "boom sk-secret"}}), ModelUnavailable),
        (Reply(429, {"error": {"message": "slow"}}), (ModelUnavailable, DeadlineExceeded)),
        (Reply(401, {"error": {"message": "bad key sk-secret"}}), ModelUnavailable),
        (Reply(404, {"error": {"message": "no model"}}), ModelUnavailable),
        (Reply(400, {"error": {"message": "bad"}}), ModelUnavailable),
        (
            Reply(
                400,
                {
                    "error": {
                        "message": "This model's maximum context length is 8 tokens",
                        "code": "context_length_exceeded",
                    }
                },
            ),
            ContextOverflow,
        ),
        (Reply(200, {"choices": [{"message": {"role": "assistant", "content": None}}]}), UnusableVerdict),
        (Reply(200, b"<<<not json"), (ModelUnavailable, UnusableVerdict)),
        (Reply(reset=True), ModelUnavailable),
    ],
    ids=["500", "429", "401", "404", "400", "overflow", "null", "garbage", "reset"],
)
async def test_every_failure_is_one_of_ours_and_tells_no_secret(reply, error):
    with StubJudge(after_start(reply)) as judge:
        async with started(judge) as model:
            with pytest.raises(error) as caught:
                await model.complete(request(deadline_seconds=3 if reply.status == 429 else None))
    assert "sk-secret" not in str(caught.value)


async def test_the_router_alone_owns_the_retries():
    with StubJudge(after_start(Reply(500, {"error": {"message": "boom"}}))) as judge:
        async with started(judge, num_retries=1) as model:
            calls = judge.calls
            with pytest.raises(ModelUnavailable):
                await model.complete(request())
            assert judge.calls - calls == 2


async def test_a_fallback_answers_where_the_first_model_fails_and_the_notice_says_so():
    def behave(body):
        return Reply(500, {"error": {"message": "boom"}}) if body["model"] == "stub" else faithful()(body)

    with StubJudge(behave) as judge:
        second = {"model": "openai/second", "api_base": judge.address, "api_key": "sk-other"}
        async with started(judge, fallbacks=[second, "openai/third"]) as model:
            assert (await model.complete(request())).text == "Yes"
            assert "openai/second, openai/third" in model.notice
            assert "openai/second, openai/third" in model.revision
        assert judge.bodies[-1]["model"] == "second"
        assert judge.headers[-1]["Authorization"] == "Bearer sk-other"


async def test_the_deadline_ends_a_slow_call():
    with StubJudge(after_start(Reply(200, {}, delay_seconds=HANG_SECONDS))) as judge:
        async with started(judge, num_retries=3) as model:
            with pytest.raises(DeadlineExceeded):
                await model.complete(request(deadline_seconds=0.4))
            with pytest.raises(DeadlineExceeded):
                await model.complete(request(deadline_seconds=-1))


async def test_a_cancelled_call_ends_at_once():
    with StubJudge(after_start(Reply(200, {}, delay_seconds=5))) as judge:
        async with started(judge) as model:
            call = asyncio.create_task(model.complete(request()))
            await asyncio.sleep(0.3)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call


async def test_calls_that_fail_again_and_again_make_it_unhealthy():
    with StubJudge(after_start(Reply(500, {"error": {"message": "boom"}}))) as judge:
        async with started(judge) as model:
            for _ in range(5):
                with pytest.raises(ModelUnavailable):
                    await model.complete(request())
            assert not await model.healthy()


@pytest.mark.parametrize("status", [500, 401, 400])
async def test_a_model_that_cannot_be_used_does_not_start(status):
    with StubJudge(lambda body: Reply(status, {"error": {"message": "boom"}})) as judge:
        options = {"api_base": judge.address, "api_key": "x", "num_retries": 0}
        model = open_model("litellm:openai/stub", options)
        with pytest.raises(ModelUnavailable) as caught:
            await model.start()
    assert caught.value.remedy


async def test_a_mocked_answer_announces_itself():
    model = open_model("litellm:openai/any", {"mock_response": "Yes", "api_key": "none"})
    await model.start()
    assert (await model.complete(request())).text == "Yes"
    assert "no model was asked" in model.notice
    await model.close()


def test_an_unknown_option_names_the_known_ones():
    with pytest.raises(BadConfiguration, match=r"did you mean 'fallbacks'.*num_retries"):
        open_model("litellm:openai/x", {"fallback": []})
    with pytest.raises(BadConfiguration, match="PROVIDER/NAME"):
        open_model("litellm:")


def test_litellm_is_imported_only_when_a_model_starts():
    code = (
        "import sys; from judge_server.models.registry import open_model; open_model('litellm:openai/x');"
        "sys.exit('litellm' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_named_with_its_remedy(tmp_path):
    (tmp_path / "litellm.py").write_text("raise ModuleNotFoundError('No module named litellm')")
    code = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1]); from judge_server.models.registry import open_model;"
        "asyncio.run(open_model('litellm:openai/x').start())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "MissingDependency" in done.stderr
    assert "its extra 'litellm'" in done.stderr


async def test_a_hosted_decision_model_answers_the_whole_rubric_in_one_call():
    def oracle(text, options):
        return REFUSED if "weapon" in text else always()(text, options)

    with StubJudge(decide={"decisions": openai(oracle)}) as stub:
        model = open_model("decide:openai/gpt-6-luna", {"api_base": stub.address, "api_key": "k"})
        await model.start()
        try:
            before = stub.calls
            answers = await ask(judge(model), binary("Names a remedy."), binary("Names a weapon."), scale())
            assert stub.calls - before == 1
            assert model.capabilities.decisions == 64
        finally:
            await model.close()
    assert answers[0].reading.value == pytest.approx(0.9)
    assert answers[1].failure.type == "question_refused"
    assert answers[2].reading.shares == pytest.approx((0.05, 0.05, 0.9))
    assert [answer.reading.label_mass for answer in answers if answer.reading] == [None, None]


async def test_what_a_hosted_decision_model_refuses_costs_the_other_questions_nothing():
    """A question that it refuses with HTTP 400, and more questions than it takes: LiteLLM hides the reason of both."""
    well = openai()

    def strict(body):
        texts = [question["instructions"] for question in body["questions"]]
        refused = len(texts) > 4 or any("letters" in text for text in texts)
        return Reply(400, {"error": {"message": "no", "type": "invalid_request_error"}}) if refused else well(body)

    with StubJudge(decide={"decisions": strict}) as stub:
        model = open_model("decide:openai/gpt-6-luna", {"api_base": stub.address, "api_key": "k"})
        await model.start()
        try:
            criteria = [binary("Names letters." if n == 3 else f"Statement {n}.", id=f"c{n}") for n in range(8)]
            answers = await ask(judge(model), *criteria)
        finally:
            await model.close()
    assert [place for place, answer in enumerate(answers) if answer.reading is None] == [3]
    assert answers[3].failure.type == "judge_unavailable"
