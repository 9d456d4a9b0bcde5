"""Calls over the addresses of one model: retries with backoff, failover to another address, waits for a busy server,
hedged requests. Nothing here uses the network."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable, UnusableVerdict
from judge_server.models.fleet import Address, Fleet
from judge_server.models.hedging import Hedging
from judge_server.models.openai_fault import CallOutcome, ServerFault
from judge_server.util.time_limit import within

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 5.0  # for a server that fails
LONGEST_BUSY_SECONDS = 600.0  # for a server that refuses for load, if no deadline ends the wait earlier
_REFUSED_SECONDS = 20.0  # without a deadline, a call that was refused so long and so often is given up
_MOST_REFUSALS = 8
_MOST_LOST = 20  # calls that one question loses to preemptible servers, beside its attempts
_MOST_DOUBLINGS = 3  # of the wait for a busy server: it is asked at least once a second
_SHORTEST_OUTAGE_SECONDS, _LONGEST_OUTAGE_SECONDS = 5.0, 60.0

# Jitter spreads the retries of many callers; it is not security relevant.
_random = random.Random()  # noqa: S311


def backoff_seconds(attempt: int) -> float:
    """A random wait before attempt ``attempt`` + 1 (counted from 0): 50 to 100 % of a bound that doubles each time."""
    longest = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_SECONDS)
    return longest * _random.uniform(0.5, 1.0)


Body = TypeVar("Body")
Good = TypeVar("Good")
Post = Callable[[Address, Body, float | None], Awaitable[Good | ServerFault]]


@dataclass(frozen=True, slots=True)
class CallLimits:
    """At most ``attempts`` tries, not counting those that a busy server refused; none begins after ``retry_until`` or
    outlasts ``deadline`` (``time.monotonic()``)."""

    attempts: int
    deadline: float | None = None
    retry_until: float = float("inf")


class Failover(Generic[Body, Good]):
    """Performs all transport retries. ``post`` makes one attempt on one address."""

    def __init__(self, fleet: Fleet, post: Post[Body, Good], hedging: Hedging | None = None) -> None:
        self._fleet = fleet
        self._post = post
        self._hedging = hedging
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def ask(self, body: Body, prefix: str | None, bounds: CallLimits) -> Good | ServerFault:
        """The body of a good answer, or the last fault. Raises DeadlineExceeded, and ModelUnavailable if no address
        may be called."""
        tried: list[Address] = []
        refusals, refused_at, lost = 0, float("inf"), 0
        latest = _latest(bounds)
        while True:
            before = len(tried)
            address = await self._take(prefix, tried, bounds.deadline, latest)
            tried.append(address)
            begun = time.monotonic()
            if self._hedging is None:
                answer = await self._attempt(address, body, bounds.deadline)
            else:
                answer = await self._hedged(self._hedging, address, tried, body, bounds.deadline)
            if not isinstance(answer, ServerFault):
                return answer
            if answer.outcome is CallOutcome.BUSY:
                del tried[before:]
                wait = self._seconds_until_room(answer, address, refusals, latest)
                refusals, refused_at = refusals + 1, min(refused_at, begun)
                if bounds.deadline is None and refusals > _MOST_REFUSALS and begun - refused_at > _REFUSED_SECONDS:
                    wait = None
            elif answer.lost and address.preemptible and lost < _MOST_LOST:
                lost += 1
                wait = self._wait_seconds(answer, tried, begun, bounds)
                del tried[before:]  # its circuit is open, and no attempt is spent on a server that was taken away
            else:
                wait = None if len(tried) >= bounds.attempts else self._wait_seconds(answer, tried, begun, bounds)
            if wait is None:
                return self._told(answer)
            await asyncio.sleep(wait)

    async def _hedged(
        self, hedging: Hedging, address: Address, tried: list[Address], body: Body, deadline: float | None
    ) -> Good | ServerFault:
        """An attempt on ``address`` and, if that takes long, on another one, which is added to ``tried``."""
        delay = hedging.delay()
        if delay is None:
            return await self._timed(hedging, address, body, deadline)
        first = asyncio.create_task(self._timed(hedging, address, body, deadline))
        calls = [first]
        try:
            await asyncio.wait(calls, timeout=delay)
            if not first.done() and self._fleet.others(tried) and hedging.spend():
                other = self._fleet.take(None, tried)
                if other is not None:
                    tried.append(other)
                    calls.append(asyncio.create_task(self._timed(hedging, other, body, deadline)))
            best = await _first_good(calls)
            hedging.won += best is not first and not isinstance(best.result(), ServerFault)
            return best.result()
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _timed(
        self, hedging: Hedging, address: Address, body: Body, deadline: float | None
    ) -> Good | ServerFault:
        started, answered = time.monotonic(), False
        try:
            answer = await self._attempt(address, body, deadline)
            answered = not isinstance(answer, ServerFault)
            return answer
        finally:
            hedging.took(time.monotonic() - started, answered=answered)

    async def _attempt(self, address: Address, body: Body, deadline: float | None) -> Good | ServerFault:
        outcome, busy_seconds, number, lost = CallOutcome.ABANDONED, 0.0, address.last_taken, False
        try:
            answer = await self._post(address, body, deadline)
            if isinstance(answer, ServerFault):
                outcome, busy_seconds, lost = answer.outcome, answer.wait_seconds or 0.0, answer.lost
            else:
                outcome = CallOutcome.ANSWERED
            return answer
        finally:
            self._fleet.give_back(address, outcome, busy_seconds, number, lost=lost)
            self._wake_one()

    def _wait_seconds(self, fault: ServerFault, tried: list[Address], begun: float, bounds: CallLimits) -> float | None:
        """Seconds until the next attempt; None if there must be none. ``begun``: when the last one started."""
        now = time.monotonic()
        if not fault.again or now >= bounds.retry_until:
            return None
        if self._fleet.others(tried):
            return 0.0
        wait = max(backoff_seconds(len(tried) - 1), fault.wait_seconds or 0.0)
        latest = bounds.retry_until if bounds.deadline is None else min(bounds.retry_until, bounds.deadline)
        # Retry a lost answer, but not on a server that lost several and answered none in between: it is probably
        # overloaded.
        hopeless = fault.elsewhere and tried[-1].failures > 1 and tried[-1].answered_at < begun
        # What answers in a way that no model can is asked again only if it goes away by itself.
        misplaced = isinstance(fault.error, UnusableVerdict) and not tried[-1].preemptible
        return None if hopeless or misplaced or wait > LONGEST_WAIT_SECONDS or now + wait >= latest else wait

    def _seconds_until_room(self, fault: ServerFault, address: Address, refusals: int, latest: float) -> float | None:
        """Seconds until a call that a busy server refused is sent again; None if that is after ``latest``."""
        if self._fleet.others((address,)):
            return 0.0
        wait = max(backoff_seconds(min(refusals, _MOST_DOUBLINGS)), fault.wait_seconds or 0.0)
        return None if time.monotonic() + wait >= latest else wait

    async def _take(self, prefix: str | None, tried: list[Address], deadline: float | None, latest: float) -> Address:
        """An address to call: after a short wait if all fail, at ``latest`` if all are busy."""
        give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise DeadlineExceeded("The deadline passed before the judge model could be asked.")
            address = self._fleet.take(prefix, tried)
            if address is not None:
                return address
            wait = self._fleet.wait_seconds()
            if now + wait > (latest if self._fleet.only_busy else give_up_at):
                raise ModelUnavailable(
                    "Every address of the judge model is overloaded or failed several times in a row; calls are "
                    "paused for a while.",
                    remedy="See the model servers' logs.",
                    retry_after_seconds=max(wait, self._outage_wait()),
                )
            await self._room(wait if deadline is None else min(wait, deadline - now))

    async def _room(self, seconds: float) -> None:
        """Wait so long, or until a call ends."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(ended)
        try:
            with suppress(TimeoutError), within(seconds):
                await ended
        finally:
            if ended in self._waiting:
                self._waiting.remove(ended)

    def _wake_one(self) -> None:
        while self._waiting:
            ended = self._waiting.popleft()
            if not ended.done():
                ended.set_result(None)
                return

    def _told(self, fault: ServerFault) -> ServerFault:
        """``fault``, with the time after which another request may succeed: it grows with the outage."""
        if fault.again and fault.error.retry_after_seconds is None:
            fault.error.retry_after_seconds = self._outage_wait()
        return fault

    def _outage_wait(self) -> float:
        return min(max(self._fleet.outage_seconds / 4, _SHORTEST_OUTAGE_SECONDS), _LONGEST_OUTAGE_SECONDS)


def _latest(bounds: CallLimits) -> float:
    """Until when a call may wait for a busy server."""
    end = time.monotonic() + LONGEST_BUSY_SECONDS if bounds.deadline is None else bounds.deadline
    return min(end, bounds.retry_until)


async def _first_good(calls: Sequence[asyncio.Task[Good | ServerFault]]) -> asyncio.Task[Good | ServerFault]:
    """The first call that gave an answer, or ``calls[0]`` if none did."""
    under_way = set(calls)
    while under_way:
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if not call.cancelled() and call.exception() is None and not isinstance(call.result(), ServerFault):
                return call
    return calls[0]
