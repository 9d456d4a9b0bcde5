"""However callers wait and hang up, nobody is left waiting and nothing stays counted."""

import asyncio
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from judge_server.core.caller import ANYONE, Caller, current_caller
from judge_server.core.errors import JudgeServerError
from judge_server.judging.answer import Answer, Reading, Terms
from judge_server.models.protocol import Labels, Priority, Prompt, Request
from judge_server.scheduling.admission import Admission
from judge_server.scheduling.processor_share import ProcessorShares, TimeShare, current_share
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.scoring.cached_judge import CachedJudge, JudgeCall, VerdictCache
from judge_server.scoring.group.cohort import Times
from judge_server.scoring.group.collection import CohortCollection, CohortLimits
from judge_server.scoring.group.evaluation import CohortOptions, Evaluation
from judge_server.store.group_commit import GroupCommit
from judge_server.store.store import GroupRecall
from judge_server.util.apart import apart
from judge_server.util.concurrency import together
from tests.scoring.group.test_collection import judgment, members
from tests.scripted_model import ScriptedModel, yes
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS

_CALLERS, _TASKS = 5, 150
_READING = Answer(reading=Reading(value=0.5, shares=(0.5, 0.5)))


class Service:
    """The parts of a server in which callers wait for each other, on a store that takes a moment."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.threads = ThreadPoolExecutor(2)
        self.model = ScheduledModel(ScriptedModel(yes(0.5), capacity=3, seconds=0.001))
        self.cached = CachedJudge(VerdictCache(size=0))
        self.cohorts = CohortCollection(self._judged, CohortLimits(memory_seconds=0.02))
        self.commits: GroupCommit[int] = GroupCommit(self._kept, self.threads, most_waiting=4, most_items=3)
        self.recalls = GroupRecall(self._found)
        self.admission = Admission(40)

    def _kept(self, items: Sequence[int]) -> list[Exception | None]:
        time.sleep(0.0005)
        return [None] * len(items)

    async def _found(self, keys: Sequence[str]) -> dict[str, dict[str, int]]:
        await asyncio.get_running_loop().run_in_executor(self.threads, time.sleep, 0.0005)
        return {key: {} for key in keys}

    async def _judged(self, items, wanted: CohortOptions, terms: Terms) -> Evaluation:
        await self.asked(terms, str(items))
        return Evaluation(wanted, tuple(judgment(item) for item in items), (1.0,) * len(items))

    async def asked(self, terms: Terms, question: str) -> None:
        """One question, which several callers may ask at once."""

        async def ask() -> tuple[Answer, ...]:
            request = Request(Prompt((), (question,)), Labels(("Yes", "No")), priority=terms.priority)
            await self.model.complete(request)
            return (_READING,)

        call = JudgeCall("judge", (question,), ask)
        await self.cached.answers([question], lambda _: [call], terms)

    async def work(self, caller: str) -> None:
        """What a request may do, in any order."""
        chance = self.chance
        terms = Terms.within(chance.choice((None, None, 0.01, 0.05)), chance.choice(tuple(Priority)))
        with self.admission.admit(1, terms.priority, terms.deadline):
            for _ in range(chance.randint(1, 4)):
                match chance.randrange(6):
                    case 0 | 1:
                        names = [f"q{chance.randrange(4)}" for _ in range(3)]
                        await together([self.asked(terms, name) for name in names])
                    case 2:
                        await self.commits.add(*range(chance.randint(1, 3)))
                    case 3:
                        await self.recalls.recall([f"k{chance.randrange(9)}"])
                    case 4:
                        await self._join(caller, terms)
                    case _:
                        await apart(caller, int, "7")
                end = time.thread_time() + chance.random() * 0.0005
                while time.thread_time() < end:
                    pass

    async def _join(self, caller: str, terms: Terms) -> None:
        chance = self.chance
        wanted = CohortOptions({}, None, expected=2)
        times = Times(0.05, None)
        name, some = f"g{chance.randrange(3)}", members(f"r{chance.randrange(3)}", ids=[f"{chance.randrange(3)}"])
        await self.cohorts.join(caller, name, wanted, some, times, terms)

    @property
    def left(self) -> dict[str, int]:
        """What is still counted or waiting."""
        counts = {
            "calls": self.cached.in_flight,
            "in flight": self.model.scheduler.in_flight,
            "queued": self.model.scheduler.waiting,
            "submissions": self.admission.under_way,
            "members": self.cohorts.waiting,
            "cohorts": len(self.cohorts),
        }
        return {name: count for name, count in counts.items() if count}

    async def close(self) -> None:
        await self.cohorts.close()
        await self.commits.close()
        self.threads.shutdown()


async def _request(service: Service, number: int) -> None:
    caller = f"caller {number % _CALLERS}"
    current_caller.set(Caller(caller, ANYONE.scopes))
    current_share.set(TimeShare(caller, background=number % 7 == 0))
    with suppress(JudgeServerError):
        await service.work(caller)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(2))
async def test_nobody_waits_for_ever_and_nothing_stays_counted(seed):
    chance = random.Random(seed)
    loop = asyncio.get_running_loop()
    async with ProcessorShares().sharing():
        service = Service(chance)
        tasks = []
        for number in range(_TASKS):
            tasks.append(asyncio.create_task(_request(service, number)))
            if chance.random() < 0.5:
                loop.call_later(chance.choice((0, 0, 0.001, 0.01, 0.05)), tasks[-1].cancel)
            await asyncio.sleep(0.002 * (chance.random() < 0.3))
        done, waiting = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        assert not waiting, [task.get_stack() for task in waiting]
        faults = [task.exception() for task in done if not task.cancelled()]
        assert not [fault for fault in faults if fault is not None]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while service.left:  # noqa: ASYNC110 - what was cancelled ends by itself
                await asyncio.sleep(0.01)
        await service.close()


async def test_a_waiter_that_hangs_up_before_its_first_step_leaves_the_call():
    cached = CachedJudge(VerdictCache(size=0))
    begun, gone = asyncio.Event(), asyncio.Event()

    async def ask() -> tuple[Answer, ...]:
        begun.set()
        try:
            await asyncio.sleep(HANG_SECONDS)
        finally:
            gone.set()
        return (_READING,)

    async def asking() -> None:
        current_share.set(TimeShare("greedy"))
        await asyncio.sleep(0)
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass
        await cached.answers(["q"], lambda _: [JudgeCall("judge", ("q",), ask)], Terms())

    async def modest() -> None:
        current_share.set(TimeShare("modest"))
        while True:  # noqa: ASYNC110 - it has something to do in every pass of the loop
            await asyncio.sleep(0)

    async with ProcessorShares().sharing():
        first, busy = asyncio.create_task(asking()), asyncio.create_task(modest())
        await begun.wait()
        second = asyncio.create_task(asking())
        # this test, three callers, the call, and the second caller's share of it
        while len(asyncio.all_tasks()) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0)
        second.cancel()
        first.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await gone.wait()
        busy.cancel()
    assert cached.in_flight == 0
