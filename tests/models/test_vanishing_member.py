"""A preemptible server that is killed and comes back every few seconds, beside one that stays.

Both have the capacity of an engine. The rate of answers follows, none is lost and none is false."""

import asyncio
import contextlib
import heapq
import logging
import time
from dataclasses import replace
from statistics import fmean

import pytest

from tests.models.openai_model import is_probe, request, started
from tests.stub_judge import StubJudge, labels

_LOG = logging.getLogger(__name__)
pytestmark = [pytest.mark.longest, pytest.mark.timeout(240)]
_SLOTS, _LATENCY_SECONDS, _AT_ONCE = 8, 0.4, 64
_THERE_SECONDS, _AWAY_SECONDS, _TURNS = 9.0, 5.0, 3


class _Busy:
    """Answers ``_SLOTS`` calls at a time, each in ``_LATENCY_SECONDS``; the parity of the question is the answer."""

    def __init__(self):
        self._free_at = [0.0] * _SLOTS
        self.asked = 0

    def __call__(self, body):
        if is_probe(body):
            return labels(Yes=0.9, No=0.1)
        self.asked += 1
        even = int(body["messages"][0]["content"]) % 2 == 0
        now = time.monotonic()
        ends = max(now, self._free_at[0]) + _LATENCY_SECONDS
        heapq.heapreplace(self._free_at, ends)
        told = labels(Yes=0.9, No=0.1) if even else labels(Yes=0.1, No=0.9)
        return replace(told, delay_seconds=ends - now)


async def _flicker(port, spans):
    """Kills the server and starts it again; notes when it was there."""
    for _ in range(_TURNS):
        began = time.monotonic()
        with StubJudge(_Busy(), port=port):
            await asyncio.sleep(_THERE_SECONDS)
            spans.append((began, time.monotonic()))
        await asyncio.sleep(_AWAY_SECONDS)


async def test_the_rate_follows_a_member_that_vanishes_every_few_seconds_and_nothing_is_lost_or_false():
    answers, spans, numbers = [], [], iter(range(1_000_000))
    with StubJudge() as probe:
        port = probe.port
    lasting = _Busy()
    with StubJudge(lasting) as stays, contextlib.ExitStack() as first:
        spot = first.enter_context(StubJudge(_Busy(), port=port)).address
        async with started(stays, spot, preemptible=[spot]) as model:
            first.close()
            ends = time.monotonic() + _TURNS * (_THERE_SECONDS + _AWAY_SECONDS)

            async def ask():
                while time.monotonic() < ends:
                    number = next(numbers)
                    answer = await model.complete(request(f"{number}"))
                    answers.append((time.monotonic(), number, answer.text))

            flickering = asyncio.create_task(_flicker(port, spans))
            await asyncio.gather(*(ask() for _ in range(_AT_ONCE)))
            await flickering
    assert all(text == ("Yes" if number % 2 == 0 else "No") for _, number, text in answers)
    assert sorted(number for _, number, _ in answers) == list(range(len(answers)))
    there = fmean(_rate(answers, began + 3, end) for began, end in spans)
    away = fmean(_rate(answers, end + 1, end + _AWAY_SECONDS) for _, end in spans)
    _LOG.info("%d answers: %.1f/s while it was there, %.1f/s while it was away", len(answers), there, away)
    assert there > 1.4 * away
    assert away > 0.6 * _SLOTS / _LATENCY_SECONDS


def _rate(answers, start, end):
    return sum(start <= at < end for at, _, _ in answers) / (end - start)
