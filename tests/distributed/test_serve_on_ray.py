"""Replicas on a real Ray cluster: two are faster than one, and none that dies or is taken away loses a request."""

import asyncio
import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.distributed.cluster import serving
from tests.distributed.load import RUBRIC, Load, submission
from tests.postgres import cluster
from tests.stub_judge import StubJudge, labels

_LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.longest, pytest.mark.timeout(1_800)]
_LATENCY_SECONDS = 1.0
_AT_ONCE = 4
KEY: dict[str, str] = {}
"""The header of a key for everything, which ``served`` makes."""
CONFIGURATION = """
database_url = "{database}"
default_judge = "one"
canary = "off"
reask = 0.0
authentication = "required"
drain_seconds = 15.0
log_level = "warning"

[ray.server]
replicas = 2
at_once = 256
cpus = 0.05

[judges.one]
name = "one"
model = "{model}"
engine = {{ timeout_seconds = 60.0 }}
[ray.judges.one]
at_once = {at_once}
cpus = 0.05

[judges.two]
name = "two"
model = "{model}"
engine = {{ timeout_seconds = 61.0 }}
[ray.judges.two]
replicas = 2
at_once = {at_once}
cpus = 0.05

[judges.scaled]
name = "scaled"
model = "{model}"
engine = {{ timeout_seconds = 62.0 }}
[ray.judges.scaled]
replicas = 1
most_replicas = 2
target_ongoing = 3.0
target_ongoing_by_class = {{ batch = 1000.0 }}
look_back_seconds = 11.0
upscale_seconds = 1.0
downscale_seconds = 4.0
at_once = {at_once}
cpus = 0.05
"""


def _number_in(body):
    """0 for what the server asks to learn what the judge can do."""
    found = re.search(r"answer number (\d+)", str(body.get("messages")))
    return int(found[1]) if found else 0


class _Judge:
    """Answers after a second, as an engine does; ``calls`` by the submission's number."""

    def __init__(self):
        self.calls = Counter()

    def __call__(self, body):
        number = _number_in(body)
        self.calls[number] += 1
        return replace(labels(Yes=0.9, No=0.1), delay_seconds=_LATENCY_SECONDS if number else 0.0)


@pytest.fixture(scope="module")
def judge():
    return _Judge()


@pytest.fixture(scope="module")
def database():
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def stub(judge):
    with StubJudge(judge, sleeps=True) as running:
        yield running


@pytest.fixture(scope="module")
def served(stub, database, tmp_path_factory):
    with ExitStack() as stack:
        KEY.update(_key(database.url("judge"), "all", "--scope", "admin"))
        configuration = CONFIGURATION.format(database=database.url("judge"), model=stub.specification, at_once=_AT_ONCE)
        yield stack.enter_context(serving(tmp_path_factory.mktemp("ray"), configuration))


async def _rate(served, judge_name, numbers):
    load = Load(served.address, headers=KEY, judge=judge_name)
    await load.send(numbers, at_once=48)
    assert len(load.rewarded) == len(numbers), (load.refusals, load.odd)
    return len(numbers) / load.seconds


async def test_two_replicas_judge_almost_twice_as_much_as_one(served):
    await _rate(served, "one", range(8))  # the first requests open connections
    await _rate(served, "two", range(8, 16))
    one = await _rate(served, "one", range(1_000, 1_080))
    two = await _rate(served, "two", range(2_000, 2_160))
    _LOG.info("one replica %.2f/s, two replicas %.2f/s: %.2f times", one, two, two / one)
    assert two >= 1.8 * one


@pytest.mark.parametrize(("deployment", "first"), [("server", 3_000), ("judge-two", 4_000)])
async def test_a_killed_replica_loses_no_request_and_repeats_no_stored_verdict(served, judge, deployment, first):
    numbers = range(first, first + 240)
    load = Load(served.address, headers=KEY, judge="two")
    sending = asyncio.create_task(load.send(numbers, at_once=24))
    while len(load.answers) < 60:
        assert not sending.done()
        await asyncio.sleep(0.1)
    stored = list(load.answers)
    victims = served.replicas(deployment)
    assert len(victims) == 2
    served.kill(victims[0])
    await sending
    _LOG.info(
        f"{deployment}: {len(load.rewarded)} of {len(numbers)}; sent again: {dict(load.refusals)} {dict(load.types)}"
    )
    assert len(load.rewarded) == len(numbers)
    assert load.odd == []
    assert all(judge.calls[number] == 1 for number in stored)
    asked = sum(judge.calls.values())
    again = Load(served.address, headers=KEY, judge="two")
    await again.send(numbers, at_once=24)
    assert len(again.rewarded) == len(numbers)
    assert sum(judge.calls.values()) == asked  # every verdict came from the store
    await _until(lambda: len(served.replicas(deployment)) == 2, 180)


async def test_more_load_brings_a_replica_and_less_takes_it_away_with_nothing_lost(served):
    load = Load(served.address, headers=KEY, judge="scaled")
    sending = asyncio.create_task(load.send(range(5_000, 5_400), at_once=24))
    await _until(lambda: len(served.replicas("judge-scaled")) == 2 or sending.done(), 300)
    assert not sending.done()
    await sending
    assert len(load.rewarded) == 400
    light = Load(served.address, headers=KEY, judge="scaled")
    numbers = iter(range(6_000, 7_000))
    sent = 0
    began = time.monotonic()
    while len(served.replicas("judge-scaled")) == 2:
        assert time.monotonic() - began < 240
        await light.send(range(next(numbers), 6_001 + sent), at_once=1)
        sent += 1
    _LOG.info("%d under load, %d while it scaled down: %s", len(load.rewarded), sent, light.refusals)
    assert sent > 0
    assert len(light.rewarded) == sent
    assert light.odd == load.odd == []


async def test_calls_of_a_class_that_can_wait_start_no_replica(served):
    load = Load(served.address, headers=KEY, judge="scaled", priority="batch")
    await load.send(range(7_000, 7_120), at_once=24)
    assert load.seconds > 20, "longer than what is averaged over"
    assert len(load.rewarded) == 120
    assert len(served.replicas("judge-scaled")) == 1


async def test_twenty_seconds_without_postgresql_lose_nothing_and_are_refused_with_a_type(served, database):
    load = Load(served.address, headers=KEY, judge="two")
    numbers = range(8_000, 8_200)
    sending = asyncio.create_task(load.send(numbers, at_once=16))
    while len(load.answers) < 30:
        assert not sending.done()
        await asyncio.sleep(0.1)
    database.stop()
    await asyncio.sleep(20)
    database.start()
    restarted = time.monotonic()
    before = len(load.rewarded)
    await _until(lambda: len(load.rewarded) > before, 120)
    recovered = time.monotonic() - restarted
    await sending
    _LOG.info("%d of 200; %s %s; recovered in %.1f s", len(load.rewarded), load.refusals, load.types, recovered)
    assert len(load.rewarded) == len(numbers)
    assert load.odd == []
    assert set(load.types) <= {"store_unavailable", "overloaded", "judge_unavailable", "timeout"}
    async with httpx.AsyncClient(base_url=served.address, headers=KEY, timeout=60) as client:
        for judgment in load.rewarded.values():
            assert (await client.get(f"/v1/judgments/{judgment['id']}")).status_code == 200


async def test_many_questions_of_one_request_are_asked_at_once_and_all_answered(served):
    """Ray gives all calls of one request the same id, and its router then forgot all but one of them."""
    criteria = [{"id": f"c{number}", "statement": f"Is polite in way {number}.", "points": 1} for number in range(24)]
    body = submission(9_500) | {"rubric": {**RUBRIC, "id": "test/many", "criteria": criteria}, "judge": "two"}
    async with httpx.AsyncClient(base_url=served.address, headers=KEY, timeout=120) as client:
        answers = await asyncio.gather(*(client.post("/v1/score", json=body | {"id": str(n)}) for n in range(3)))
    assert [answer.json()["reward"] for answer in answers] == [pytest.approx(0.9)] * 3


async def test_a_group_collected_by_several_requests_meets_in_one_replica(served):
    async with httpx.AsyncClient(base_url=served.address, headers=KEY, timeout=120) as client:

        async def member(number):
            body = submission(9_000) | {"group": "g", "expected": 4, "judge": "two"}
            body["responses"] = [f"{body.pop('response')} Member {number}."]
            return await client.post("/v1/score/group", json=body)

        answers = await asyncio.gather(*(member(number) for number in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text[:300] for answer in answers]


async def test_equal_questions_that_reach_both_replicas_at_once_are_asked_once(served, judge):
    await _at_once(served.address, [submission(9_100) | {"judge": "two"}] * 24)
    assert judge.calls[9_100] == 1


async def test_the_limits_of_a_key_hold_over_both_replicas_together(served, database):
    under_way, rate = (
        _key(database.url("judge"), name, *limits)
        for name, limits in {
            "under-way": ("--scope", "score", "--submissions-under-way", "4"),
            "rate": ("--scope", "score", "--requests-per-second", "0.01", "--burst", "6"),
        }.items()
    )
    bodies = [submission(number) | {"judge": "two"} for number in range(9_200, 9_216)]
    assert Counter(await _at_once(served.address, bodies, under_way)) == {200: 4, 429: 12}
    bodies = [submission(number) | {"judge": "two"} for number in range(9_300, 9_316)]
    assert Counter(await _at_once(served.address, bodies, rate)) == {200: 6, 429: 10}


async def test_engines_sleep_in_all_replicas_and_what_is_asked_meanwhile_waits(served, stub):
    stub.orders.clear()
    async with httpx.AsyncClient(base_url=served.address, headers=KEY, timeout=120) as client:
        slept = await client.post("/v1/admin/sleep", json={"level": 1})
        assert slept.status_code == 200, slept.text
        assert all(engine["asleep"] for engine in slept.json()["engines"])
        assert set(stub.orders) == {"/sleep?level=1"}
        assert len(stub.orders) >= 4  # replicas of one, two and scaled
        body = submission(9_400) | {"judge": "two"}
        waiting = [asyncio.create_task(client.post("/v1/score", json=body | {"id": str(n)})) for n in range(8)]
        late = [client.post("/v1/score", json=submission(9_401) | {"deadline_seconds": 0.5}) for _ in range(8)]
        assert {answer.status_code for answer in await asyncio.gather(*late)} == {504}
        assert not any(task.done() for task in waiting)
        assert (await client.post("/v1/admin/wake", json={})).status_code == 200
        assert [answer.json()["reward"] for answer in await asyncio.gather(*waiting)] == [pytest.approx(0.9)] * 8
    assert stub.calls_asleep == 0


def _key(database, name, *limits):
    program = Path(sys.executable).with_name("judge-server")
    command = [program, "keys", "create", name, *limits, "--json", "--database", database]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {"authorization": f"Bearer {json.loads(told)['key']}"}


async def _at_once(address, bodies, headers=KEY):
    """The statuses of requests that are sent at the same moment, each over a connection of its own."""
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=limits, headers=headers) as client:
        answers = await asyncio.gather(*(client.post("/v1/score", json=body) for body in bodies))
    return [answer.status_code for answer in answers]


async def test_metrics_add_up_over_the_replicas(served):
    await asyncio.sleep(7)  # a replica tells its metrics every five seconds
    async with httpx.AsyncClient(base_url=served.address, headers=KEY, timeout=30) as client:
        text = (await client.get("/metrics")).text
    totals = [float(one) for one in re.findall(r"^judge_server_judgments_total\{.*\} ([0-9.e+]+)$", text, re.MULTILINE)]
    assert sum(totals) > 600


async def _until(condition, seconds):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.5)
