import asyncio

import pytest

from judge_server.models.protocol import Priority
from judge_server.scheduling.single_flight import SingleFlight


class Work:
    """Something slow that is started, ends, and may be cancelled."""

    def __init__(self, seconds: float = 0.02, fault: Exception | None = None) -> None:
        self.seconds, self.fault = seconds, fault
        self.started = self.cancelled = 0

    async def __call__(self) -> int:
        self.started += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fault:
            raise self.fault
        return self.started


async def join(flights, key, work) -> tuple[int, bool]:
    """The result, and whether this caller is charged for it."""
    share = flights.join(key, work, Priority.BATCH)
    try:
        await asyncio.wait([share.call.task])
    finally:
        flights.leave(share)
    return share.call.task.result(), share.take_cost()


async def waiting(flights, work, callers: int, key: str = "k") -> list[asyncio.Task]:
    tasks = [asyncio.create_task(join(flights, key, work)) for _ in range(callers)]
    await asyncio.sleep(0.005)
    return tasks


async def test_the_same_work_is_done_once_and_paid_for_once():
    flights, work = SingleFlight(), Work()
    results = await asyncio.gather(*await waiting(flights, work, 5))
    assert work.started == 1
    assert [result for result, _ in results] == [1] * 5
    assert sum(pays for _, pays in results) == 1
    assert len(flights) == 0


async def test_the_one_that_began_it_pays_also_if_another_asks_first():
    """Its key is the one that a budget charges. It may wait for other calls after this one is done."""
    flights, work = SingleFlight(), Work()
    first = flights.join("k", work, Priority.BATCH)
    assert (await join(flights, "k", work)) == (1, False)
    flights.leave(first)
    assert (first.take_cost(), first.take_cost()) == (True, False)


async def test_work_goes_on_when_the_caller_that_began_it_is_cancelled():
    flights, work = SingleFlight(), Work()
    first, second = await waiting(flights, work, 2)
    first.cancel()
    assert await second == (1, True)
    assert work.cancelled == 0


async def test_work_is_cancelled_with_its_last_caller():
    flights, work = SingleFlight(), Work(60)
    callers = await waiting(flights, work, 3)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    await asyncio.sleep(0)
    assert work.cancelled == 1
    assert len(flights) == 0


async def test_a_caller_after_the_last_one_left_begins_anew():
    flights, work = SingleFlight(), Work()
    (caller,) = await waiting(flights, work, 1)
    caller.cancel()
    await asyncio.wait([caller])
    assert await join(flights, "k", work) == (2, True)


async def test_every_caller_gets_the_error():
    flights, work = SingleFlight(), Work(fault=ValueError("no"))
    for caller in await waiting(flights, work, 3):
        with pytest.raises(ValueError, match="no"):
            await caller
    assert len(flights) == 0


async def test_an_error_that_nobody_waits_for_is_silent(recwarn, caplog):
    class Stubborn(Work):
        async def __call__(self) -> int:
            try:
                return await super().__call__()
            except asyncio.CancelledError:
                raise ValueError("late") from None

    flights = SingleFlight()
    (caller,) = await waiting(flights, Stubborn(60), 1)
    caller.cancel()
    await asyncio.wait([caller])
    await asyncio.sleep(0.01)
    assert not caplog.records
    assert not recwarn


async def test_different_keys_are_different_work():
    flights, work = SingleFlight(), Work()
    await asyncio.gather(join(flights, "a", work), join(flights, "b", work))
    assert work.started == 2
