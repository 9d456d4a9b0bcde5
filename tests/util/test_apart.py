"""Long work in a process of its own."""

import asyncio
import copy
import json
import math
import os
import threading
import time

import pytest

from judge_server.core.errors import BadSubmission
from judge_server.scoring.batch import parse_submission
from judge_server.util import apart as module
from judge_server.util.apart import FairThreads, NotDone, Turns, apart
from tests.yardstick import PATIENCE_SECONDS


async def test_the_result_is_computed_in_another_process():
    assert await apart("one", os.getpid) != os.getpid()
    assert await apart("one", math.factorial, 10) == math.factorial(10)


async def test_the_other_process_gives_way_to_this_one():
    assert os.getpriority(os.PRIO_PROCESS, await apart("one", os.getpid)) > os.getpriority(os.PRIO_PROCESS, 0)


async def test_values_of_every_kind_and_size_come_back_as_they_went():
    value = {"marks": ["\u05b0\u0591" * 100_000, "a" * 100_000], "bytes": b"\0" * 100_000, "numbers": [*range(50_000)]}
    assert await apart("one", copy.deepcopy, value) == value


def test_long_texts_are_written_and_read_one_by_one_so_that_others_run_in_between(monkeypatch):
    value = ["\u05b0" * 100_000 for _ in range(10)]
    pauses: list[float] = []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    written = module._written(value)
    assert len(pauses) >= 10
    pauses.clear()
    assert module._read(written) == value
    assert len(pauses) >= 10


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


def test_keys_take_turns():
    turns: Turns[str] = Turns()
    for item in ("a1", "a2", "b1", "a3", "c1"):
        turns.push(item[0], item)
    assert [turns.pop() for _ in range(5)] == ["a1", "b1", "c1", "a2", "a3"]
    assert not turns


def test_callers_take_turns_in_threads():
    """One thread, which is busy until everything waits: then each caller is served once before anyone again."""
    whose, done, ready = iter(["busy", *["greedy"] * 5, "modest", "other"]), [], threading.Event()
    threads = FairThreads(1, "turns", lambda: next(whose))
    first = threads.submit(ready.wait, PATIENCE_SECONDS)
    waiting = [threads.submit(done.append, f"greedy {number}") for number in range(5)]
    waiting += [threads.submit(done.append, name) for name in ("modest", "other")]
    ready.set()
    for future in (first, *waiting):
        future.result(PATIENCE_SECONDS)
    threads.shutdown()
    assert done[:3] == ["greedy 0", "modest", "other"]
    assert done[3:] == [f"greedy {number}" for number in range(1, 5)]


def test_one_caller_leaves_a_thread_to_others():
    """Two threads, one for each at most: the greedy one's second piece of work waits for its first, not the modest."""
    whose, done, ready = iter(["greedy", "greedy", "modest"]), [], threading.Event()
    threads = FairThreads(2, "each", lambda: next(whose), most_each=1)
    greedy = [threads.submit(ready.wait, PATIENCE_SECONDS), threads.submit(done.append, "greedy")]
    threads.submit(done.append, "modest").result(PATIENCE_SECONDS)
    assert done == ["modest"]
    ready.set()
    for future in greedy:
        future.result(PATIENCE_SECONDS)
    threads.shutdown()
    assert done == ["modest", "greedy"]


def test_a_fault_in_a_thread_is_raised_and_cancelled_work_is_not_done():
    threads, done, ready = FairThreads(1, "faults", lambda: "one"), [], threading.Event()
    threads.submit(ready.wait, PATIENCE_SECONDS)
    fault, cancelled, after = threads.submit(int, "x"), threads.submit(done.append, 1), threads.submit(done.append, 2)
    assert cancelled.cancel()
    ready.set()
    with pytest.raises(ValueError, match="invalid literal"):
        fault.result(PATIENCE_SECONDS)
    after.result(PATIENCE_SECONDS)
    threads.shutdown()
    assert done == [2]
