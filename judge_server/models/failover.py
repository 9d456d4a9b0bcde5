"""One call over a fleet: attempt by attempt, to another address where one is left, within bounds of count and time.

With hedging, an attempt that takes unusually long is made on a second address as well: the first good answer counts,
and the other attempt is cancelled.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable
from judge_server.models.backoff import backoff_seconds
from judge_server.models.fleet import Address, Fleet, Outcome
from judge_server.models.hedging import Hedging
from judge_server.models.openai_fault import Fault

LONGEST_WAIT_SECONDS = 5.0  # before one attempt: a longer Retry-After ends the call and is passed on

Post = Callable[[Address, bytes, float | None], Awaitable[bytes | Fault]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """``attempts`` in all; none begins after ``retry_until`` or outlasts ``deadline`` (both ``time.monotonic()``)."""

    attempts: int
    deadline: float | None = None
    retry_until: float = float("inf")


class Failover:
    """Owns the transport retries. ``post`` makes one attempt on one address."""

    def __init__(self, fleet: Fleet, post: Post, hedging: Hedging | None = None) -> None:
        self._fleet = fleet
        self._post = post
        self._hedging = hedging

    async def ask(self, body: bytes, prefix: str | None, bounds: Bounds) -> bytes | Fault:
        """The body of a good answer, or the last fault. Raises DeadlineExceeded, and ModelUnavailable where no address
        may be asked."""
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
    ) -> bytes | Fault:
        """An attempt on ``address``, and on another one where that takes long; ``tried`` grows by it."""
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

    async def _timed(self, hedging: Hedging, address: Address, body: bytes, deadline: float | None) -> bytes | Fault:
        started, answered = time.monotonic(), False
        try:
            answer = await self._attempt(address, body, deadline)
            answered = isinstance(answer, bytes)
            return answer
        finally:
            hedging.took(time.monotonic() - started, answered=answered)

    async def _attempt(self, address: Address, body: bytes, deadline: float | None) -> bytes | Fault:
        outcome, busy_seconds = Outcome.ABANDONED, 0.0
        try:
            answer = await self._post(address, body, deadline)
            if isinstance(answer, Fault):
                outcome, busy_seconds = answer.outcome, answer.wait_seconds or 0.0
            else:
                outcome = Outcome.ANSWERED
            return answer
        finally:
            self._fleet.give_back(address, outcome, busy_seconds)

    def _wait_seconds(self, fault: Fault, tried: list[Address], begun: float, bounds: Bounds) -> float | None:
        """Until the next attempt, where the last one was ``begun``; None if there is to be none."""
        now = time.monotonic()
        if not fault.again or now >= bounds.retry_until:
            return None
        if self._fleet.others(tried):
            return 0.0
        wait = max(backoff_seconds(len(tried) - 1), fault.wait_seconds or 0.0)
        latest = bounds.retry_until if bounds.deadline is None else min(bounds.retry_until, bounds.deadline)
        # A lost answer is asked for again; a server that lost several and answered nobody meanwhile would only get more
        # to do.
        hopeless = fault.elsewhere and tried[-1].failures > 1 and tried[-1].answered_at < begun
        return None if hopeless or wait > LONGEST_WAIT_SECONDS or now + wait >= latest else wait

    async def _take(self, prefix: str | None, tried: list[Address], deadline: float | None) -> Address:
        """An address to ask, after a short wait where all rest."""
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
                    "Every address of the judge model is overloaded or failed several times in a row, and is left "
                    "alone for a while.",
                    remedy="Look at the model servers' own logs.",
                    retry_after_seconds=wait,
                )
            await asyncio.sleep(wait if deadline is None else min(wait, deadline - now))


async def _first_good(calls: Sequence[asyncio.Task[bytes | Fault]]) -> asyncio.Task[bytes | Fault]:
    """The call that gave an answer first; the first one of all where none did."""
    under_way = set(calls)
    while under_way:
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for call in done:
            if not call.cancelled() and call.exception() is None and isinstance(call.result(), bytes):
                return call
    return calls[0]
