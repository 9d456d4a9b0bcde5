"""What workers share: counts of API keys, claims on questions, questions to each other, and metrics."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from judge_server.core.caller import Allowance, Caller, current_caller
from judge_server.core.errors import AllowanceSpent, BadInput, ModelUnavailable, Overloaded
from judge_server.scheduling.admission import Admission
from judge_server.server.middleware.authentication import RateLimit
from judge_server.server.processes.claims import SharedClaims
from judge_server.server.processes.kept_metrics import KeptMetrics
from judge_server.server.processes.ledger import Ledger
from judge_server.server.processes.peer_model import SharedModels
from judge_server.server.processes.peers import Peers
from judge_server.server.processes.place import WorkerPlace, share_of
from judge_server.server.telemetry.merged import merged
from tests.models.openai_model import request
from tests.served import settings_of
from tests.yardstick import PATIENCE_SECONDS

KEY = "0123456789abcdef" * 4


@pytest.fixture
def places(tmp_path):
    return [WorkerPlace(number, 3, tmp_path) for number in range(3)]


@pytest.fixture
def ledgers(places):
    made = [Ledger(place) for place in places]
    yield made
    for one in made:
        one.close()


def test_a_key_may_send_its_rate_once_and_not_once_a_worker(ledgers):
    limits = [RateLimit(shared=one) for one in ledgers]
    allowance = Allowance(requests_per_second=0.01, burst=4)
    for number in range(4):
        limits[number % 3].take("a", allowance)
    for limit in limits:
        with pytest.raises(AllowanceSpent):
            limit.take("a", allowance)
        limit.take("b", Allowance(requests_per_second=1))
        break


def test_submissions_under_way_count_in_all_workers_and_leave_with_the_block(ledgers):
    doors = [Admission(100, shared=one) for one in ledgers]
    caller = Caller("a", frozenset(("score",)), Allowance(submissions_under_way=5))
    before = current_caller.set(caller)
    try:
        refused = pytest.raises(AllowanceSpent, match="has 5 submissions under way, and may have 5")
        with doors[0].admit(3), doors[1].admit(2), refused:
            doors[2].require_room(1)
        with doors[2].admit(5):
            pass
    finally:
        current_caller.reset(before)
    assert ledgers[0].under_way("a") == 0


def test_what_a_killed_worker_held_is_free_again_when_it_is_replaced(places, ledgers):
    assert ledgers[1].hold("a", 4, 5) is None
    assert ledgers[0].hold("a", 2, 5) == 4
    Ledger(places[1]).close()
    assert ledgers[0].hold("a", 2, 5) is None


def test_the_lock_of_a_process_that_dies_is_free(tmp_path):
    program = (
        "import sys, os, fcntl, time; from pathlib import Path\n"
        "from judge_server.server.processes.ledger import Ledger\n"
        "from judge_server.server.processes.place import WorkerPlace\n"
        "one = Ledger(WorkerPlace(1, 2, Path(sys.argv[1])))\n"
        "fcntl.lockf(one._file, fcntl.LOCK_EX); print('locked', flush=True); time.sleep(600)\n"
    )
    held = subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE)
    assert held.stdout is not None
    assert held.stdout.readline() == b"locked\n"
    os.kill(held.pid, signal.SIGKILL)
    held.wait()
    held.stdout.close()
    ledger = Ledger(WorkerPlace(0, 2, tmp_path))
    assert ledger.hold("a", 1, 1) is None
    ledger.close()


async def test_a_question_is_claimed_once_and_its_reading_goes_to_who_waits(places):
    peers = [Peers(place) for place in places[:2]]
    first, second = (SharedClaims(place, one) for place, one in zip(places, peers, strict=False))
    known = {}
    first.offer(lambda keys: {key: known[key] for key in keys if key in known})
    for one in peers:
        await one.start()
    try:
        assert await first.claim([KEY]) == {}
        assert await first.claim([KEY]) == {}
        elsewhere = await second.claim([KEY, KEY[::-1]])
        assert elsewhere == {KEY: 0}
        waiting = asyncio.create_task(second.readings(elsewhere, 20))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        known[KEY] = {"value": 0.7, "shares": (0.7, 0.3)}
        first.release([KEY])
        assert await waiting == {KEY: known[KEY]}
        assert await second.claim([KEY]) == {}
    finally:
        for one in (*peers, first, second):
            closing = one.close()
            if closing is not None:
                await closing


async def test_nobody_waits_for_a_worker_that_was_killed(places):
    peers = [Peers(place) for place in places[:2]]
    first, second = (SharedClaims(place, one) for place, one in zip(places, peers, strict=False))
    await peers[0].start()
    await first.claim([KEY])
    elsewhere = await second.claim([KEY])
    waiting = asyncio.create_task(second.readings(elsewhere, None))
    await asyncio.sleep(1.2)
    assert not waiting.done()  # it is there
    await peers[0].close()
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == {}
    assert await second.claim([KEY]) == {}
    first.close()
    second.close()


async def test_another_question_on_the_same_text_is_not_waited_for(places):
    """Keys begin with the digest of what is shown."""
    peers = [Peers(place) for place in places[:2]]
    first, second = (SharedClaims(place, one) for place, one in zip(places, peers, strict=False))
    same, other = KEY[:32] + "0" * 32, KEY[:32] + "f" * 32
    await first.claim([same])
    assert await second.claim([other]) == {}
    await first.claim([KEY])
    first.release([same])
    assert await second.claim([KEY, same]) == {KEY: 0}
    first.close()
    second.close()


async def test_thousands_of_claims_stand_beside_each_other_and_are_given_up_one_by_one(places):
    peers = [Peers(place) for place in places[:2]]
    first, second = (SharedClaims(place, one) for place, one in zip(places, peers, strict=False))
    keys = [f"{number:064x}" for number in range(20_000)]
    odd, even = keys[1::2], keys[::2]
    assert await first.claim(keys) == {}
    assert await second.claim(keys) == dict.fromkeys(keys, 0)
    first.release(odd)
    assert await second.claim(odd) == {}
    assert await first.claim(keys) == dict.fromkeys(odd, 1)
    second.release(keys)
    assert await second.claim(keys) == dict.fromkeys(even, 0)
    first.close()
    second.close()


async def test_a_worker_that_stopped_gives_no_reading_and_its_claims_end_with_its_replacement(places):
    peers = [Peers(place) for place in places[:2]]
    first, second = (SharedClaims(place, one) for place, one in zip(places, peers, strict=False))
    await first.claim([KEY])
    assert await second.readings(await second.claim([KEY]), 0.05) == {}
    SharedClaims(places[0], peers[0]).close()
    assert await second.claim([KEY]) == {}
    first.close()
    second.close()


async def test_workers_ask_each_other_and_errors_and_departures_arrive(places):
    peers = [Peers(place) for place in places]
    left = asyncio.Event()

    async def doubled(number):
        if number < 0:
            raise BadInput("below 0")
        return number * 2

    async def slowly(_):
        try:
            await asyncio.sleep(600)
        finally:
            left.set()

    peers[0].answers |= {"double": doubled, "slow": slowly}
    with pytest.raises(Overloaded):
        await peers[1].ask(0, "double", 3, patience_seconds=0.0)
    await peers[0].start()
    assert await peers[1].ask(0, "double", 3) == 6
    assert await peers[0].ask(0, "double", 4) == 8
    with pytest.raises(BadInput, match="below 0"):
        await peers[1].ask(0, "double", -1)
    asking = asyncio.create_task(peers[2].ask(0, "slow", None))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.wait_for(left.wait(), PATIENCE_SECONDS)
    assert await peers[1].ask_others("double", 1, 5.0) == {0: 2}
    await peers[0].close()


async def test_a_model_in_the_first_worker_answers_the_others(places):
    first, other = Peers(places[0]), Peers(places[1])
    own, theirs = (SharedModels(one, ("baseline",)).open("baseline", {}) for one in (first, other))
    await first.start()
    await theirs.start()

    assert theirs.capabilities == own.capabilities
    assert (await theirs.complete(request())).candidates == (await own.complete(request())).candidates
    assert await theirs.healthy()
    await first.close()
    assert not await theirs.healthy()
    with pytest.raises(ModelUnavailable):
        await theirs.complete(request())


def exposition(*, under_way, longest, judged):
    registry = CollectorRegistry()
    Gauge("judge_server_submissions_under_way", "u", registry=registry).set(under_way)
    Gauge("judge_server_longest_step_seconds", "l", registry=registry).set(longest)
    Counter("judge_server_judgments", "j", ("status",), registry=registry).labels("ok").inc(judged)
    Histogram("judge_server_seconds", "s", registry=registry, buckets=(1, 2)).observe(1.5)
    return generate_latest(registry)


def test_counters_and_histograms_are_summed_and_gauges_are_what_they_mean():
    text = merged(
        [exposition(under_way=2, longest=0.1, judged=3), exposition(under_way=5, longest=0.4, judged=4)]
    ).decode()

    assert "judge_server_submissions_under_way 7.0" in text
    assert "judge_server_longest_step_seconds 0.4" in text
    assert 'judge_server_judgments_total{status="ok"} 7.0' in text
    assert 'judge_server_seconds_bucket{le="2.0"} 2.0' in text
    assert "judge_server_seconds_count 2.0" in text


def test_counters_do_not_fall_when_a_worker_is_killed_or_silent(places):
    mine, other = KeptMetrics(places[0]), KeptMetrics(places[1])
    one = exposition(under_way=1, longest=0.1, judged=3)

    def shown(*silent):
        return merged([one, mine.counts(silent)]).decode()

    assert 'judge_server_judgments_total{status="ok"} 3.0' in shown(1, 2)
    other.keep(exposition(under_way=5, longest=0.4, judged=4))
    assert 'judge_server_judgments_total{status="ok"} 7.0' in shown(1, 2)  # it is busy, or was killed
    assert 'judge_server_judgments_total{status="ok"} 3.0' in shown(2)  # it answers for itself
    for seen in (7.0, 11.0):
        again = KeptMetrics(places[1])
        again.inherit()
        again.inherit()
        assert f'judge_server_judgments_total{{status="ok"}} {seen}' in shown(1)
        assert f"judge_server_seconds_count {1 + (seen - 3) / 4}" in shown(1)
        assert "judge_server_submissions_under_way 1.0" in shown(1)
        again.keep(exposition(under_way=5, longest=0.4, judged=4))
        again.close()
    mine.close()
    other.close()


def test_limits_are_divided_among_the_workers():
    given = settings_of(
        "openai:a@http://127.0.0.1:9/v1", judge={"engine": {"max_in_flight": 9}}, max_under_way=10, max_questions=100
    )
    share = share_of(given, 4)

    assert (share.max_under_way, share.max_questions) == (3, 25)
    assert share.judges["default"].engine["max_in_flight"] == 3
