"""Waits for the database that are given up count by how long they lasted."""

import asyncio

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
