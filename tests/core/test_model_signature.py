"""How far answers to fixed questions may move before they are those of another model."""

from datetime import UTC, datetime

import pytest

from judge_server.core.model_signature import ModelSignature, distance, mean_of, noise_of


def yes(*shares):
    return [None if share is None else {"yes": share, "no": 1 - share} for share in shares]


def signature(*rounds, worded=False):
    noise, mean_noise = noise_of(rounds)
    return ModelSignature(
        id="a", reactions=mean_of(rounds), noise=noise, mean_noise=mean_noise, worded=worded, since=datetime.now(UTC)
    )


def test_the_distance_is_half_the_sum_of_the_differences_and_counts_what_is_not_listed_once():
    assert distance({"yes": 0.9, "no": 0.1}, {"yes": 0.6, "no": 0.4}) == pytest.approx(0.3)
    assert distance({"yes": 0.9}, {"no": 0.9}) == pytest.approx(0.9)
    assert distance({"yes": 0.5}, {"yes": 1.0}) == pytest.approx(0.5)
    assert distance({}, {}) == 0.0


@pytest.mark.parametrize(
    ("found", "differs"),
    [
        ((0.91, 0.22, 0.5, 0.1), False),
        ((0.75, 0.2, 0.5, 0.1), True),
        ((0.95, 0.25, 0.55, 0.15), True),
        ((0.95, None, None, None), False),
        ((0.7, None, None, None), True),
        ((None, None, None, None), False),
    ],
    ids=["rounding", "one far", "all a little", "one near, alone", "one far, alone", "no answer"],
)
def test_an_answer_further_off_than_a_tenth_or_all_by_some_hundredths_differ(found, differs):
    assert signature(yes(0.9, 0.2, 0.5, 0.1)).differs(yes(*found)) is differs


def test_one_answer_repeats_another_if_they_are_two_hundredths_apart_or_as_far_as_before():
    steady, wavering = signature(yes(0.9, 0.5)), signature(yes(0.9, 0.45), yes(0.9, 0.55))

    assert steady.repeats(yes(0.9, 0.515))
    assert not steady.repeats(yes(0.9, 0.53))
    assert not steady.repeats(yes(None, None))
    assert wavering.repeats(yes(None, 0.59))


def test_the_least_certain_questions_come_first():
    assert signature(yes(0.9, 0.2, 0.55, None)).least_certain(2) == (2, 1)


def test_a_model_that_wavers_by_itself_may_waver_three_times_as_far():
    steady, wavering = signature(yes(0.9, 0.5)), signature(yes(0.9, 0.45), yes(0.9, 0.55))

    assert steady.differs(yes(0.9, 0.7))
    assert not wavering.differs(yes(0.9, 0.7))
    assert wavering.differs(yes(0.9, 0.95))


def test_single_words_turn_by_themselves_so_two_have_to_differ():
    words = [{"yes": 1.0}, {"no": 1.0}, {"yes": 1.0}]
    spoken = signature(words, worded=True)

    assert not spoken.differs([{"no": 1.0}, {"no": 1.0}, {"yes": 1.0}])
    assert spoken.differs([{"no": 1.0}, {"yes": 1.0}, {"yes": 1.0}])


def test_means_leave_out_missing_answers():
    assert mean_of([yes(0.8, None), yes(0.6, None)]) == ({"no": pytest.approx(0.3), "yes": pytest.approx(0.7)}, None)
    assert noise_of([yes(0.8, None), yes(0.6, 0.1)]) == (pytest.approx(0.2), pytest.approx(0.2))
