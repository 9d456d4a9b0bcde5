"""Work that is done again and again goes on, whatever it raises."""

import asyncio
import logging
from functools import partial

from judge_server.core.errors import StoreUnavailable
from judge_server.core.recurring import again_and_again


async def test_work_that_raises_is_done_again_after_the_pause(caplog):
    faults = [StoreUnavailable("away"), ValueError("odd"), None]
    done = asyncio.Event()

    async def work():
        fault = faults.pop(0) if faults else None
        if fault is not None:
            raise fault
        done.set()

    with caplog.at_level(logging.WARNING):
        task = asyncio.create_task(again_and_again("the post", work, partial(asyncio.sleep, 0.001)))
        async with asyncio.timeout(5):
            await done.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [record.message for record in caplog.records] == [
        "the store does not answer for the post: away",
        "the post failed and will be tried again",
    ]
