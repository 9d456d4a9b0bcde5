"""A question that takes unusually long is put to a second address as well."""

import asyncio

import pytest

from judge_server.core.errors import BadConfiguration, DeadlineExceeded, ModelUnavailable
from judge_server.models.hedging import Hedging
from judge_server.models.registry import open_model
from judge_server.scheduling.scheduler import ScheduledModel
from tests.models.openai_model import after_start, is_probe, request, started
from tests.scripted_model import ScriptedModel, yes
from tests.served import until
from tests.stub_judge import Reply, StubJudge, faithful, labels
from tests.yardstick import HANG_SECONDS


def slow_for(word: str, seconds: float):
    """Late where the question holds ``word``, at once for all others."""

    def behave(body):
        if not is_probe(body) and word in body["messages"][0]["content"]:
            return Reply(body=labels(Yes=0.9, No=0.1).body, delay_seconds=seconds)
        return faithful()(body)

    return behave


def counted(stub: StubJudge, word: str) -> int:
    return sum(word in str(body["messages"]) for body in stub.bodies)


def test_the_share_of_calls_that_are_sent_twice_is_bounded():
    hedging = Hedging(0.1, share=0.05)
    sent = 0
    for _ in range(1_000):
        assert hedging.delay() == 0.1
        sent += hedging.spend()
    assert sent == hedging.hedged
    assert 45 <= sent <= 50


def test_a_long_rest_saves_up_few_calls():
    hedging = Hedging(0.1, share=0.05)
    for _ in range(100_000):
        hedging.delay()
    assert sum(hedging.spend() for _ in range(100)) == 16


def test_nothing_is_sent_twice_before_it_is_known_what_is_usual():
    hedging = Hedging(None, share=0.05)
    for _ in range(31):
        assert hedging.delay() is None
        hedging.took(0.1, answered=True)
    hedging.took(0.1, answered=True)
    assert hedging.delay() == 0.1


def test_the_wait_is_what_all_but_one_in_twenty_take():
    hedging = Hedging(None, share=0.05)
    for number in range(256):
        hedging.took(5.0 if number % 50 == 0 else number % 100 / 1_000, answered=True)
    delay = hedging.delay()
    assert delay is not None
    assert 0.09 <= delay <= 0.1


def test_calls_given_up_count_only_where_they_were_slower_than_usual():
    hedging = Hedging(None, share=0.05)
    for _ in range(64):
        hedging.took(0.1, answered=True)
    for _ in range(64):
        hedging.took(0.001, answered=False)
    assert hedging.delay() == 0.1
    for _ in range(64):
        hedging.took(2.0, answered=False)
    assert hedging.delay() == 2.0


async def test_the_second_address_answers_and_the_first_call_is_cancelled():
    with StubJudge(slow_for("slow", HANG_SECONDS)) as first, StubJudge(slow_for("slow", HANG_SECONDS)) as second:
        async with started(first, second, hedge=1.0, hedge_share=0.5) as model:
            for number in range(10):
                await model.complete(request(f"question {number}"))
            later = asyncio.create_task(model.complete(request("a slow question")))
            await asyncio.to_thread(until, lambda: counted(first, "a slow") + counted(second, "a slow") == 1)
            for one in (first, second):  # whoever has it keeps it for long; the other answers at once
                one.behave = slow_for("slow", 0.0)
            completion = await later
            assert completion.text == "Yes"
            await asyncio.to_thread(until, lambda: first.disconnects + second.disconnects == 1)
            assert counted(first, "a slow question") == counted(second, "a slow question") == 1
            assert (model.reach.hedged, model.reach.hedges_won, model.reach.circuits_open) == (1, 1, 0)


async def test_a_first_answer_that_comes_after_all_counts_and_the_second_call_is_cancelled():
    with StubJudge(slow_for("slow", 2.0)) as first, StubJudge(slow_for("slow", 2.0)) as second:
        async with started(first, second, hedge=0.5, hedge_share=0.5) as model:
            for number in range(4):
                await model.complete(request(f"question {number}"))
            later = asyncio.create_task(model.complete(request("a slow question")))
            await asyncio.to_thread(until, lambda: counted(first, "a slow") + counted(second, "a slow") == 1)
            for one in (first, second):
                one.behave = slow_for("slow", HANG_SECONDS)
            assert (await later).text == "Yes"
            await asyncio.to_thread(until, lambda: first.disconnects + second.disconnects == 1)
            assert (model.reach.hedged, model.reach.hedges_won) == (1, 0)


async def test_where_one_fails_the_other_is_waited_for():
    broken = after_start(Reply(500, delay_seconds=0.3))
    with StubJudge(broken) as first, StubJudge(slow_for("slow", 0.6)) as second:
        async with started(first, second, hedge=0.05, hedge_share=0.5) as model:
            for _ in range(6):
                assert (await model.complete(request("a slow question"))).text == "Yes"


async def test_where_both_fail_the_failure_is_typed():
    broken = after_start(Reply(500, delay_seconds=0.2))
    with StubJudge(broken) as first, StubJudge(broken) as second:
        async with started(first, second, hedge=0.05, hedge_share=0.5, transport_attempts=2) as model:
            for _ in range(4):
                with pytest.raises(ModelUnavailable, match="500"):
                    await model.complete(request())


async def test_a_deadline_ends_both_calls():
    with StubJudge(slow_for("slow", HANG_SECONDS)) as first, StubJudge(slow_for("slow", HANG_SECONDS)) as second:
        async with started(first, second, hedge=0.05, hedge_share=0.5) as model:
            for number in range(4):
                await model.complete(request(f"question {number}"))
            with pytest.raises(DeadlineExceeded):
                await model.complete(request("a slow question", deadline_seconds=2.0))
            await asyncio.to_thread(until, lambda: first.disconnects + second.disconnects == 2)


async def test_a_caller_that_leaves_takes_both_calls_along():
    with StubJudge(slow_for("slow", HANG_SECONDS)) as first, StubJudge(slow_for("slow", HANG_SECONDS)) as second:
        async with started(first, second, hedge=0.05, hedge_share=0.5) as model:
            for number in range(4):
                await model.complete(request(f"question {number}"))
            asking = asyncio.create_task(model.complete(request("a slow question")))
            await asyncio.to_thread(until, lambda: counted(first, "a slow") + counted(second, "a slow") == 2)
            asking.cancel()
            await asyncio.wait([asking])
            await asyncio.to_thread(until, lambda: first.disconnects + second.disconnects == 2)


async def test_nothing_is_sent_twice_while_the_other_address_has_an_open_circuit():
    with StubJudge(after_start(Reply(500))) as broken, StubJudge(slow_for("slow", 0.3)) as sound:
        async with started(broken, sound, hedge=0.05, hedge_share=0.5) as model:
            for number in range(40):
                await model.complete(request(f"question {number}"))
            assert model.reach.circuits_open == 1
            calls = broken.calls
            assert (await model.complete(request("a slow question"))).text == "Yes"
            assert broken.calls <= calls + 1  # at most its own probe


def test_one_address_cannot_be_hedged():
    with pytest.raises(BadConfiguration, match="hedge: the model has only one address") as refused:
        open_model("openai:stub@http://127.0.0.1:9/v1", {"hedge": True})
    assert "further addresses" in str(refused.value)


@pytest.mark.parametrize("wanted", [True, False, 1, 0.25])
def test_hedge_is_a_switch_or_seconds(wanted):
    open_model("openai:stub@http://127.0.0.1:9/v1,http://127.0.0.1:10/v1", {"hedge": wanted})


def test_a_model_without_addresses_has_no_reach():
    assert ScheduledModel(ScriptedModel(yes(1))).reach is None
