"""Several addresses, against real HTTP servers on the loopback."""

import asyncio
import threading

from tests.models.openai_model import after_start, request, started
from tests.stub_judge import Reply, StubJudge


class TestFleet:
    async def test_a_call_that_fails_on_one_address_is_answered_by_another(self):
        with StubJudge(after_start(Reply(500))) as broken, StubJudge() as sound:
            async with started(broken, sound) as model:
                assert model.capacity == 128
                completions = await asyncio.gather(*(model.complete(request(f"{number}")) for number in range(60)))
                assert {completion.text for completion in completions} == {"Yes"}
                calls = broken.calls
                for number in range(10):
                    await model.complete(request(f"{number}"))
                assert broken.calls == calls, "an address that keeps failing gets no more calls"

    async def test_a_server_that_dies_in_the_middle_costs_no_verdict(self):
        with StubJudge() as sound:
            with StubJudge() as mortal:
                async with started(mortal, sound) as model:
                    assert mortal.calls + sound.calls > 0
                    killer = threading.Timer(0.2, mortal.stop)
                    killer.start()
                    texts = set()
                    for _ in range(20):
                        batch = await asyncio.gather(*(model.complete(request(f"{number}")) for number in range(30)))
                        texts |= {completion.text for completion in batch}
                        await asyncio.sleep(0.03)
                    await asyncio.to_thread(killer.join)
            assert texts == {"Yes"}

    async def test_a_silent_address_costs_one_timeout_and_then_the_other_answers(self, silent_address):
        with StubJudge() as sound:
            async with started(silent_address, sound, timeout_seconds=1.5) as model:
                assert (await model.complete(request())).text == "Yes"
                assert (await model.complete(request())).text == "Yes"

    async def test_prompts_on_one_conversation_stay_on_one_address(self):
        with StubJudge() as first, StubJudge() as second:
            async with started(first, second) as model:
                before = (first.calls, second.calls)
                for number in range(12):
                    await model.complete(request(f"criterion {number}", prefix=("conversation", "response")))
                grown = sorted((first.calls - before[0], second.calls - before[1]))
        assert grown == [0, 12]

    async def test_health_is_told_by_any_address_that_lists_its_models(self, dead_address):
        with StubJudge() as judge:
            async with started(dead_address, judge) as model:
                model._answered_at = float("-inf")
                assert await model.healthy()
        assert not await model.healthy()
