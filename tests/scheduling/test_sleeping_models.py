"""Engines that sleep while a training uses their accelerator."""

import asyncio
from contextlib import suppress

import pytest

from judge_server.core.errors import CannotSleep, DeadlineExceeded, JudgeAsleep, ModelUnavailable
from judge_server.models.protocol import Labels, Prompt, Request
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.scheduling.sleeping_models import SleepingModels, SleepTerms, WakeTerms
from tests.scripted_model import ScriptedModel, yes

QUESTION = Request(Prompt(()), Labels(("Yes", "No")))


class SleepyModel(ScriptedModel):
    """``orders`` so far; ``fault`` is raised by the next one."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.orders = []
        self.fault = None
        self.asleep = False

    async def sleep(self, level):
        await self._ordered(f"sleep {level}", asleep=True)

    async def wake(self, level):
        await self._ordered(f"wake {level}", asleep=False)

    async def _ordered(self, order, *, asleep):
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        self.orders.append(order)
        self.asleep = asleep

    async def complete(self, request):
        assert not self.asleep, "it is asked while it sleeps"
        return await super().complete(request)


def engines(seconds=0.0):
    model = SleepyModel(yes(1), seconds=seconds, name="judge")
    scheduled = ScheduledModel(model)
    return model, scheduled, SleepingModels([scheduled])


async def test_calls_wait_while_the_engine_sleeps_and_go_on_when_it_wakes():
    model, scheduled, sleeping = engines()
    (state,) = await sleeping.sleep(SleepTerms(level=2))
    assert (state.asleep, state.level, state.waiting) == (True, 2, "hold")
    assert await scheduled.healthy()
    waiting = [asyncio.create_task(scheduled.complete(QUESTION)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not model.asked
    (state,) = await sleeping.wake(WakeTerms())
    assert not state.asleep
    assert len(await asyncio.gather(*waiting)) == 3
    assert model.orders == ["sleep 2", "wake 2"]


async def test_calls_can_be_refused_meanwhile():
    model, scheduled, sleeping = engines()
    await sleeping.sleep(SleepTerms(waiting="refuse"))
    with pytest.raises(JudgeAsleep) as refused:
        await scheduled.complete(QUESTION)
    assert refused.value.retry_after_seconds
    await sleeping.wake(WakeTerms())
    assert await scheduled.complete(QUESTION)
    assert len(model.asked) == 1


async def test_the_engine_sleeps_only_after_the_calls_under_way():
    model, scheduled, sleeping = engines(seconds=0.05)
    answering = [asyncio.create_task(scheduled.complete(QUESTION)) for _ in range(4)]
    await asyncio.sleep(0.01)
    await sleeping.sleep(SleepTerms())
    assert [task.done() for task in answering] == [True] * 4
    assert model.orders == ["sleep 1"]


async def test_a_call_that_takes_too_long_keeps_the_engine_awake():
    model, scheduled, sleeping = engines(seconds=60)
    answering = asyncio.create_task(scheduled.complete(QUESTION))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineExceeded, match="1 requests were still under way"):
        await sleeping.sleep(SleepTerms(drain_seconds=0.01))
    assert model.orders == []
    assert not sleeping.states()[0].asleep
    model.seconds = 0
    assert await scheduled.complete(QUESTION)
    answering.cancel()
    with suppress(asyncio.CancelledError):
        await answering


async def test_an_engine_that_refuses_to_sleep_answers_again():
    model, scheduled, sleeping = engines()
    model.fault = ModelUnavailable("no")
    with pytest.raises(ModelUnavailable):
        await sleeping.sleep(SleepTerms())
    assert not sleeping.states()[0].asleep
    assert await scheduled.complete(QUESTION)


async def test_an_engine_that_does_not_wake_still_counts_as_asleep():
    model, _, sleeping = engines()
    await sleeping.sleep(SleepTerms())
    model.fault = ModelUnavailable("no")
    with pytest.raises(ModelUnavailable):
        await sleeping.wake(WakeTerms())
    assert sleeping.states()[0].asleep
    assert not (await sleeping.wake(WakeTerms()))[0].asleep


async def test_it_sleeps_once_the_last_holder_lets_it():
    model, _, sleeping = engines()
    for rank in ("rank 0", "rank 1"):
        await sleeping.wake(WakeTerms(holder=rank))
    (state,) = await sleeping.sleep(SleepTerms(holder="rank 0"))
    assert (state.asleep, state.held_by) == (False, ("rank 1",))
    (state,) = await sleeping.sleep(SleepTerms(holder="rank 1"))
    assert state.asleep
    assert model.orders == ["sleep 1"]


async def test_a_holder_that_died_holds_it_no_longer_than_it_said():
    _, _, sleeping = engines()
    await sleeping.wake(WakeTerms(holder="rank 0", holder_seconds=0.01))
    await asyncio.sleep(0.02)
    assert (await sleeping.sleep(SleepTerms(holder="rank 1")))[0].asleep


async def test_an_order_without_a_holder_outranks_holders():
    _, _, sleeping = engines()
    await sleeping.wake(WakeTerms(holder="rank 0"))
    assert (await sleeping.sleep(SleepTerms()))[0].asleep


async def test_orders_may_be_repeated():
    model, _, sleeping = engines()
    await asyncio.gather(*(sleeping.sleep(SleepTerms()) for _ in range(3)))
    await asyncio.gather(*(sleeping.wake(WakeTerms()) for _ in range(3)))
    assert model.orders == ["sleep 1", "wake 1"]


async def test_an_engine_that_was_asleep_before_the_server_started_can_be_woken():
    model, scheduled, sleeping = engines()
    scheduled.away = ModelUnavailable("it does not answer")
    await sleeping.wake(WakeTerms())
    assert model.orders == ["wake 1"]


async def test_a_model_without_an_engine_cannot_sleep():
    sleeping = SleepingModels([ScheduledModel(ScriptedModel(yes(1), name="hosted"))])
    assert not sleeping.states()[0].can_sleep
    with pytest.raises(CannotSleep, match="No judge has an engine"):
        await sleeping.sleep(SleepTerms())
    with pytest.raises(CannotSleep, match="'hosted'"):
        await sleeping.wake(WakeTerms(model="hosted"))
    with pytest.raises(CannotSleep, match="No judge uses a model 'other'"):
        await sleeping.sleep(SleepTerms(model="other"))


async def test_of_several_engines_one_can_be_named():
    models = [SleepyModel(yes(1), name=name) for name in ("small", "large")]
    sleeping = SleepingModels([ScheduledModel(model) for model in models])
    states = await sleeping.sleep(SleepTerms(model="large"))
    assert [(state.model, state.asleep) for state in states] == [("small", False), ("large", True)]


async def test_other_processes_stop_their_calls_before_the_engine_sleeps():
    told = []
    model = SleepyModel(yes(1))

    async def tell(order):
        assert model.orders == ([] if order.paused else ["sleep 1", "wake 1"])
        told.append(order)

    sleeping = SleepingModels([ScheduledModel(model)], tell)
    await sleeping.sleep(SleepTerms(waiting="refuse"))
    await sleeping.wake(WakeTerms())
    assert [order.paused for order in told] == [True, False]
    other = ScheduledModel(ScriptedModel(yes(1)))
    following = SleepingModels([other])
    await following.follow(told[0])
    with pytest.raises(JudgeAsleep):
        await other.complete(QUESTION)
    await following.follow(told[1])
    assert await other.complete(QUESTION)


async def test_a_process_that_does_not_stop_its_calls_keeps_the_engine_awake():
    model = SleepyModel(yes(1))

    async def tell(order):
        if order.paused:
            raise DeadlineExceeded("one call is under way")

    sleeping = SleepingModels([ScheduledModel(model)], tell)
    with pytest.raises(DeadlineExceeded):
        await sleeping.sleep(SleepTerms())
    assert not sleeping.states()[0].asleep
