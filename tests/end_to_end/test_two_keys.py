"""A hostile API key does not slow another one down, nor gets it refused."""

import pytest

from tests.end_to_end.hostile_ways import WAYS
from tests.end_to_end.two_keys import SETTLED_SECONDS, hostile

NOISE_SECONDS = 0.1  # of a machine that runs other programs beside this one
SHORT = ("groups", "bodies")
SAMPLE = (*SHORT, *(pytest.param(way, marks=pytest.mark.long) for way in ("jobs", "requests", "marks")))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("way", SAMPLE)
def test_the_other_key_is_answered_as_before_and_never_refused(tmp_path, way):
    """Four seconds hold few requests, so the median is compared; a minute of ``make test-long`` compares p99."""
    outcome = hostile(tmp_path, way, seconds=4, phase_seconds=4, settled_seconds=0)
    assert set(outcome.statuses) == {200}, outcome.line()
    quiet, beside = (seen.percentile(0.5) for seen in (outcome.quiet, outcome.beside))
    assert beside <= 5 * quiet + 6 * NOISE_SECONDS, outcome.line()


@pytest.mark.longest
@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
def test_a_minute_of_it_leaves_p99_within_twice_its_quiet_value(tmp_path, way):
    outcome = hostile(tmp_path, way, seconds=60, settled_seconds=SETTLED_SECONDS)
    assert set(outcome.statuses) == {200}, outcome.line()
    assert outcome.beside.p99 <= 2 * outcome.quiet.p99 + NOISE_SECONDS, outcome.line()
    assert outcome.kept_mebibytes < 50, outcome.line()
    assert all(seconds < 5 for seconds in outcome.jobs.seconds), outcome.line()
