from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Reading, failed
from judge_server.judging.relative.standing import Contest, ranks
from judge_server.judging.relative.tournament import Tournament

GONE = failed(Failure(type="judge_unavailable", detail="down"))


def contest(size, copies=None, beaten=0, seed=7):
    return Contest(tuple(copies or [1] * size), beaten, seed)


def said(first):
    return Answer(reading=Reading(first, (first, 1 - first)))


def played(method, field, better):
    """``better(one, other)``: P(one is better) as the judge says it of this order."""
    return {shown: said(better(*shown)) for shown in method.presentations(field)}


def by_strength(one, other):
    return 1.0 if one > other else 0.0


@given(st.integers(2, 60), st.integers(2, 12), st.integers(0, 99))
def test_everybody_meets_as_many_others_in_both_orders_and_nobody_twice(size, opponents, seed):
    shown = Tournament(opponents).presentations(contest(size, seed=seed))
    assert len(set(shown)) == len(shown)
    assert {pair[::-1] for pair in shown} == set(shown)
    met = Counter(place for pair in shown for place in pair)
    everyone = size <= opponents + 1
    assert set(met.values()) == {2 * (size - 1 if everyone else opponents + opponents % 2)}
    reached, border = {0}, [0]
    while border:
        here = border.pop()
        near = {other for one, other in shown if one == here} - reached
        reached |= near
        border += near
    assert len(reached) == size


@pytest.mark.parametrize("size", [3, 7])
def test_a_consistent_judge_puts_everybody_in_order(size):
    method, field = Tournament(6), contest(size)
    standing = method.standing(field, played(method, field, by_strength))
    assert ranks(standing.rewards) == tuple(size - place for place in range(size))
    assert all(0 <= reward <= 1 for reward in standing.rewards)
    assert sum(standing.rewards) == pytest.approx(size / 2)
    assert standing.inconsistent == 0


def test_a_few_games_each_put_a_large_group_nearly_in_order():
    method, field = Tournament(6), contest(24)
    found = ranks(method.standing(field, played(method, field, by_strength)).rewards)
    assert max(abs(rank - (24 - place)) for place, rank in enumerate(found)) <= 7
    assert found[:2] == (24, 23)
    assert sum(abs(rank - (24 - place)) for place, rank in enumerate(found)) / 24 < 2.5


def test_a_judge_that_always_takes_the_first_has_decided_nothing():
    method, field = Tournament(6), contest(5)
    standing = method.standing(field, played(method, field, lambda one, other: 0.9))
    assert standing.rewards == pytest.approx((0.5,) * 5)
    assert (standing.pairs, standing.inconsistent) == (10, 10)


def test_a_preference_for_one_place_is_taken_out_by_the_swap():
    method, field = Tournament(6), contest(2)
    (one, other) = method.presentations(field)[0]
    standing = method.standing(field, {(one, other): said(0.9), (other, one): said(0.3)})
    assert standing.inconsistent == 0
    assert standing.rewards[one] == pytest.approx(1 - standing.rewards[other])
    assert standing.rewards[one] > 0.55


def test_a_pair_that_was_not_read_both_ways_is_missing_and_not_lost():
    method, field = Tournament(6), contest(3)
    answers = played(method, field, by_strength)
    lost = method.standing(field, answers | {(0, 2): said(1.0), (2, 0): said(0.0)})
    missing = method.standing(field, answers | {(0, 2): GONE})
    assert missing.pairs == 2
    assert missing.rewards[2] > lost.rewards[2]
    assert ranks(missing.rewards) == (3, 2, 1)


def test_who_was_compared_with_nobody_has_no_reward_but_a_reason():
    method, field = Tournament(6), contest(4)
    answers = {pair: GONE if 0 in pair else answer for pair, answer in played(method, field, by_strength).items()}
    standing = method.standing(field, answers)
    assert standing.rewards[0] is None
    assert standing.failures[0].type == "judge_unavailable"
    assert standing.failures[1:] == (None, None, None)
    assert ranks(standing.rewards) == (None, 3, 2, 1)
    nobody = method.standing(field, {})
    assert nobody.rewards == (None,) * 4
    assert {failure.type for failure in nobody.failures} == {"timeout"}


def test_halves_that_never_met_do_not_compare():
    method, field = Tournament(6), contest(5)
    island = {0, 1}
    answers = {
        pair: answer if (pair[0] in island) == (pair[1] in island) else GONE
        for pair, answer in played(method, field, by_strength).items()
    }
    standing = method.standing(field, answers)
    assert [reward is None for reward in standing.rewards] == [True, True, False, False, False]


def test_members_with_the_same_text_tie_and_those_that_need_no_judge_are_beaten():
    method, field = Tournament(6), contest(2, copies=[3, 1], beaten=2)
    answers = played(method, field, lambda one, other: 0.5)
    standing = method.standing(field, answers)
    assert standing.rewards == pytest.approx((((0.5 * 2) + 0.5 + 2) / 5, (0.5 * 3 + 2) / 5))
    assert method.standing(contest(1, copies=[1], beaten=1), {}).rewards == (1.0,)
    assert method.standing(contest(1, copies=[4]), {}).rewards == (0.5,)


@given(st.lists(st.floats(0, 1), min_size=12, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
def test_rewards_are_in_bounds_and_stand_exactly_where_no_failure_does(shares, heard):
    method, field = Tournament(6), contest(4)
    shown = method.presentations(field)
    answers = {one: said(share) if ok else GONE for one, share, ok in zip(shown, shares, heard, strict=True)}
    standing = method.standing(field, answers)
    for reward, failure in zip(standing.rewards, standing.failures, strict=True):
        assert (reward is None) == (failure is not None)
        assert reward is None or 0 <= reward <= 1
