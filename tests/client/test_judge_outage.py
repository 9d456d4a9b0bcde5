"""The server answers, and the judge behind it does not: a call is made again until the patience ends."""

import time

import pytest

from judge_client import Rewarder, Sample
from tests.served import judged_by
from tests.stub_judge import Reply, faithful
from tests.submissions import rubric


class Outage:
    """A judge that refuses ``calls`` calls once it was told to ``begin``."""

    def __init__(self, calls):
        self._calls = calls
        self._left = 0

    def begin(self):
        self._left = self._calls

    def __call__(self, body):
        if self._left and "[BEGIN RESPONSE" in str(body):
            self._left -= 1
            return Reply(503)
        return faithful()(body)


def samples(mark, count=3):
    return [Sample("What should I do?", f"Rest, {mark} {place} hours.") for place in range(count)]


def test_a_judge_that_is_away_for_a_moment_costs_no_reward():
    outage = Outage(6)
    with judged_by(outage) as (client, judge):
        rewarder = Rewarder(rubric(1), url=str(client.base_url), on_failure="drop")
        rewarder.score(samples("first"))
        outage.begin()
        assert all(one.reward is not None for one in rewarder.score(samples("second")))
    assert rewarder.counts["failed"] == 0
    assert judge.calls > 9


@pytest.mark.parametrize("bound", [{"patience_seconds": 1}, {"attempts": 2}, {"deadline_seconds": 2}], ids=str)
def test_it_is_waited_for_within_the_bounds_of_a_call(bound):
    outage = Outage(10_000)
    with judged_by(outage) as (client, _):
        url = str(client.base_url)
        rewarder = Rewarder(rubric(1), url=url, on_failure="drop", **bound)
        rewarder.score(samples("first"))
        outage.begin()
        began = time.monotonic()
        failures = {one.failure for one in rewarder.score(samples("second"))}
        assert failures <= {"judge_unavailable", "timeout"}
        assert time.monotonic() - began < 60


def test_a_failure_of_some_is_left_to_the_policy_at_once():
    outage = Outage(1)
    with judged_by(outage) as (client, judge):
        rewarder = Rewarder(rubric(1), url=str(client.base_url), on_failure="drop")
        rewarder.score(samples("first"))
        before = judge.calls
        outage.begin()
        rewards = [one.reward for one in rewarder.score(samples("second"))]
    assert rewards.count(None) == 1
    assert judge.calls == before + 3
