"""A judge that sleeps while the training uses its accelerator."""

import asyncio
import pickle
import threading

import pytest

from judge_client import Rewarder, Sample
from judge_client.errors import BadConfiguration, Refused
from tests.client.conftest import environment
from tests.served import served, settings_of
from tests.stub_judge import StubJudge
from tests.submissions import rubric


@pytest.fixture
def colocated():
    with StubJudge(sleeps=True) as judge, served(settings_of(judge.specification)) as client:
        yield judge, str(client.base_url).rstrip("/"), client


def samples(mark, count=3):
    return [Sample("What should I do?", f"Rest, {mark} {place} hours.") for place in range(count)]


def test_the_engine_sleeps_between_calls_and_not_within_one(colocated):
    judge, url, client = colocated
    rewarder = Rewarder(rubric(1), url=url, sleep_level=1)
    for mark in ("first", "second"):
        assert all(one.reward is not None for one in rewarder.score(samples(mark)))
        assert client.get("/v1/admin/engines").json()["engines"][0]["asleep"]
    assert asyncio.run(rewarder.ascore(samples("third")))[0].reward is not None
    rewarder.score_group(
        "What should I do?", ["Rest for two days, then see a doctor.", "Sleep, and drink a glass of water an hour."]
    )
    assert judge.calls_asleep == 0
    assert judge.orders[:3] == ["/sleep?level=1", "/wake_up", "/sleep?level=1"]


def test_ranks_that_score_at_the_same_time_do_not_send_it_to_sleep_under_each_other(colocated):
    judge, url, client = colocated
    ranks = [pickle.loads(pickle.dumps(Rewarder(rubric(1), url=url, sleep_level=2))) for _ in range(4)]
    failed = []

    def step(rank, number):
        for turn in range(3):
            rewards = rank.score(samples(f"rank {number} turn {turn}"))
            failed.extend(one for one in rewards if one.reward is None)

    threads = [threading.Thread(target=step, args=(rank, number)) for number, rank in enumerate(ranks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert judge.calls_asleep == 0
    (engine,) = client.get("/v1/admin/engines").json()["engines"]
    assert (engine["asleep"], engine["level"], engine["held_by"]) == (True, 2, [])


def test_it_sleeps_after_a_call_that_failed(colocated):
    _, url, client = colocated
    with pytest.raises(Refused):
        Rewarder("no/rubric", url=url, sleep_level=1).score(samples("first"))
    assert client.get("/v1/admin/engines").json()["engines"][0]["asleep"]


def test_the_environment_can_say_so_for_every_adapter(colocated):
    _, url, client = colocated
    with environment(JUDGE_SLEEP_LEVEL="1", JUDGE_URL=url):
        Rewarder(rubric(1)).score(samples("first"))
    assert client.get("/v1/admin/engines").json()["engines"][0]["asleep"]


def test_a_judge_that_cannot_sleep_ends_the_first_call_with_what_to_do():
    with (
        StubJudge() as judge,
        served(settings_of(judge.specification)) as client,
        pytest.raises(Refused, match="--enable-sleep-mode"),
    ):
        Rewarder(rubric(1), url=str(client.base_url), sleep_level=1).score(samples("first"))


@pytest.mark.parametrize("level", [0, 3, "1", True])
def test_any_other_level_is_told_at_construction(level):
    with pytest.raises(BadConfiguration, match="sleep_level"):
        Rewarder("a/b", sleep_level=level)
