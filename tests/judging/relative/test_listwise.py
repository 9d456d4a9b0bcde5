import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Reading, failed
from judge_server.judging.relative.listwise import Listwise
from judge_server.judging.relative.standing import Contest

GONE = failed(Failure(type="unusable_verdict", detail="no JSON"))


def listwise(size, orders=2, per_list=8, characters=None, length=10):
    return Listwise(orders, per_list, (length,) * size, characters)


def contest(size, seed=3, copies=None, beaten=0):
    return Contest(tuple(copies or [1] * size), beaten, seed)


def scores(*values):
    return Answer(reading=Reading(0.5, tuple(values)))


def scored(method, field, worth):
    """``worth(place, position)``: what the judge says of a candidate that stands there."""
    return {
        shown: scores(*(worth(place, position) for position, place in enumerate(shown)))
        for shown in method.presentations(field)
    }


@given(st.integers(2, 40), st.integers(3, 10), st.sampled_from([2, 4, 8]), st.integers(0, 99))
def test_every_candidate_is_shown_in_every_order_and_its_reverse(size, per_list, orders, seed):
    shown = listwise(size, orders, per_list).presentations(contest(size, seed))
    assert {place for one in shown for place in one} == set(range(size))
    assert {one[::-1] for one in shown} == set(shown)
    assert all(len(set(one)) == len(one) <= per_list for one in shown)
    assert len(set(shown)) == len(shown)


def test_orders_hang_on_the_content_alone():
    method = listwise(6)
    assert method.presentations(contest(6)) == method.presentations(contest(6))
    assert method.presentations(contest(6, seed=3)) != method.presentations(contest(6, seed=4))


def test_a_preference_for_early_places_is_taken_out_by_the_reverse():
    method, field = listwise(5), contest(5)
    standing = method.standing(field, scored(method, field, lambda place, position: 0.9 - 0.2 * position))
    assert standing.rewards == pytest.approx((0.5,) * 5)
    assert (standing.pairs, standing.inconsistent) == (10, 10)


def test_an_impartial_judge_is_taken_at_its_word():
    method, field = listwise(4), contest(4)
    standing = method.standing(field, scored(method, field, lambda place, position: place / 4))
    assert standing.rewards == pytest.approx((0, 0.25, 0.5, 0.75))
    assert standing.inconsistent == 0


def test_a_list_read_in_one_order_only_is_no_reading():
    method, field = listwise(3), contest(3)
    answers = scored(method, field, lambda place, position: 0.5)
    standing = method.standing(field, answers | {next(iter(answers)): GONE})
    assert standing.rewards == (None,) * 3
    assert {failure.type for failure in standing.failures} == {"unusable_verdict"}


def test_lists_of_a_large_group_are_brought_to_one_scale_by_what_they_share():
    method, field = listwise(14, per_list=5), contest(14)
    shown = method.presentations(field)
    anchors = set.intersection(*(set(one) for one in shown))
    assert len(anchors) == 2
    lenient = {one for one in shown if 5 in one}

    def answer(one):
        return scores(*(0.1 + place / 20 + (0.2 if one in lenient else 0.0) for place in one))

    standing = method.standing(field, {one: answer(one) for one in shown})
    steps = [later - earlier for earlier, later in zip(standing.rewards, standing.rewards[1:], strict=False)]
    assert steps == pytest.approx([1 / 20] * 13)


def test_a_list_that_failed_costs_only_those_that_stood_in_no_other():
    method, field = listwise(12, per_list=5), contest(12)
    shown = method.presentations(field)
    answers = scored(method, field, lambda place, position: 0.4)
    lost = set(shown[0]) - set(shown[2])
    standing = method.standing(field, answers | {shown[0]: GONE})
    assert {place for place, reward in enumerate(standing.rewards) if reward is None} == lost


def test_lists_are_cut_to_what_the_judge_can_read():
    method = listwise(9, per_list=9, length=100, characters=450)
    shown = method.presentations(contest(9))
    assert max(len(one) for one in shown) <= 4
    assert {place for one in shown for place in one} == set(range(9))


def test_equals_stand_in_the_middle_and_the_only_one_that_says_anything_at_the_top():
    assert listwise(1).standing(contest(1, copies=[3]), {}).rewards == (0.5,)
    assert listwise(1).standing(contest(1, beaten=2), {}).rewards == (1.0,)
    assert listwise(1).presentations(contest(1, copies=[3])) == ()


@given(st.integers(2, 20), st.randoms(use_true_random=False))
def test_rewards_are_in_bounds_and_stand_exactly_where_no_failure_does(size, draw):
    method, field = listwise(size, 4, 4), contest(size)
    answers = {
        one: GONE if draw.random() < 0.3 else scores(*(draw.random() for _ in one))
        for one in method.presentations(field)
    }
    standing = method.standing(field, answers)
    for reward, failure in zip(standing.rewards, standing.failures, strict=True):
        assert (reward is None) == (failure is not None)
        assert reward is None or 0 <= reward <= 1
