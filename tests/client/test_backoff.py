from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_client.backoff import Backoff, retry_after_seconds

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
draws = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), draws)
def test_a_wait_is_never_longer_than_the_longest(attempt, draw):
    wait = Backoff(attempts=10**6).wait(attempt, draw=lambda: draw)
    assert 0 <= wait <= min(8.0, 0.5 * 2.0 ** min(attempt - 1, 60))


@given(st.integers(1, 10), st.floats(0, 111), draws)
def test_nobody_comes_back_before_retry_after(attempt, asked, draw):
    assert Backoff(attempts=11).wait(attempt, asked, draw=lambda: draw) >= asked


@given(st.integers(1, 8), st.integers(0, 20))
def test_attempts_are_bounded(attempts, more):
    assert Backoff(attempts=attempts).wait(attempts + more) is None
    assert attempts == 1 or Backoff(attempts=attempts).wait(attempts - 1) is not None


def test_the_draw_reaches_from_nothing_to_all():
    assert Backoff().wait(3, draw=lambda: 0.0) == 0.0
    assert Backoff().wait(3, draw=lambda: 1.0) == 2.0


def test_a_server_that_wants_us_gone_for_an_hour_is_given_up():
    assert Backoff().wait(1, 3_600.0) is None


@given(st.integers(1, 10**6), st.floats(0, 1_000), draws)
def test_patience_bounds_the_time_and_not_the_number_of_attempts(attempt, failing, draw):
    wait = Backoff(patience_seconds=60).wait(attempt, failing_seconds=failing, draw=lambda: draw)
    assert wait is None or failing + wait <= 60
    assert wait is not None or failing + 8 > 60


@given(st.integers(0, 10**6))
def test_retry_after_is_read_as_seconds_and_as_a_date(seconds):
    assert retry_after_seconds(str(seconds), NOW) == seconds
    assert retry_after_seconds(format_datetime(NOW + timedelta(seconds=seconds), usegmt=True), NOW) == seconds


@pytest.mark.parametrize("text", [None, "", " ", "soon", "-1", "nan", "inf", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_that_cannot_be_read_says_nothing(text):
    assert retry_after_seconds(text, NOW) is None


def test_a_date_that_has_passed_asks_for_no_wait():
    assert retry_after_seconds("Thu, 01 Jan 2026 00:00:00 GMT", NOW) == 0.0


@given(st.text())
def test_no_header_breaks_the_reader(text):
    found = retry_after_seconds(text, NOW)
    assert found is None or found >= 0
