"""Latencies of one caller beside another one in an event loop whose time is computed.

The modest caller sends one request after the other: twelve short steps with short waits for something outside in
between. What the other one does is drawn: how many tasks it has, how long their steps take, and how long they wait.
"""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field

import pytest

from judge_server.scheduling import processor_share
from judge_server.scheduling.processor_share import ProcessorShares, TimeShare, current_share
from tests.scheduling.virtual_loop import VirtualLoop

_STEP_SECONDS = 0.00017
_WAITS_SECONDS = (0.0, 0.0003, 0.0, 0.0006, 0.0, 0.0, 0.0007, 0.0, 0.0003, 0.0, 0.0, 0.0)
_IN_THREADS, _LOCKS = (3, 8), 4  # of the steps, those followed by work of a thread, which takes the lock so often
_BEFORE_SECONDS, _MEASURED_SECONDS = 0.5, 8.0


@dataclass(frozen=True)
class Other:
    """``tasks`` that work for ``step_seconds``, again and again, and wait for ``wait_seconds`` in between."""

    tasks: int
    step_seconds: float
    wait_seconds: float = 0.0
    background: bool = False


@dataclass(frozen=True)
class Flood:
    """So many connections, on each of which one request as the modest caller's follows the other."""

    connections: int


@dataclass
class Seen:
    """``seconds`` of the modest caller's requests; the ``share`` of the time that the other one's steps took."""

    seconds: list[float] = field(default_factory=list)
    share: float = 0.0

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(0.99 * len(self.seconds))]


class _Run:
    def __init__(self, loop: VirtualLoop, pause_seconds: float) -> None:
        self._loop = loop
        self._pause_seconds = pause_seconds
        self._chance = random.Random(1)
        self._worked = 0.0

    async def seen(self, *others: Other | Flood) -> Seen:
        async with ProcessorShares().sharing():
            tasks = [
                asyncio.create_task(work) for number, other in enumerate(others) for work in self._all(other, number)
            ]
            await asyncio.sleep(_BEFORE_SECONDS)
            self._worked, begun, found = 0.0, self._loop.time(), Seen()
            while self._loop.time() < begun + _MEASURED_SECONDS:
                started = self._loop.time()
                await asyncio.create_task(self._request())
                found.seconds.append(self._loop.time() - started)
                await self._loop.happens_in(self._pause_seconds)
            found.share = self._worked / (self._loop.time() - begun)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks or [asyncio.create_task(asyncio.sleep(0))])
        return found

    async def _request(self, caller: str = "modest") -> None:
        current_share.set(TimeShare(caller))
        await asyncio.sleep(0)
        for place, wait in enumerate(_WAITS_SECONDS):
            self._loop.work(self._about(_STEP_SECONDS))
            await (self._loop.in_thread(_LOCKS) if place in _IN_THREADS else self._outside(wait))

    def _all(self, other: Other | Flood, number: int) -> list[Coroutine[None, None, None]]:
        if isinstance(other, Flood):
            return [self._flood() for _ in range(other.connections)]
        return [self._other(other, f"other {number}") for _ in range(other.tasks)]

    async def _flood(self) -> None:
        while True:
            await asyncio.create_task(self._request("flood"))

    async def _other(self, other: Other, name: str) -> None:
        current_share.set(TimeShare(name, background=other.background))
        await asyncio.sleep(0)
        while True:
            seconds = self._about(other.step_seconds)
            self._worked += seconds
            self._loop.work(seconds)
            await self._outside(other.wait_seconds)

    async def _outside(self, seconds: float) -> None:
        await (self._loop.happens_in(self._about(seconds)) if seconds else asyncio.sleep(0))

    def _about(self, seconds: float) -> float:
        return seconds * self._chance.uniform(0.5, 1.5)


@pytest.fixture
def virtual(monkeypatch) -> Iterator[VirtualLoop]:
    loop = VirtualLoop()
    monkeypatch.setattr(processor_share, "perf_counter", loop.time)
    monkeypatch.setattr(processor_share, "thread_time", loop.time)
    yield loop
    loop.close()


def _drawn(seed: int) -> Other:
    chance = random.Random(seed)
    step = 0.00005 * 10 ** chance.uniform(0.0, 1.0)
    return Other(chance.choice((1, 2, 8, 50)), step, chance.choice((0.0, 0.0003, 0.004)), background=seed % 4 == 0)


@pytest.mark.parametrize("pause_seconds", [0.0001, 0.002, 0.01])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_another_caller_does_in_short_steps_p99_stays_within_twice_its_quiet_value(
    virtual, pause_seconds, seed
):
    run = _Run(virtual, pause_seconds)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(_drawn(seed)))
    assert beside.p99 <= 2 * quiet.p99, _drawn(seed)


@pytest.mark.parametrize("pause_seconds", [0.0001, 0.002])
def test_who_often_wakes_the_loop_and_uses_little_does_not_hold_up_who_uses_more(virtual, pause_seconds):
    """Two thousand chunks of one byte a second: each step of the one who used more once waited for 5 ms."""
    run = _Run(virtual, pause_seconds)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(Other(8, 0.0001, 0.004)))
    assert beside.p99 <= 2 * quiet.p99
    assert len(beside.seconds) >= 0.7 * len(quiet.seconds)


@pytest.mark.parametrize("connections", [8, 64])
def test_requests_without_a_pause_on_many_connections_do_not_keep_threads_from_the_interpreters_lock(
    virtual, connections
):
    """Once all of them ran while a lookup or a commit waited for the lock, which made it wait longer: 1.45 times."""
    run = _Run(virtual, 0.002)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(Flood(connections)))
    assert beside.p99 <= 1.35 * quiet.p99


def test_who_uses_more_than_a_third_caller_does_not_queue_behind_one_with_many_steps(virtual):
    """Many event streams, whose connections belong to their address until a key has come: once everyone who used more
    than the address stood in one queue, with the pauses of all, and p99 was 4.7 times its quiet value."""
    run = _Run(virtual, 0.002)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(Other(16, 0.0003, 0.02), Other(1, 0.00005, 0.003)))
    assert beside.p99 <= 2 * quiet.p99


@pytest.mark.parametrize("step_seconds", [0.0002, 0.001, 0.005])
def test_who_is_ahead_keeps_a_share_of_the_time(virtual, step_seconds):
    beside = virtual.run_until_complete(_Run(virtual, 0.0001).seen(Other(20, step_seconds)))
    assert beside.share >= 0.2


@pytest.mark.parametrize("step_seconds", [0.001, 0.005])
def test_long_steps_of_who_is_ahead_come_one_at_a_time_and_not_after_each_short_wait(virtual, step_seconds):
    run = _Run(virtual, 0.002)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(Other(20, step_seconds)))
    assert beside.p99 <= 2 * quiet.p99 + 3 * step_seconds


def test_work_in_the_background_goes_on_while_callers_are_active_and_takes_little_of_their_time(virtual):
    run = _Run(virtual, 0.002)
    quiet = virtual.run_until_complete(run.seen())
    beside = virtual.run_until_complete(run.seen(Other(32, 0.0002, background=True)))
    assert beside.p99 <= 1.5 * quiet.p99
    assert 0.01 <= beside.share <= 0.2
