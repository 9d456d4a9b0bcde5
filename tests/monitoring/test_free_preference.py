"""Reward and preference without the rubric, on the same prompts."""

import numpy as np
import pytest

from judge_server.monitoring.free_preference import RolloutPair, ends_of, free_preference, pairs_of
from judge_server.store.run_prompts import RewardedRollout


def rollout(number, prompt, step=0, reward=0.5):
    return RewardedRollout(f"j{number}", prompt, step, reward)


def compared(seed, *, gain, preferred, count=100):
    """``preferred``: the probability that the later response is; rewards change by ``gain`` on average."""
    random = np.random.default_rng(seed)
    return [
        (
            RolloutPair(
                rollout(n, f"p{n}", 0, 0.5), rollout(n + count, f"p{n}", 9, 0.5 + gain + float(random.normal(0, 0.2)))
            ),
            float(random.random() < preferred),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("gain", "preferred", "state"),
    [(0.2, 0.2, "alarm"), (0.2, 0.8, "ok"), (-0.2, 0.2, "ok"), (0.2, 0.5, "ok"), (0.0, 0.2, "ok")],
)
def test_the_alarm_needs_a_rising_reward_and_a_falling_preference(gain, preferred, state):
    found = free_preference(compared(1, gain=gain, preferred=preferred))
    assert found.state == state
    assert ("the rubric has a hole" in found.text) == (state == "alarm")


def test_few_pairs_are_not_enough_and_failures_are_no_preference():
    known = compared(2, gain=0.3, preferred=0.0, count=40)
    lost = [(pair, None) for pair, _ in known[:15]]
    found = free_preference([*known[15:], *lost])
    assert (found.state, found.pairs, found.failed, found.preferred) == ("not_enough_evidence", 25, 15, None)


def test_an_alarm_is_rare_if_nothing_changed():
    """The reward has to rise and the preference to fall, each beyond its 95 % interval: by chance in about 1 of 1,600
    looks, and in none of these 100."""
    assert not any(free_preference(compared(seed, gain=0.0, preferred=0.5)).state == "alarm" for seed in range(100))


def test_one_pair_a_prompt_the_same_in_every_run():
    before = [rollout(n, f"p{n % 4}") for n in range(12)]
    after = [rollout(100 + n, f"p{n % 5}") for n in range(15)]
    pairs = pairs_of(before, after, 10)
    assert sorted(pair.before.prompt for pair in pairs) == ["p0", "p1", "p2", "p3"]
    assert all(pair.before.prompt == pair.after.prompt for pair in pairs)
    assert pairs_of(list(reversed(before)), after, 10) == pairs
    assert pairs_of(before, after, 2) == pairs[:2]


@pytest.mark.parametrize(("steps", "first", "last"), [(10, {0, 1}, {8, 9}), (2, {0}, {1}), (1, set(), set())])
def test_the_ends_of_a_run_share_no_step(steps, first, last):
    before, after = ends_of([rollout(n, "p", n % steps) for n in range(30)])
    assert {one.step for one in before} == first
    assert {one.step for one in after} == last
