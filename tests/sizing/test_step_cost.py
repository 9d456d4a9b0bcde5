"""The cost of a step is recovered from measured times."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.sizing.step_cost import FrontCost, StepCost, StepWork, fit, fit_front

WORKS = [
    StepWork(*counts)
    for counts in (
        (1, 64, 1, 2_000, 0, 1, 64),
        (1, 900, 1, 400_000, 0, 1, 900),
        (2, 3_000, 2, 4_000_000, 2_000, 1, 3_000),
        (1, 1, 1, 3_000, 3_000, 1, 3_001),
        (3, 800, 24, 30_000, 100, 24, 5_000),
        (40, 400, 320, 300_000, 90_000, 8, 300),
        (48, 48, 48, 60_000, 60_000, 1, 40),
        (1, 96, 96, 9_000, 200_000, 96, 200_000),
        (5, 300, 60, 9_000, 1_000, 60, 2_000),
    )
]


@settings(max_examples=15)
@given(st.lists(st.floats(1e-3, 10), min_size=7, max_size=7))
def test_exact_times_give_back_the_cost_that_made_them(scales):
    cost = StepCost(
        step=4e-3 * scales[0],
        token=4e-5 * scales[1],
        sequence=1e-4 * scales[2],
        pair=1e-8 * scales[3],
        context=1e-6 * scales[4],
        call=2e-4 * scales[5],
        admitted=5e-7 * scales[6],
    )
    seconds = [cost.seconds(work) + cost.step * (work.steps - 1) for work in WORKS]
    found = fit(WORKS, seconds)
    assert found.error < 1e-6
    predicted = [found.cost.seconds(work) + found.cost.step * (work.steps - 1) for work in WORKS]
    assert predicted == pytest.approx(seconds, rel=1e-6)


def test_no_coefficient_is_negative_however_the_times_are():
    found = fit(WORKS, [5.0, 0.1, 0.1, 5.0, 0.1, 0.1, 0.1, 5.0, 0.1]).cost
    assert min(found.model_dump().values()) >= 0


def test_too_few_measurements_are_refused():
    with pytest.raises(ValueError, match="7 measurements"):
        fit(WORKS[:6], [1.0] * 6)


def test_a_step_never_takes_less_than_reading_the_weights():
    cost = StepCost(step=0.001, token=0.0001, weights=0.01)
    assert cost.seconds(StepWork(1, 1, 1)) == pytest.approx(0.011)
    assert cost.seconds(StepWork(1, 1_000, 1)) == pytest.approx(0.101)


def test_the_cost_of_asking_is_recovered_from_processor_time():
    asked = [
        (1, 64, 64, 1),
        (1, 900, 900, 48),
        (8, 8_000, 8_000, 384),
        (48, 70_000, 3_000, 48),
        (48, 70_000, 0, 48),
        (1, 3_000, 0, 1),
    ]
    front = FrontCost(call=3e-4, sent=1e-6, new=7e-7, read=5e-5)
    found = fit_front(asked, [front.seconds(*one) for one in asked])
    assert found.model_dump() == pytest.approx(front.model_dump(), rel=1e-6)
