"""Waits for the database that are given up count by how long they lasted."""

import asyncio
import time

import pytest

from judge_server.store import database
from judge_server.store.database import Traffic


class Deaf:
    def waited(self, work, seconds, error):
        """Nobody listens."""


@pytest.fixture
def traffic():
    made = Traffic()
    made.observer = Deaf()
    return made


async def given_up(traffic, seconds, work="commit"):
    async def wait():
        with traffic.waiting(work):
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await wait()


async def test_commits_that_are_given_up_one_after_the_other_add_up(traffic):
    await given_up(traffic, database._LONG_WAIT_SECONDS + 0.05)
    first = traffic.too_slow_seconds
    await given_up(traffic, database._LONG_WAIT_SECONDS + 0.05)
    assert traffic.too_slow_seconds >= first + database._LONG_WAIT_SECONDS


async def test_one_commit_in_time_ends_it(traffic):
    await given_up(traffic, database._LONG_WAIT_SECONDS + 0.05)
    assert traffic.too_slow_seconds > 0
    with traffic.waiting("commit"):
        pass
    assert traffic.too_slow_seconds == 0


async def test_a_caller_who_hangs_up_at_once_and_a_slow_read_do_not_count(traffic):
    await given_up(traffic, 0.05)
    await given_up(traffic, database._LONG_WAIT_SECONDS + 0.05, work="read")
    assert traffic.too_slow_seconds == 0


async def test_who_can_wait_goes_on_once_nobody_has_used_the_database_for_a_moment(traffic, monkeypatch):
    monkeypatch.setattr(database, "_MOST_PAUSE_SECONDS", 60.0)
    released = asyncio.Event()

    async def commit():
        with traffic.waiting("commit"):
            await released.wait()

    committing = asyncio.create_task(commit())
    pausing = asyncio.create_task(traffic.pause())
    await asyncio.sleep(10 * database._PAUSE_SECONDS)
    assert not pausing.done(), "somebody waits for the database"
    released.set()
    await asyncio.gather(committing, pausing)
    assert time.monotonic() - traffic._used_at >= database._PAUSE_SECONDS


async def test_who_can_wait_does_not_wait_for_ever(traffic):
    with traffic.waiting("commit"):
        await traffic.pause()
