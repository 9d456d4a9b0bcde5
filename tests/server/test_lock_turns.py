"""Threads keep the interpreter's lock for longer while one caller has much under way, and nobody else any."""

import asyncio
import sys

import pytest

from judge_server.server.lock_turns import LONG_SECONDS, SHORT_SECONDS, adjust_turns, fitting_seconds
from tests.yardstick import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("under_way", "contended", "seconds"),
    [(0, False, SHORT_SECONDS), (1, False, SHORT_SECONDS), (64, False, LONG_SECONDS), (64, True, SHORT_SECONDS)],
)
def test_turns_are_long_only_for_one_busy_caller(under_way, contended, seconds):
    assert fitting_seconds(under_way, contended=contended) == seconds


async def test_turns_follow_the_load():
    before = sys.getswitchinterval()
    load = {"under_way": 64, "contended": False}
    adjusting = asyncio.create_task(adjust_turns(lambda: load["under_way"], lambda: load["contended"]))

    async def until(seconds):
        for _ in range(int(PATIENCE_SECONDS / 0.01)):
            if sys.getswitchinterval() == pytest.approx(seconds):
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"a turn takes {sys.getswitchinterval()} s, not {seconds}")

    try:
        await until(LONG_SECONDS)
        load["contended"] = True
        await until(SHORT_SECONDS)
        load.update(contended=False)
        await until(LONG_SECONDS)
        load.update(under_way=1)
        await until(SHORT_SECONDS)
    finally:
        adjusting.cancel()
        sys.setswitchinterval(before)
