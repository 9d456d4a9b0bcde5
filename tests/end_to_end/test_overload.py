"""A server that is asked for ten times as much as its judge can answer stays on its feet."""

import pytest

from tests.end_to_end.overload import DEADLINE_SECONDS, overload


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seconds", [4, pytest.param(30, marks=pytest.mark.long)])
def test_ten_times_too_much_is_refused_with_reason_and_what_is_accepted_is_answered_in_time(tmp_path, seconds):
    outcome = overload(tmp_path, seconds=seconds, times=10)
    assert set(outcome.statuses) <= {200, 429, 503, 504}, outcome.statuses
    assert outcome.statuses[504] <= 0.005 * outcome.statuses[200]  # none, unless other tests take the processor
    assert outcome.statuses[429] > outcome.statuses[200] > 0
    assert outcome.percentile(0.99) <= 1.5 * DEADLINE_SECONDS  # the callers and other tests take the processor too
    assert all(told >= 1 for tally in outcome.tallies.values() for told in tally.told)
    assert outcome.accepted_share("modest") == 1.0
    assert outcome.growth < 128
