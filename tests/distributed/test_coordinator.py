"""What replicas share: limits count once for all, a claim ends with its replica, and a new coordinator learns anew."""

import asyncio

import pytest

from judge_server.distributed.coordinator import Coordinator


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def coordinator(clock):
    return Coordinator(silent_seconds=10, clock=clock)


async def test_a_key_has_its_rate_once_over_all_replicas(coordinator, clock):
    waits = [await coordinator.take("a", 2.0, 3) for _ in range(4)]
    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] == pytest.approx(0.5)
    clock.now += 0.5
    assert await coordinator.take("a", 2.0, 3) == 0.0
    assert await coordinator.take("b", 2.0, 3) == 0.0


async def test_submissions_under_way_add_up_and_end_with_a_replica_that_is_silent(coordinator, clock):
    assert await coordinator.hold("one", "a", 3, 5) is None
    assert await coordinator.hold("two", "a", 3, 5) == 3
    assert await coordinator.hold("two", "a", 2, 5) is None
    await coordinator.hold("one", "a", -1, 5)
    assert await coordinator.hold("two", "a", 1, 5) is None
    clock.now += 9
    await coordinator.beat("two", {"a": 3}, None)
    assert await coordinator.hold("two", "a", 1, 5) == 5
    clock.now += 2
    assert await coordinator.hold("two", "a", 1, 5) is None


async def test_a_new_coordinator_learns_from_beats_what_is_under_way(coordinator):
    await coordinator.beat("one", {"a": 4}, b"metrics of one")
    assert await coordinator.hold("two", "a", 2, 5) == 4
    assert await coordinator.expositions("two") == [b"metrics of one"]
    assert await coordinator.expositions("one") == []
    await coordinator.leave("one")
    assert await coordinator.hold("two", "a", 2, 5) is None
    assert await coordinator.living() == ["two"]


async def test_a_question_is_claimed_once_and_who_waits_gets_its_reading(coordinator, clock):
    assert await coordinator.claim("one", ["k", "l"]) == []
    assert await coordinator.claim("one", ["k"]) == []
    assert await coordinator.claim("two", ["k", "m"]) == ["k"]
    waiting = asyncio.create_task(coordinator.readings(["k"], 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await coordinator.release("one", ["k"], {"k": {"value": 0.7}})
    assert await waiting == {"k": {"value": 0.7}}
    assert await coordinator.readings(["k"], 60) == {"k": {"value": 0.7}}  # asked for after the release
    clock.now += 61
    assert await coordinator.readings(["k"], 60) == {}
    assert await coordinator.claim("two", ["k"]) == []


async def test_claims_of_a_dead_replica_are_free_and_nobody_waits_for_them(coordinator, clock):
    await coordinator.claim("one", ["k"])
    waiting = asyncio.create_task(coordinator.readings(["k"], None))
    await asyncio.sleep(0)
    clock.now += 11
    assert await coordinator.claim("two", ["k"]) == []
    assert await waiting == {}
    assert await coordinator.readings(["k"], 0.01) == {}
