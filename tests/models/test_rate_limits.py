"""Judges that refuse calls for load: every call waits for its turn, and none is lost before its deadline."""

import asyncio
import threading
import time

import pytest

from judge_server.core.errors import ModelUnavailable
from judge_server.models.fleet import LEAST_AT_A_TIME, Fleet
from judge_server.models.openai_fault import CallOutcome
from tests.models.openai_model import after_start, is_probe, request, started
from tests.stub_judge import Behaviour, Reply, StubJudge, faithful
from tests.yardstick import PATIENCE_SECONDS


class Limited:
    """Answers ``most`` calls in each window of ``seconds``, and refuses the others until its end. ``tells``: with a
    Retry-After."""

    def __init__(self, most: int, seconds: float, *, tells: bool = True) -> None:
        self.most = most
        self.seconds = seconds
        self.tells = tells
        self.refused = self.answered = 0
        self._window, self._in_it = -1, 0
        self._well = faithful()
        self._lock = threading.Lock()

    def __call__(self, body):
        if is_probe(body):
            return self._well(body)
        with self._lock:
            now = time.monotonic()
            window = int(now / self.seconds)
            if window != self._window:
                self._window, self._in_it = window, 0
            if self._in_it < self.most:
                self._in_it += 1
                self.answered += 1
                return self._well(body)
            self.refused += 1
            left = (window + 1) * self.seconds - now
            return Reply(429, b"", {"Retry-After": f"{left:.3f}"} if self.tells else {})


def every_third(behave: Behaviour) -> Behaviour:
    calls = [0]

    def answers(body):
        if is_probe(body):
            return behave(body)
        calls[0] += 1
        return behave(body) if calls[0] % 3 == 0 else Reply(429)

    return answers


async def _asked(model, count: int, deadline_seconds: float | None = 120.0) -> None:
    answers = await asyncio.gather(
        *(model.complete(request(f"case {number}", deadline_seconds=deadline_seconds)) for number in range(count))
    )
    assert {answer.text for answer in answers} == {"Yes"}


async def test_no_call_is_lost_to_a_limit_of_calls_a_second_and_few_are_refused():
    limited = Limited(20, 0.4)
    with StubJudge(limited) as judge:
        async with started(judge) as model:
            await _asked(model, 120)
            assert limited.answered == 120
            assert limited.refused <= 120, "as many calls at a time as the server accepts"
            assert model.capacity <= 40 or not limited.refused  # a slow machine may ask too slowly to be refused


async def test_no_call_is_lost_to_a_limit_that_says_no_time():
    limited = Limited(20, 0.4, tells=False)
    with StubJudge(limited) as judge:
        async with started(judge) as model:
            await _asked(model, 100)


async def test_no_call_is_lost_where_two_of_three_are_refused():
    with StubJudge(every_third(faithful())) as judge:
        async with started(judge) as model:
            await _asked(model, 200)


async def test_a_retry_after_is_waited_for_as_long_as_the_deadline_allows():
    with StubJudge(after_start(Reply(429, b"", {"Retry-After": "7"}), *[faithful()({})])) as judge:
        async with started(judge) as model:
            calls, begun = judge.calls, time.monotonic()
            await _asked(model, 1)
            assert time.monotonic() - begun >= 7, "longer than a failing server is waited for"
            assert judge.calls - calls == 2


async def test_a_judge_that_refuses_until_the_deadline_is_unavailable_then():
    with StubJudge(after_start(Reply(429))) as judge:
        async with started(judge) as model:
            calls = judge.calls
            with pytest.raises(ModelUnavailable):
                await model.complete(request(deadline_seconds=4))
            assert judge.calls - calls > 3


async def test_another_address_answers_while_one_is_busy():
    with StubJudge(after_start(Reply(429, b"", {"Retry-After": "60"}))) as busy, StubJudge() as free:
        async with started(busy, free) as model:
            calls = busy.calls
            await _asked(model, 40, deadline_seconds=10)
            assert busy.calls - calls <= 40


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _fleet_with(calls: int) -> tuple[Fleet, _Clock]:
    clock = _Clock()
    fleet = Fleet(["http://a"], clock)
    for _ in range(calls):
        assert fleet.take() is not None
    return fleet, clock


def test_after_a_pause_an_address_gets_as_many_calls_as_it_accepted():
    fleet, clock = _fleet_with(30)
    (address,) = fleet.addresses
    for number in range(30):
        if number < 8:
            fleet.give_back(address, CallOutcome.ANSWERED)
        else:
            fleet.give_back(address, CallOutcome.BUSY, 1.0)
    assert fleet.take() is None
    clock.now = 1.0
    assert [fleet.take() is not None for _ in range(9)] == [True] * 8 + [False]


def test_calls_refused_together_halve_the_limit_once_and_answers_raise_it_by_one_a_round():
    fleet, _ = _fleet_with(32)
    (address,) = fleet.addresses
    for number in range(1, 33):
        fleet.give_back(address, CallOutcome.BUSY, number=number)
    assert address.limit == 16
    for _ in range(16):
        fleet.take()
        fleet.give_back(address, CallOutcome.ANSWERED)
    assert 16.9 < address.limit < 17
    for _ in range(100):
        if fleet.take() is not None:
            fleet.give_back(address, CallOutcome.BUSY)
    assert address.limit == LEAST_AT_A_TIME


@pytest.mark.long
async def test_a_call_without_a_deadline_that_is_refused_again_and_again_ends():
    """A server that refuses this prompt for ever, and no other."""
    with StubJudge(after_start(Reply(429, {"error": "slow down"}))) as judge:
        async with started(judge) as model:
            async with asyncio.timeout(PATIENCE_SECONDS):  # 600 s if it waited as for a busy server
                with pytest.raises(ModelUnavailable):
                    await model.complete(request())
