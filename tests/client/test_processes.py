"""Threads, event loops, forks, and copies that travel to other processes."""

import asyncio
import gc
import pickle
import subprocess
import sys
import threading

import cloudpickle
import pytest

from judge_client import AsyncClient, Client, Rewarder, Sample
from tests.client.scripted_server import ScriptedServer, judged
from tests.stub_judge import Reply
from tests.yardstick import PATIENCE_SECONDS

SAMPLES = [Sample("p", "r", rubric="a/b")] * 3
FORK = """
import multiprocessing, sys, asyncio
from judge_client import Rewarder, Sample
samples = [Sample("p", "r", rubric="a/b")] * 3
rewarder = Rewarder(url=sys.argv[1])

def rewards(_=None):
    scored = [*rewarder.score(samples), *asyncio.run(rewarder.ascore(samples))]
    return [one.reward for one in scored]

def parent_and_children():
    assert rewards() == [0.5] * 6
    with multiprocessing.get_context("fork").Pool(3) as pool:
        began = pool.map_async(rewards, range(9))
        assert all(rewards() == [0.5] * 6 for _ in range(3))
        assert began.get(60) == [[0.5] * 6] * 9
    assert rewarder.counts["judged"] == 24, rewarder.counts

async def forked_from_a_running_loop():
    async with rewarder:
        await rewarder.ascore(samples)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(rewards) == [0.5] * 6
        assert (await rewarder.ascore_one(samples[0])).reward == 0.5

parent_and_children()
asyncio.run(forked_from_a_running_loop())
print("fine")
"""


def test_a_forked_child_and_its_parent_go_on_side_by_side(scripted):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, scripted.url],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ran.stdout, ran.returncode) == ("fine\n", 0), ran.stderr


@pytest.mark.parametrize("library", [pickle, cloudpickle])
def test_copies_travel_and_begin_without_connections(scripted, library):
    with Rewarder("a/b", url=scripted.url, on_failure="drop", api_key="k", deadline_seconds=7) as rewarder:
        rewarder.score(SAMPLES)
        copy = library.loads(library.dumps(rewarder))
    with copy:
        assert (copy.terms, copy.on_failure, copy.counts["judged"]) == (rewarder.terms, rewarder.on_failure, 0)
        assert copy.score_one(SAMPLES[0]).reward == 0.5
        assert scripted.seen[-1].headers["authorization"] == "Bearer k"
    with library.loads(library.dumps(Client(scripted.url))) as client:
        assert client.score(SAMPLES[0]).reward == 0.5
    asynchronous = library.loads(library.dumps(AsyncClient(scripted.url)))
    assert asyncio.run(asynchronous.score(SAMPLES[0])).reward == 0.5


def test_a_copy_travels_while_the_original_is_in_use(scripted):
    async def main() -> int:
        rewarder = Rewarder(url=scripted.url)
        async with rewarder:
            await rewarder.ascore(SAMPLES)
            return len(pickle.dumps(rewarder))

    assert asyncio.run(main()) < 2_000


def test_every_call_may_have_an_event_loop_of_its_own(scripted):
    rewarder = Rewarder(url=scripted.url)
    client = AsyncClient(scripted.url)
    for _ in range(3):
        assert asyncio.run(rewarder.ascore_one(SAMPLES[0])).reward == 0.5
        assert asyncio.run(client.score(SAMPLES[0])).reward == 0.5
    gc.collect()  # a connection that outlived its loop would warn here


def test_several_loops_at_the_same_time(scripted):
    rewarder = Rewarder(url=scripted.url)
    found: list[float | None] = []

    def run() -> None:
        async def main() -> None:
            async with rewarder:
                for scored in await asyncio.gather(*(rewarder.ascore(SAMPLES) for _ in range(5))):
                    found.extend(one.reward for one in scored)

        asyncio.run(main())

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert found == [0.5] * 60


def test_threads_share_one_rewarder(scripted):
    with Rewarder(url=scripted.url) as rewarder:
        threads = [threading.Thread(target=lambda: [rewarder.score(SAMPLES) for _ in range(5)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
        assert rewarder.counts["judged"] == 8 * 5 * 3


@pytest.mark.parametrize("connections", [1, 4])
def test_no_more_requests_are_in_flight_than_there_are_connections(scripted, connections):
    scripted.behave = lambda seen: Reply(body=judged(seen).body, delay_seconds=0.01)
    rewarder = Rewarder(url=scripted.url, connections=connections)

    async def main() -> None:
        scored = await asyncio.gather(*(rewarder.ascore_one(SAMPLES[0]) for _ in range(40)))
        assert len(scored) == 40

    asyncio.run(main())
    assert scripted.most <= connections


def test_a_cancelled_call_leaves_nothing_behind(scripted):
    scripted.behave = lambda seen: Reply(body=judged(seen).body, delay_seconds=0.5)
    rewarder = Rewarder(url=scripted.url)

    async def main() -> None:
        call = asyncio.ensure_future(rewarder.ascore(SAMPLES))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (await rewarder.ascore_one(SAMPLES[0])).reward == 0.5

    asyncio.run(main())
    gc.collect()


def test_connections_are_used_again(scripted):
    with ScriptedServer() as server, Client(server.url) as client:
        for _ in range(3):
            client.score(SAMPLES[0])
        client.close()
        assert client.score(SAMPLES[0]).reward == 0.5
