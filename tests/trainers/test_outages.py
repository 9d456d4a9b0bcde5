"""Real trainers on a CPU while the server is killed, its rubric changed or its judge broken: each is stopped, waited
for or logged, no reward is false, and the store tells for every step what rewarded it."""

import pytest

from tests.trainers.outage_cases import CASES, TRAINERS, carry_out, killed

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(1500)]

SHORT = (
    "rubric file broken, then changed under its version",
    "judge replaced, server runs on",
    "judge, then guard replaced, each with a repin",
)
LONG = [
    (trainer, case) for trainer in TRAINERS for case in CASES if (trainer, case) not in {("trl", one) for one in SHORT}
]


def test_a_restart_is_waited_for_at_each_place_of_a_run(tmp_path, tiny_checkpoint):
    found = carry_out(killed(1, 1, 1), "trl", tmp_path, tiny_checkpoint)

    assert found.false == []
    assert set(found.told.values()) == {1}


@pytest.mark.parametrize("case", SHORT)
def test_a_change_in_the_middle_stops_the_training_or_is_a_recorded_act(case, tmp_path, tiny_checkpoint):
    assert carry_out(CASES[case], "trl", tmp_path, tiny_checkpoint).false == []


@pytest.mark.longest
@pytest.mark.parametrize(("trainer", "case"), LONG)
def test_whatever_happens_is_waited_for_or_logged_or_stops_the_training(trainer, case, tmp_path, tiny_checkpoint):
    assert carry_out(CASES[case], trainer, tmp_path, tiny_checkpoint).false == []
