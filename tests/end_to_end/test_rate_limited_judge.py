"""A hosted judge with a rate limit: 200 samples of two criteria at the default deadline, none without a reward."""

import time

import pytest

from tests.models.test_rate_limits import Limited, every_third
from tests.served import served, settings_of
from tests.stub_judge import Reply, StubJudge, faithful

SAMPLES = 200


def _rubric():
    criteria = [{"id": name, "statement": f"It is {name}.", "points": 1} for name in ("short", "kind")]
    return {"id": "t/two", "version": "1.0.0", "title": "Two", "criteria": criteria}


def _nulls_and_seconds(behave, samples: int = SAMPLES) -> tuple[int, float]:
    """Of a batch against a judge that behaves so."""
    with StubJudge(behave) as judge, served(settings_of(judge.specification)) as client:
        items = [{"prompt": "p", "response": f"answer {number}", "rubric": _rubric()} for number in range(samples)]
        begun = time.monotonic()
        answer = client.post("/v1/score/batch", json={"items": items}, timeout=150)
        taken = time.monotonic() - begun
        assert answer.status_code == 200, answer.text
        return sum(one["reward"] is None for one in answer.json()["results"]), taken


def test_a_judge_that_allows_few_calls_a_second_costs_no_reward():
    nulls, _ = _nulls_and_seconds(Limited(40, 0.5), samples=60)
    assert not nulls


@pytest.mark.longest
@pytest.mark.parametrize("seconds", [1.0, 60.0], ids=["10 a second", "600 a minute"])
def test_nine_tenths_of_the_allowed_calls_are_used(seconds):
    limited = Limited(int(10 * seconds), seconds)
    nulls, taken = _nulls_and_seconds(limited)
    windows = -(-2 * SAMPLES // int(10 * seconds))
    least = (windows - 1) * seconds
    assert not nulls
    assert taken <= least / 0.9 + 10, f"{taken:.1f} s, at least {least:.1f} s; {limited.refused} calls refused"


@pytest.mark.longest
@pytest.mark.parametrize("told", [True, False], ids=["Retry-After 20", "two of three refused"])
def test_no_reward_is_lost_to_a_judge_that_refuses_for_a_while(told):
    calls = [0]

    def for_a_while(body):
        calls[0] += 1
        return Reply(429, b"", {"Retry-After": "20"}) if 30 < calls[0] <= 40 else faithful()(body)

    nulls, _ = _nulls_and_seconds(for_a_while if told else every_third(faithful()), samples=300)
    assert not nulls
