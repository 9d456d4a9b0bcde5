"""Long work in a process of its own."""

import asyncio
import copy
import json
import math
import os
import time

import pytest

from judge_server.core.errors import BadSubmission
from judge_server.scoring.batch import parse_submission
from judge_server.util import apart as module
from judge_server.util import starvation
from judge_server.util.apart import NotDone, apart
from judge_server.util.low_priority import Politeness


async def test_the_result_is_computed_in_another_process():
    assert await apart("one", os.getpid) != os.getpid()
    assert await apart("one", math.factorial, 10) == math.factorial(10)


has_idle = pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="this system has no such policy")


@pytest.fixture
def helper():
    one = module._Helper()
    yield one
    one.close()


@has_idle
def test_the_other_process_runs_while_a_processor_is_idle(helper, monkeypatch):
    monkeypatch.setattr(starvation, "_LEAST_SHARE", 0.0)  # however busy this machine is
    assert helper.run(os.sched_getscheduler, (0,)) == os.SCHED_IDLE


@has_idle
def test_it_waits_for_an_idle_processor_only_while_other_callers_are_active(helper, monkeypatch):
    monkeypatch.setattr(starvation, "_LEAST_SHARE", 0.0)  # however busy this machine is
    low = os.getpriority(os.PRIO_PROCESS, 0) + 10
    for active in (False, True, False):
        helper.others_are_active = lambda: active  # noqa: B023 - asked in this pass
        assert (helper.run(os.sched_getscheduler, (0,)) == os.SCHED_IDLE) == active
    assert helper.run(_priority, ()) == low


@has_idle
def test_a_text_whose_process_starves_is_done_in_one_of_low_priority_for_a_while(helper, monkeypatch):
    """Work that needs no processor for half a second is taken for work that gets none."""
    with monkeypatch.context() as patch:
        patch.setattr(starvation, "_WINDOW_SECONDS", 0.5)
        assert helper.run(_sleep_if_idle, ()) == Politeness.LOW
    assert helper.run(_priority, ()) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    helper._busy_until = 0.0
    monkeypatch.setattr(starvation, "_LEAST_SHARE", 0.0)
    assert helper.run(os.sched_getscheduler, (0,)) == os.SCHED_IDLE


def test_where_nobody_sees_that_it_starves_the_process_has_a_low_priority(monkeypatch):
    monkeypatch.setattr(module, "processor_seconds", lambda _: None)
    blind = module._Helper()
    assert blind.run(_priority, ()) == os.getpriority(os.PRIO_PROCESS, 0) + 10
    blind.close()


async def test_values_of_every_kind_and_size_come_back_as_they_went():
    value = {"marks": ["\u05b0\u0591" * 100_000, "a" * 100_000], "bytes": b"\0" * 100_000, "numbers": [*range(50_000)]}
    assert await apart("one", copy.deepcopy, value) == value


async def test_errors_are_raised_with_their_texts():
    with pytest.raises(json.JSONDecodeError, match="Expecting value"):
        await apart("one", json.loads, "[")
    with pytest.raises(BadSubmission, match="prompt") as raised:
        await apart("one", parse_submission, {"response": "r"})
    assert raised.value.remedy == "Correct these fields."


async def test_what_cannot_be_sent_is_done_here():
    assert await apart("one", lambda number: (number, os.getpid()), 1) == (1, os.getpid())


async def test_a_process_that_ended_is_replaced_and_the_work_done():
    first = await apart("one", os.getpid)
    os.kill(first, 9)
    assert await apart("one", math.factorial, 5) == 120
    assert await apart("one", os.getpid) not in (first, os.getpid())


async def test_work_that_ends_the_process_is_not_tried_in_the_server():
    with pytest.raises(NotDone):
        await apart("one", os._exit, 1)
    assert await apart("one", math.factorial, 5) == 120


async def test_a_caller_with_one_text_does_not_wait_for_all_of_another():
    ended: list[str] = []

    async def one(whose: str) -> None:
        await apart(whose, time.sleep, 0.05)
        ended.append(whose)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(one("many"))
        await asyncio.sleep(0)
        group.create_task(one("few"))
    assert ended.index("few") <= 2


async def test_cancelled_work_that_has_not_begun_is_not_done(tmp_path):
    slow = asyncio.create_task(apart("one", time.sleep, 0.2))
    await asyncio.sleep(0.05)
    cancelled = asyncio.create_task(apart("one", os.mkdir, str(tmp_path / "made")))
    await asyncio.sleep(0)
    cancelled.cancel()
    await slow
    await apart("one", os.getpid)
    assert not (tmp_path / "made").exists()


def _sleep_if_idle() -> Politeness:
    """How it runs."""
    if os.sched_getscheduler(0) == os.SCHED_IDLE:
        time.sleep(60)
        return Politeness.IDLE
    return Politeness.LOW


def _priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)
