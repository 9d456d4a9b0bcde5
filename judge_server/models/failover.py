"""One call over a fleet of addresses: retries with backoff, failover to another address, and hedged requests."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable
from judge_server.models.fleet import Address, CallOutcome, Fleet
from judge_server.models.openai_fault import ServerFault

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 2.0

# Jitter spreads the retries of many callers; it is not security relevant.
_random = random.Random()  # noqa: S311


def backoff_seconds(attempt: int) -> float:
    """A random wait before attempt ``attempt`` + 1 (counted from 0): 50 to 100 % of a bound that doubles each time."""
    longest = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_SECONDS)
    return longest * _random.uniform(0.5, 1.0)


_REMEMBERED = 256
_ENOUGH = 32
_LOOK_AGAIN = 16
_QUANTILE = 0.95


class Hedging:
    """When a slow call is also sent to a second address. ``wait``: seconds before the second call, or None for the 95th
    percentile of recent answer times. At most ``share`` of all calls are sent twice."""

    def __init__(self, wait: float | None, share: float) -> None:
        self.hedged = 0
        self.won = 0
        self._wait = wait
        self._share = share
        self._saved = 0.0
        self._taken: deque[float] = deque(maxlen=_REMEMBERED)
        self._news = 0
        self._usual: float | None = None

    def delay(self) -> float | None:
        """Seconds to wait before the second address is called, for one more call; None if too little is known yet."""
        self._saved = min(self._saved + self._share, 16.0)
        return self._wait if self._wait is not None else self._usual

    def spend(self) -> bool:
        """Whether one more call may be sent twice; if so it is counted."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        self.hedged += 1
        return True

    def took(self, seconds: float, *, answered: bool) -> None:
        """Record that a call took ``seconds``, or at least that long if it was cancelled before it ``answered``."""
        if not answered and (self._usual is None or seconds < self._usual):
            return
        self._taken.append(seconds)
        self._news += 1
        if len(self._taken) >= _ENOUGH and (self._news >= _LOOK_AGAIN or self._usual is None):
            self._usual = sorted(self._taken)[int(len(self._taken) * _QUANTILE)]
            self._news = 0


LONGEST_WAIT_SECONDS = 5.0  # before one attempt: a longer Retry-After ends the call and is passed on

Post = Callable[[Address, bytes, float | None], Awaitable[bytes | ServerFault]]


@dataclass(frozen=True, slots=True)
class CallLimits:
    """At most ``attempts`` tries; none begins after ``retry_until`` or outlasts ``deadline`` (``time.monotonic()``)."""

    attempts: int
    deadline: float | None = None
    retry_until: float = float("inf")


class Failover:
    """Performs all transport retries. ``post`` makes one attempt on one address."""

    def __init__(self, fleet: Fleet, post: Post, hedging: Hedging | None = None) -> None:
        self._fleet = fleet
        self._post = post
        self._hedging = hedging

    async def ask(self, body: bytes, prefix: str | None, bounds: CallLimits) -> bytes | ServerFault:
        """The body of a good answer, or the last fault. Raises DeadlineExceeded, and ModelUnavailable if no address
        may be called."""
        tried: list[Address] = []
        while True:
            address = await self._take(prefix, tried, bounds.deadline)
            tried.append(address)
            begun = time.monotonic()
            if self._hedging is None:
                answer = await self._attempt(address, body, bounds.deadline)
            else:
                answer = await self._hedged(self._hedging, address, tried, body, bounds.deadline)
            if isinstance(answer, bytes) or len(tried) >= bounds.attempts:
                return answer
            wait = self._wait_seconds(answer, tried, begun, bounds)
            if wait is None:
                return answer
            await asyncio.sleep(wait)

    async def _hedged(
        self, hedging: Hedging, address: Address, tried: list[Address], body: bytes, deadline: float | None
    ) -> bytes | ServerFault:
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
            hedging.won += best is not first and isinstance(best.result(), bytes)
            return best.result()
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    async def _timed(
        self, hedging: Hedging, address: Address, body: bytes, deadline: float | None
    ) -> bytes | ServerFault:
        started, answered = time.monotonic(), False
        try:
            answer = await self._attempt(address, body, deadline)
            answered = isinstance(answer, bytes)
            return answer
        finally:
            hedging.took(time.monotonic() - started, answered=answered)

    async def _attempt(self, address: Address, body: bytes, deadline: float | None) -> bytes | ServerFault:
        outcome, busy_seconds = CallOutcome.ABANDONED, 0.0
        try:
            answer = await self._post(address, body, deadline)
            if isinstance(answer, ServerFault):
                outcome, busy_seconds = answer.outcome, answer.wait_seconds or 0.0
            else:
                outcome = CallOutcome.ANSWERED
            return answer
        finally:
            self._fleet.give_back(address, outcome, busy_seconds)

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
        return None if hopeless or wait > LONGEST_WAIT_SECONDS or now + wait >= latest else wait

    async def _take(self, prefix: str | None, tried: list[Address], deadline: float | None) -> Address:
        """An address to call, after a short wait if none is available."""
        give_up_at = time.monotonic() + LONGEST_WAIT_SECONDS
        while True:
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise DeadlineExceeded("The deadline passed before the judge model could be asked.")
            address = self._fleet.take(prefix, tried)
            if address is not None:
                return address
            wait = self._fleet.wait_seconds()
            if now + wait > give_up_at:
                raise ModelUnavailable(
                    "Every address of the judge model is overloaded or failed several times in a row; calls are "
                    "paused for a while.",
                    remedy="See the model servers' logs.",
                    retry_after_seconds=wait,
                )
            await asyncio.sleep(wait if deadline is None else min(wait, deadline - now))


async def _first_good(calls: Sequence[asyncio.Task[bytes | ServerFault]]) -> asyncio.Task[bytes | ServerFault]:
    """The first call that gave an answer, or ``calls[0]`` if none did."""
    under_way = set(calls)
    while under_way:
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if not call.cancelled() and call.exception() is None and isinstance(call.result(), bytes):
                return call
    return calls[0]
