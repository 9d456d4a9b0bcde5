import asyncio
import random
import time
from contextlib import suppress

import pytest

from judge_server.core.errors import DeadlineExceeded
from judge_server.models.protocol import Completion, Labels, Priority, Prompt, Request
from judge_server.scheduling.scheduler import ScheduledModel, Scheduler
from tests.scripted_model import ScriptedModel, yes
from tests.yardstick import PATIENCE_SECONDS


def request(*prefix: str, priority: Priority = Priority.INTERACTIVE, deadline: float | None = None) -> Request:
    return Request(Prompt((), prefix), Labels(("Yes", "No")), priority=priority, deadline=deadline)


def traces(schedule: Scheduler) -> int:
    """What the schedule remembers of those who wait or are in flight: their prefixes and places."""
    lines = [line for one in schedule.queue._classes for line in one.queues.values()]
    assert all(line in lines for one in schedule.queue._classes for line in one.ring)
    return sum(len(line._ranks) + len(line._heap) for line in lines) + len(lines)


class Line:
    """Requests that wait behind one that holds the only place; ``order`` is how they were let in."""

    def __init__(self, capacity: int = 1) -> None:
        self.scheduler = Scheduler(capacity)
        self.order: list = []
        self.tasks: list[asyncio.Task] = []
        self._open = asyncio.Event()

    async def __aenter__(self) -> "Line":
        for _ in range(self.scheduler.capacity):
            await self.add("holder", request("holder"))
        self.order.clear()
        return self

    async def __aexit__(self, *_) -> None:
        self._open.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.scheduler.in_flight == self.scheduler.waiting == 0
        assert traces(self.scheduler) == 0

    async def add(self, name, wanted: Request) -> asyncio.Task:
        async def hold() -> None:
            async with self.scheduler.slot(wanted):
                self.order.append(name)
                await self._open.wait()

        self.tasks.append(asyncio.create_task(hold()))
        await asyncio.sleep(0)
        return self.tasks[-1]

    async def run(self) -> list:
        self._open.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        return self.order


async def test_no_more_than_the_capacity_is_in_flight():
    model = ScriptedModel(yes(1), capacity=3, seconds=0.001)
    scheduled = ScheduledModel(model)
    await asyncio.gather(*(scheduled.complete(request(f"p{n}")) for n in range(50)))
    assert model.most_in_flight == 3
    assert scheduled.scheduler.in_flight == 0


async def test_a_more_urgent_class_goes_first():
    async with Line() as line:
        for priority in (Priority.AUDIT, Priority.BATCH, Priority.INTERACTIVE, Priority.TRAINING):
            await line.add(priority.name, request("p", priority=priority))
        assert await line.run() == ["TRAINING", "INTERACTIVE", "BATCH", "AUDIT"]


async def test_neighbours_by_prefix_go_together():
    async with Line() as line:
        for place in range(2):
            for response in "xy":
                for conversation in "ab":
                    await line.add(f"{conversation}{response}{place}", request(conversation, conversation + response))
        assert await line.run() == ["ax0", "ax1", "ay0", "ay1", "bx0", "bx1", "by0", "by1"]


def cost(order: list[tuple[str, str]], kept: int) -> int:
    """How many prefixes an engine computes that keeps the last ``kept`` responses and their conversations."""
    recent: list[tuple[str, str]] = []
    computed = 0
    for conversation, response in order:
        if (conversation, response) not in recent:
            computed += 1 if any(conversation == known for known, _ in recent) else 2
        recent = [one for one in recent if one != (conversation, response)] + [(conversation, response)]
        recent = recent[-kept:]
    return computed


async def test_prefixes_are_computed_about_once_whatever_the_order_of_arrival():
    work = [(f"p{p}", f"r{p}.{r}") for p in range(4) for r in range(8) for _ in range(12)]
    random.Random(1).shuffle(work)
    async with Line(capacity=2) as line:
        for conversation, response in work:
            await line.add((conversation, response), request(conversation, response))
        scheduled = await line.run()
    unique = 4 + 32
    assert cost(scheduled, kept=4) <= 1.2 * unique
    assert cost(work, kept=4) >= 4 * unique


async def test_a_prefix_that_never_rests_keeps_nobody_out_for_ever():
    schedule, admitted = Scheduler(1), []

    async def asks(name: str) -> None:
        async with schedule.slot(request(name)):
            admitted.append(name)
            await asyncio.sleep(0)

    async def never_rests() -> None:
        while "patient" not in admitted:
            await asks("greedy")

    greedy = [asyncio.create_task(never_rests()) for _ in range(3)]
    await asyncio.sleep(0.001)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asks("patient")
        await asyncio.gather(*greedy)
    assert len(admitted) < 5_000


async def test_a_prefix_that_was_seen_long_ago_has_no_place_of_its_own():
    async with Line() as line:
        await line.add("old", request("old"))
        line._open.set()
        await asyncio.gather(*line.tasks)
        line._open.clear()
        line.order.clear()
        await line.add("holder", request("holder"))
        await line.add("new", request("new"))
        await line.add("old", request("old"))
        assert await line.run() == ["holder", "new", "old"]


async def test_a_deadline_ends_the_wait():
    async with Line() as line:
        with pytest.raises(DeadlineExceeded, match="waited"):
            async with line.scheduler.slot(request("p", deadline=time.monotonic() + 0.01)):
                pytest.fail("there was no place")
        with pytest.raises(DeadlineExceeded):
            async with line.scheduler.slot(request("p", deadline=time.monotonic() - 1)):
                pytest.fail("there was no place")


async def test_a_request_that_is_too_late_is_not_asked():
    model = ScriptedModel(yes(1))
    with pytest.raises(DeadlineExceeded):
        await ScheduledModel(model).complete(request("p", deadline=time.monotonic() - 1))
    assert not model.asked


async def test_who_leaves_the_queue_frees_nothing():
    async with Line() as line:
        waiting = [await line.add(name, request(name)) for name in "abc"]
        waiting[1].cancel()
        await asyncio.sleep(0)
        assert (line.scheduler.in_flight, line.scheduler.waiting) == (1, 2)
        assert await line.run() == ["a", "c"]


async def test_those_who_left_are_not_kept_in_memory():
    async with Line() as line:
        waiting = [await line.add(n, request(f"p{n}")) for n in range(1_000)]
        for task in waiting[:-1]:
            task.cancel()
        await asyncio.sleep(0.01)
        assert line.scheduler.waiting == 1
        assert traces(line.scheduler) < 200


@pytest.mark.parametrize("seed", range(8))
async def test_no_place_is_lost_under_random_cancelling(seed):
    chance = random.Random(seed)
    schedule, held, most = Scheduler(3), 0, 0

    async def one() -> None:
        nonlocal held, most
        deadline = time.monotonic() + chance.random() * 0.01 if chance.random() < 0.3 else None
        wanted = request(f"p{chance.randrange(5)}", f"r{chance.randrange(9)}", deadline=deadline)
        with suppress(DeadlineExceeded):
            async with schedule.slot(wanted):
                held += 1
                most = max(most, held)
                try:
                    await asyncio.sleep(chance.choice([0, 0, 0.0005]))
                    if chance.random() < 0.1:
                        raise ValueError("a call that failed")
                finally:
                    held -= 1

    tasks = []
    for _ in range(400):
        tasks.append(asyncio.create_task(one()))
        if chance.random() < 0.5:
            await asyncio.sleep(0)
        if chance.random() < 0.4:
            chance.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (schedule.in_flight, schedule.waiting, held) == (0, 0, 0)
    assert most <= 3
    assert traces(schedule) == 0
    async with schedule.slot(request("still open")):
        assert schedule.in_flight == 1


async def test_a_place_given_in_the_moment_of_cancelling_goes_to_the_next():
    schedule = Scheduler(1)
    entered = []

    async def one(name: str) -> None:
        async with schedule.slot(request(name)):
            entered.append(name)

    async with schedule.slot(request("holder")):
        first, second = asyncio.create_task(one("first")), asyncio.create_task(one("second"))
        await asyncio.sleep(0)
    first.cancel()  # its place was given just now
    await asyncio.gather(first, second, return_exceptions=True)
    assert entered == ["second"]
    assert schedule.in_flight == 0


async def test_more_capacity_lets_more_in_at_once():
    async with Line() as line:
        await line.add("a", request("a"))
        line.scheduler.capacity = 2
        await asyncio.sleep(0)
        assert line.order == ["a"]


async def test_a_model_that_names_no_capacity_gets_one_at_a_time():
    model = ScriptedModel(lambda request: Completion("Yes"), capacity=0)
    assert (await ScheduledModel(model).complete(request("p"))).text == "Yes"


async def test_a_scheduled_model_takes_the_capacity_known_after_the_start():
    model = ScriptedModel(yes(1), capacity=1)
    scheduled = ScheduledModel(model)
    model.capacity = 7
    await scheduled.start()
    assert scheduled.scheduler.capacity == 7
