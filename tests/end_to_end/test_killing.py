"""A server that is killed loses nothing of a job, and asks the judge for nothing that is stored."""

import pytest

from tests.end_to_end.killing import kill_again_and_again


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kills", "count"), [(2, 240), pytest.param(12, 1_500, marks=pytest.mark.long)])
def test_a_job_survives_kills_at_random_moments(url, tmp_path, kills, count):
    outcome = kill_again_and_again(url, tmp_path, kills=kills, count=count)
    assert (outcome.lost, outcome.doubled, outcome.repeated, outcome.wrong) == (0, 0, 0, 0)
    assert outcome.kills >= 2
