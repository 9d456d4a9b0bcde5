import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.scoring.group import group_statistics

rewards = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=20)


def test_advantages_are_normalised_as_grpo_does():
    found = group_statistics([1.0, 0.0, None, 0.5], advantages=True)
    assert (found.count, found.mean) == (3, 0.5)
    assert found.std == pytest.approx((0.5 / 3) ** 0.5)
    assert found.advantages == pytest.approx((0.5 / (found.std + 1e-4), -0.5 / (found.std + 1e-4), None, 0.0))
    assert not found.zero_variance


@pytest.mark.parametrize("group", [[], [None], [0.7], [0.7, None], [0.1] * 8, [1e9 / 3] * 7, [0.3, 0.3, None]])
def test_a_group_without_a_difference_teaches_nothing(group):
    assert group_statistics(group).zero_variance


def test_a_group_without_rewards_has_no_mean():
    found = group_statistics([None, None], advantages=True)
    assert (found.count, found.mean, found.std, found.advantages) == (0, None, None, (None, None))


def test_advantages_are_given_only_where_they_are_asked_for():
    assert group_statistics([1.0, 0.0]).advantages is None


@given(rewards)
def test_advantages_are_finite_and_stand_where_rewards_do(group):
    found = group_statistics(group, advantages=True)
    assert [advantage is None for advantage in found.advantages] == [reward is None for reward in group]
    if found.count:
        known = [reward for reward in group if reward is not None]
        assert min(known) - 1e-6 <= found.mean <= max(known) + 1e-6
        assert found.std >= 0


def test_rewards_beyond_the_range_of_their_sum_have_a_mean():
    assert group_statistics([1.5e308, 1.6e308]).mean == pytest.approx(1.55e308)
