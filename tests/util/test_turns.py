"""Queues in which keys take turns, and threads in which callers do."""

import threading

import pytest

from judge_server.util.turns import FairThreads, Turns
from tests.yardstick import PATIENCE_SECONDS


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
