import asyncio
import time

import pytest

from judge_server.core.errors import Draining, Overloaded
from judge_server.scoring.admission import Admission


def test_a_full_house_says_when_to_come_back():
    admission = Admission(2)
    with admission.enter(), admission.enter():
        with pytest.raises(Overloaded) as refused:
            admission.require_room()
        assert refused.value.status == 429
        assert refused.value.retry_after_seconds == 1.0
    admission.require_room()


def test_what_was_let_in_is_never_thrown_out():
    admission = Admission(2)
    with admission.enter(1_000):
        assert admission.under_way == 1_000
    assert admission.under_way == 0


def test_a_submission_that_fails_makes_room_too():
    admission = Admission(1)
    with pytest.raises(ValueError, match="no"), admission.enter():
        raise ValueError("no")
    admission.require_room()


async def test_the_time_to_come_back_follows_the_pace():
    admission = Admission(1_000)
    for _ in range(20):
        with admission.enter():
            await asyncio.sleep(0.005)
    pace = 20 / 0.1
    assert admission.retry_after_seconds() == pytest.approx(100 / pace, rel=0.5)


async def test_the_time_to_come_back_is_bounded():
    quick, slow = Admission(1), Admission(10**9)
    for admission in (quick, slow):
        with admission.enter(100):
            pass
        await asyncio.sleep(0.01)
    assert quick.retry_after_seconds() == 0.5
    assert slow.retry_after_seconds() == 60.0


def test_a_pace_of_long_ago_is_forgotten():
    admission = Admission(8_192)
    admission._finished.extend([time.monotonic() - 3_600, time.monotonic() - 3_500])
    assert admission.retry_after_seconds() == 1.0


async def test_a_house_that_closes_lets_nobody_in():
    admission = Admission(10)
    assert await admission.drain(0.01) == 0
    with pytest.raises(Draining) as refused:
        admission.require_room()
    assert refused.value.status == 503
    assert refused.value.retry_after_seconds == 5.0


async def test_draining_waits_for_what_is_under_way_and_no_longer():
    admission = Admission(10)

    async def work(seconds: float) -> None:
        with admission.enter():
            await asyncio.sleep(seconds)

    tasks = [asyncio.create_task(work(0.02)), asyncio.create_task(work(60))]
    await asyncio.sleep(0)
    assert await admission.drain(0.05) == 1
    tasks[1].cancel()
    assert await admission.drain(1) == 0
    await asyncio.wait(tasks)
