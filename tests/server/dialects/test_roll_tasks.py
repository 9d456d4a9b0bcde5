"""Submitted tasks: bounded, remembered for a while, ended with the server."""

import asyncio

import pytest

from judge_server.core.errors import JudgeServerError, NotFound, Overloaded
from judge_server.server.dialects.rewarding import Reward
from judge_server.server.dialects.roll_tasks import Tasks, outcome


async def reward(value=1.0, fault=None):
    if fault:
        raise fault
    return Reward(value)


async def settled(task):
    await asyncio.wait([task.working])
    return outcome(task)


async def test_a_task_is_under_way_and_then_has_its_reward():
    tasks = Tasks(4)
    task = tasks.find(tasks.start(reward()))
    assert outcome(task) is None
    assert await settled(task) == Reward(1.0)
    assert task.ended >= task.started


async def test_what_a_task_fails_of_is_its_outcome():
    tasks = Tasks(4)
    fault = NotFound("gone")
    assert await settled(tasks.find(tasks.start(reward(fault=fault)))) is fault
    unforeseen = await settled(tasks.find(tasks.start(reward(fault=ValueError("x")))))
    assert isinstance(unforeseen, JudgeServerError)


async def test_more_unfinished_tasks_than_the_limit_are_refused():
    tasks = Tasks(1)
    tasks.start(asyncio.sleep(60))
    with pytest.raises(Overloaded):
        tasks.start(reward())
    await tasks.close()


async def test_closing_ends_what_is_unfinished():
    tasks = Tasks(2)
    task = tasks.find(tasks.start(asyncio.sleep(60)))
    await tasks.close()
    assert isinstance(outcome(task), JudgeServerError)
    tasks.find(tasks.start(reward()))
    await asyncio.sleep(0)


async def test_an_unknown_name_is_not_found():
    with pytest.raises(NotFound, match="No task"):
        Tasks(1).find("rwd_x")
