"""Tasks of several callers in one event loop."""

import asyncio
import random
import time
from contextlib import suppress

import pytest

from judge_server.scheduling.processor_share import ProcessorShares, TimeShare, current_share
from tests.yardstick import PATIENCE_SECONDS


async def _work(share: TimeShare | None, steps: int, done: list[str], busy_seconds: float = 0.0005) -> None:
    current_share.set(share)
    await asyncio.sleep(0)
    for _ in range(steps):
        end = time.thread_time() + busy_seconds
        while time.thread_time() < end:
            pass
        await asyncio.sleep(0)
    done.append(share.caller if share else "server")


async def test_a_modest_caller_is_done_long_before_those_who_take_much():
    done: list[str] = []
    async with ProcessorShares().sharing(), asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(_work(TimeShare("hostile"), 40, done))
        await asyncio.sleep(0.2)
        group.create_task(_work(TimeShare("modest"), 20, done))
    assert done.index("modest") < 10


async def test_steps_of_others_do_not_come_between_those_of_a_modest_caller():
    between = 0

    async def greedy() -> None:
        nonlocal between
        current_share.set(TimeShare("greedy", background=True))
        while True:
            await asyncio.sleep(0)
            between += 1

    async def modest() -> tuple[int, float]:
        current_share.set(TimeShare("modest"))
        for _ in range(5):
            await asyncio.sleep(0.005)  # until it counts as active
        before, begun = between, time.perf_counter()
        for _ in range(200):
            await asyncio.sleep(0)
        return between - before, time.perf_counter() - begun

    async with ProcessorShares().sharing():
        tasks = [asyncio.create_task(greedy()) for _ in range(20)]
        await asyncio.sleep(0.05)
        came, seconds = await asyncio.create_task(modest())
        for task in tasks:
            task.cancel()
    assert came <= 5 + seconds / 0.0005  # after a pause for each; without regard 200


async def test_work_in_the_background_waits_for_callers_and_then_goes_on():
    done: list[str] = []
    async with ProcessorShares().sharing(), asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(_work(TimeShare("one", background=True), 40, done))
        await asyncio.sleep(0.02)
        group.create_task(_work(TimeShare("one"), 20, done))
    assert len(done) == 21


async def test_a_caller_who_comes_back_has_no_more_credit_than_a_moment():
    """Steps of a millisecond by the test's own clock: the modest one is always active, the other after a silence."""
    shares, modest, returned = ProcessorShares(), TimeShare("modest"), TimeShare("returned")
    now = time.perf_counter()
    for _ in range(200):
        shares.count(modest, now, now + 0.001)
        now += 0.002
    free = 0
    while shares.turn(returned) is None and free < 100:
        shares.count(returned, now, now + 0.001)
        now += 0.001
        free += 1
    assert free <= 30  # its credit, what it may be ahead, and steps until the next review; without a bound 100


async def test_a_caller_alone_waits_for_nothing():
    shares = ProcessorShares()
    done: list[str] = []
    async with shares.sharing():
        await asyncio.create_task(_work(TimeShare("one"), 100, done))
    assert shares.turns == 0


async def test_results_errors_and_cancellation_pass_through():
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("as it should")

    async def held() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "cancelled"
        return "not cancelled"

    async with ProcessorShares().sharing():
        with pytest.raises(ValueError, match="as it should"):
            await asyncio.create_task(fails())
        task = asyncio.create_task(held())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == "cancelled"
        never = asyncio.create_task(held())
        never.cancel()  # before its first step
        with pytest.raises(asyncio.CancelledError):
            await never


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_left_waiting_however_tasks_wait_and_are_cancelled(seed):
    chance = random.Random(seed)
    lock, room, queue = asyncio.Lock(), asyncio.Semaphore(3), asyncio.Queue[int](2)
    ended = 0

    async def one(number: int) -> None:
        nonlocal ended
        current_share.set(TimeShare(f"caller {number % 4}", background=number % 7 == 0))
        for _ in range(20):
            end = time.thread_time() + chance.random() * 0.001
            while time.thread_time() < end:
                pass
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.random() * 0.02):
                    async with room:
                        await asyncio.sleep(chance.random() * 0.002)
                    async with lock:
                        await asyncio.sleep(0)
                    await (queue.put(1) if chance.random() < 0.5 else queue.get())
            await asyncio.to_thread(time.sleep, 0)
        ended += 1

    async with ProcessorShares().sharing():
        tasks = [asyncio.create_task(one(number)) for number in range(40)]
        await asyncio.sleep(0.2)
        for task in tasks[::5]:
            task.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*tasks, return_exceptions=True)
    assert ended >= 32


async def test_steps_that_hold_the_loop_are_counted():
    shares = ProcessorShares()
    done: list[str] = []
    async with shares.sharing():
        await asyncio.create_task(_work(TimeShare("one"), 2, done, busy_seconds=0.06))
    assert shares.long_steps == 2
    assert shares.longest_step >= 0.06
