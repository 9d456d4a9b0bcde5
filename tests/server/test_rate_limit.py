"""Requests a second, counted honestly: whoever waits as long as he is told is let in."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from judge_server.core.caller import Allowance
from judge_server.core.errors import AllowanceSpent
from judge_server.server.middleware.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def refusal(limit: RateLimit, allowance: Allowance, caller: str = "a") -> float:
    """Seconds to wait; 0 where the request was let in."""
    try:
        limit.take(caller, allowance)
    except AllowanceSpent as spent:
        return spent.retry_after_seconds or 0.0
    return 0.0


def test_a_burst_is_let_in_and_then_one_after_the_other():
    clock = Clock()
    limit, allowance = RateLimit(clock), Allowance(requests_per_second=2, burst=3)
    assert [refusal(limit, allowance) for _ in range(4)] == [0, 0, 0, pytest.approx(0.5)]
    clock.now += 0.5
    assert [refusal(limit, allowance) for _ in range(2)] == [0, pytest.approx(0.5)]
    clock.now += 60
    assert [refusal(limit, allowance) > 0 for _ in range(4)] == [False, False, False, True]


def test_callers_have_buckets_of_their_own():
    limit, allowance = RateLimit(Clock()), Allowance(requests_per_second=1)
    assert refusal(limit, allowance, "a") == 0
    assert refusal(limit, allowance, "a") > 0
    assert refusal(limit, allowance, "b") == 0


def test_without_a_limit_nothing_is_counted():
    limit = RateLimit(Clock())
    assert all(refusal(limit, Allowance()) == 0 for _ in range(1_000))


@given(rate=some.floats(0.01, 1_000), burst=some.integers(1, 50), pauses=some.lists(some.floats(0, 3), max_size=60))
def test_who_waits_as_long_as_told_is_let_in_and_the_rate_is_kept(rate, burst, pauses):
    clock = Clock()
    limit, allowance = RateLimit(clock), Allowance(requests_per_second=rate, burst=burst)
    begun = clock.now
    for let_in, pause in enumerate(pauses, start=1):
        clock.now += pause
        wait = refusal(limit, allowance)
        if wait:
            clock.now += wait + 1e-6
            assert refusal(limit, allowance) == 0
        assert let_in <= burst + (clock.now - begun) * rate + 1e-3
