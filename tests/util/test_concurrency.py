"""Work that is done again and again goes on, whatever it raises."""

import asyncio
import logging
from functools import partial

from judge_server.core.errors import StoreUnavailable
from judge_server.util.concurrency import in_steps, run_periodically
from tests.yardstick import PATIENCE_SECONDS


async def test_work_that_raises_is_done_again_after_the_pause(caplog):
    faults = [StoreUnavailable("away"), ValueError("odd"), None]
    done = asyncio.Event()

    async def work():
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        done.set()

    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(
            run_periodically("the post", work, partial(asyncio.sleep, 0.001), transient=StoreUnavailable)
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await done.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [record.message for record in caplog.records] == [
        "the post: away; trying again later",
        "the post failed and will be tried again",
    ]


async def test_thousands_of_results_leave_others_their_turns_of_the_event_loop():
    turns = 0

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    assert await in_steps(str, range(1_000), most=100) == [str(number) for number in range(1_000)]
    counting.cancel()
    assert turns >= 9
