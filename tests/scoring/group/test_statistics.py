from math import sqrt
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.scoring.group.report import advantages, statistics

KINDS = ("grpo", "dr_grpo", "rloo")
groups = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=20)
plain = st.lists(st.none() | st.integers(-8, 8).map(lambda n: n / 8), max_size=12)


def known(values):
    return [value for value in values if value is not None]


def test_the_three_kinds_of_advantage_on_a_group_worked_out_by_hand():
    group = [1.0, 0.0, None, 0.5]
    std = sqrt(0.5 / 3)
    found = statistics(group)
    assert (found.count, found.mean) == (3, 0.5)
    assert found.std == pytest.approx(std)
    assert not found.zero_variance
    assert advantages(group, "grpo") == pytest.approx((0.5 / (std + 1e-4), -0.5 / (std + 1e-4), None, 0.0))
    assert advantages(group, "dr_grpo") == pytest.approx((0.5, -0.5, None, 0.0))
    assert advantages(group, "rloo") == pytest.approx((1.0 - 0.25, 0.0 - 0.75, None, 0.5 - 0.5))


@pytest.mark.parametrize("group", [[], [None], [0.7], [0.7, None], [0.1] * 8, [1e9 / 3] * 7, [0.3, 0.3, None]])
def test_a_group_without_a_difference_teaches_nothing(group):
    assert statistics(group).zero_variance
    assert all(value in (None, 0.0) for kind in KINDS for value in advantages(group, kind))


@pytest.mark.parametrize("group", [[0.3, None, 0.4], [None, 0.0, 1.0, None]])
def test_members_without_a_reward_hide_no_difference(group):
    assert not statistics(group).zero_variance


def test_a_group_without_rewards_has_no_mean():
    found = statistics([None, None])
    assert (found.count, found.mean, found.std, found.zero_variance) == (0, None, None, True)
    assert advantages([None, None], "grpo") == (None, None)


@given(groups)
def test_statistics_are_finite_and_advantages_stand_where_rewards_do(group):
    found = statistics(group)
    for kind in KINDS:
        assert [value is None for value in advantages(group, kind)] == [reward is None for reward in group]
    if found.count:
        assert min(known(group)) - 1e-6 <= found.mean <= max(known(group)) + 1e-6
        assert found.std >= 0


@given(plain, st.sampled_from(KINDS))
def test_advantages_sum_to_nothing(group, kind):
    assert sum(known(advantages(group, kind))) == pytest.approx(0, abs=1e-6)


@given(plain, st.sampled_from(KINDS), st.integers(-3, 3))
def test_a_bonus_for_everybody_is_no_advantage_for_anybody(group, kind, bonus):
    shifted = [None if reward is None else reward + bonus for reward in group]
    assert advantages(shifted, kind) == pytest.approx(advantages(group, kind), abs=1e-6)


@given(plain.filter(lambda group: len(known(group)) > 1))
def test_leave_one_out_compares_each_with_the_mean_of_the_others(group):
    rewards = known(group)
    expected = [reward - fmean(rewards[:place] + rewards[place + 1 :]) for place, reward in enumerate(rewards)]
    assert known(advantages(group, "rloo")) == pytest.approx(expected, abs=1e-9)


@given(plain, st.sampled_from(KINDS), st.randoms(use_true_random=False))
def test_who_has_no_reward_and_who_came_first_changes_nothing_for_the_others(group, kind, draw):
    alone = advantages(known(group), kind)
    assert known(advantages(group, kind)) == pytest.approx(list(alone))
    order = list(range(len(group)))
    draw.shuffle(order)
    shuffled = advantages([group[place] for place in order], kind)
    assert [shuffled[order.index(place)] for place in range(len(group))] == pytest.approx(advantages(group, kind))


def test_rewards_beyond_the_range_of_their_sum_have_a_mean():
    assert statistics([1.5e308, 1.6e308]).mean == pytest.approx(1.55e308)
