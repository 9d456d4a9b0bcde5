"""Who waits for whom: callers of a class, classes, and shared work."""

import asyncio
import random
from collections import Counter
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.caller import ANYONE, Caller, current_caller
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scheduling.fair_queue import QUANTUM, FairQueue
from judge_server.scheduling.scheduler import Scheduler
from judge_server.scheduling.single_flight import SingleFlight
from tests.scheduling.test_scheduler import request
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, yes

TRAINING, INTERACTIVE, BATCH, AUDIT = Priority


@contextmanager
def asked_by(name: str):
    before = current_caller.set(Caller(name, ANYONE.scopes))
    try:
        yield
    finally:
        current_caller.reset(before)


class Queue:
    """Names in the order in which they are let in, one at a time."""

    def __init__(self, least_share: float = 0.0) -> None:
        self.fair = FairQueue(least_share)
        self.names = {}

    def add(self, caller, name, *prefix, priority=INTERACTIVE):
        place = self.fair.join(priority, caller, prefix)
        self.names[place] = name
        self.fair.push(place)
        return place

    def next(self):
        place = self.fair.pop()
        self.fair.release(place)
        return self.names[place]

    def rest(self):
        return [self.next() for _ in range(self.fair.waiting)]


def test_ten_questions_wait_for_two_turns_of_a_caller_who_asks_ten_thousand():
    queue = Queue()
    for n in range(10_000):
        queue.add("flood", "flood", "conversation", f"response {n // 8}")
    for _ in range(500):
        queue.next()
    for n in range(10):
        queue.add("modest", "modest", "other", f"response {n // 5}")
    order = [queue.next() for _ in range(10 + 2 * QUANTUM)]
    assert order.count("modest") == 10


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5)), min_size=1, max_size=400),
    st.sampled_from("abcd"),
    st.integers(0, 2**32),
)
def test_nobody_waits_longer_than_the_turns_of_the_others(asked, mine, seed):
    """The bound, for any arrivals: before my n-th question at most 2 Q of each other caller for each turn of mine."""
    chance = random.Random(seed)
    queue = Queue()
    for caller, prefix in asked:
        queue.add(caller, caller, f"{caller}{prefix}")
        if chance.random() < 0.3:
            queue.next()
        if not queue.fair.waiting:
            queue.add(caller, caller, f"{caller}{prefix}")
    waiting = queue.fair.waiting_in(INTERACTIVE, mine)
    order = queue.rest()
    places = [place for place, caller in enumerate(order) if caller == mine]
    assert len(places) == waiting
    for nth, place in enumerate(places, start=1):
        turns_of_mine = -(-nth // QUANTUM) + 1
        for other, count in Counter(order[:place]).items():
            assert other == mine or count <= 2 * QUANTUM * turns_of_mine


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), min_size=1, max_size=200))
def test_callers_with_long_lines_get_equal_shares(asked):
    queue = Queue()
    for caller in "xyz":
        for n in range(200):
            queue.add(caller, caller, f"{caller}{n // 7}")
    for caller, prefix in asked:
        queue.add(caller, caller, f"{caller}{prefix}")
    first = Counter(queue.next() for _ in range(450))
    assert max(first[c] for c in "xyz") - min(first[c] for c in "xyz") <= 3 * QUANTUM


def test_neighbours_by_prefix_stay_together_in_the_turns_of_several_callers():
    queue = Queue()
    for n in range(40):
        for caller in "ab":
            for _ in range(20):
                queue.add(caller, (caller, n), caller, f"{caller}{n}")
    order = queue.rest()
    runs = 1 + sum(before != after for before, after in pairwise(order))
    assert runs <= 1.3 * 80  # a run of 20 is broken only where a caller had had twice its turn


def test_one_caller_alone_has_every_place():
    queue = Queue()
    for n in range(500):
        queue.add("a", n, "p")
    assert queue.rest() == list(range(500))


def test_a_more_urgent_class_goes_first_whoever_asks():
    queue = Queue()
    for priority in (AUDIT, BATCH, TRAINING, INTERACTIVE):
        for caller in "ab":
            queue.add(caller, priority, "p", priority=priority)
    assert queue.rest() == [TRAINING] * 2 + [INTERACTIVE] * 2 + [BATCH] * 2 + [AUDIT] * 2


def test_a_lower_class_waits_for_ever_unless_a_share_is_due_to_it():
    for share, batch, audit in ((0.0, 0, 0), (0.1, 20, 20), (0.25, 50, 50)):
        queue = Queue(share)
        for priority in (TRAINING, BATCH, AUDIT):
            for _ in range(300):
                queue.add("a", priority, "p", priority=priority)
        first = Counter(queue.next() for _ in range(200))
        assert first[BATCH] == pytest.approx(batch, abs=2)
        assert first[AUDIT] == pytest.approx(audit, abs=2)


def test_who_leaves_takes_the_turn_along():
    queue = Queue()
    left = [queue.add("a", "a", "p") for _ in range(200)]
    queue.add("b", "b", "q")
    for place in left:
        queue.fair.leave(place)
        queue.fair.release(place)
    assert queue.fair.waiting == 1
    assert queue.rest() == ["b"]
    assert queue.fair.waiting_of(INTERACTIVE) == 0


async def waited(flights, schedule, key, priority, caller, order):
    async def work():
        async with schedule.slot(request(key, priority=BATCH)) as granted:
            order.append((key, granted))

    with asked_by(caller):
        share = flights.join(key, work, priority)
    try:
        await asyncio.wait([share.call.task])
    finally:
        flights.leave(share)


class Shared:
    """Work that is shared by key, behind one who holds the only place."""

    def __init__(self):
        self.flights, self.scheduler, self.order = SingleFlight(), Scheduler(1), []

    async def ask(self, key, priority, caller="a"):
        task = asyncio.create_task(waited(self.flights, self.scheduler, key, priority, caller, self.order))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task


async def test_shared_work_is_as_urgent_as_the_most_urgent_of_those_who_wait():
    shared = Shared()
    async with shared.scheduler.slot(request("holder")):
        tasks = [await shared.ask(key, BATCH) for key in "pqr"]
        tasks.append(await shared.ask("r", TRAINING))
        assert shared.scheduler.waiting_of(TRAINING) == 1
        assert shared.scheduler.waiting_of(BATCH) == 2
    await asyncio.gather(*tasks)
    assert shared.order == [("r", TRAINING), ("p", BATCH), ("q", BATCH)]


async def test_work_goes_back_to_its_class_when_the_urgent_one_leaves():
    shared = Shared()
    async with shared.scheduler.slot(request("holder")):
        tasks = [await shared.ask(key, BATCH) for key in "pq"]
        urgent = await shared.ask("q", TRAINING)
        urgent.cancel()
        await asyncio.wait([urgent])
        assert shared.scheduler.waiting_of(TRAINING) == 0
    await asyncio.gather(*tasks)
    assert shared.order == [("p", BATCH), ("q", BATCH)]


async def test_what_a_flooding_caller_asked_too_does_not_wait_in_its_line():
    shared = Shared()
    async with shared.scheduler.slot(request("holder")):
        tasks = [await shared.ask(f"k{n}", BATCH, "flood") for n in range(200)]
        tasks.append(await shared.ask("k199", BATCH, "modest"))
    await asyncio.gather(*tasks)
    assert [key for key, _ in shared.order].index("k199") <= 2 * QUANTUM


@pytest.mark.parametrize("seed", range(6))
async def test_no_place_is_lost_when_shared_work_moves_about(seed):
    chance = random.Random(seed)
    shared = Shared()
    shared.scheduler.capacity = 2
    tasks = []
    for _ in range(300):
        asking = shared.ask(f"k{chance.randrange(12)}", chance.choice(list(Priority)), chance.choice("abc"))
        tasks.append(await asking)
        if chance.random() < 0.4:
            chance.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.01)
    assert (shared.scheduler.in_flight, shared.scheduler.waiting, len(shared.flights)) == (0, 0, 0)
    assert not any(one.queues or one.ring for one in shared.scheduler.queue._classes)


async def test_the_caller_of_a_request_is_the_one_in_whose_line_it_waits():
    schedule, order = Scheduler(1), []

    async def ask(name, prefix):
        with asked_by(name):
            async with schedule.slot(request(prefix)):
                order.append(name)

    async with schedule.slot(request("holder")):
        tasks = [asyncio.create_task(ask("flood", f"p{n}")) for n in range(100)]
        tasks += [asyncio.create_task(ask("modest", "q"))]
        await asyncio.sleep(0.01)
    await asyncio.gather(*tasks)
    assert order.index("modest") <= QUANTUM


async def test_the_engine_is_told_the_class_in_which_shared_work_got_its_place():
    model = ScriptedModel(yes(0.9), capacity=1, seconds=0.02)
    of = scorer(judge(model))
    first = asyncio.create_task(of.score(submission("The one before.", rubric=rubric(count=1)), Terms(BATCH)))
    await asyncio.sleep(0.005)
    shared = submission("The shared one.", rubric=rubric(count=1))
    waiting = [asyncio.create_task(of.score(shared, Terms(priority))) for priority in (BATCH, TRAINING)]
    rewards = [(await task).reward for task in (first, *waiting)]
    assert rewards == [pytest.approx(0.9)] * 3
    assert [request.priority for request in model.asked] == [BATCH, TRAINING]
