"""The addresses of one model, and calls over them: retries with backoff, failover to another address, hedged requests.

Each call goes to an address that is available and least loaded, and to the same one for the same prompt prefix if loads
are equal, so that each server's prefix cache stays warm for its share of the prompts. Each address has a circuit
breaker. After several failures in a row its circuit opens for a while; then a single call probes the address, and each
failed probe doubles the time. Nothing here uses the network, and the fleet's clock is injected.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable
from judge_server.models.openai_fault import CallOutcome, ServerFault

FAILURES_TO_OPEN = 5
FIRST_OPEN_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 30.0
PROBE_WAIT_SECONDS = 0.05
UNHEARD_SECONDS = 3.0  # a server can be replaced within that time, if nobody asks it anything


@dataclass(slots=True, eq=False)
class Address:
    """One server and its state. ``times_opened``: how often in a row its circuit opened. ``lost``: the last call got no
    answer; ``interrupted``: it answered again after that, after a silence or over a new connection, so another server
    may answer now. ``connections``: how many were opened so far; ``keeps_connections``: it leaves them open."""

    url: str
    in_flight: int = 0
    failures: int = 0
    times_opened: int = 0
    open_until: float = 0.0
    busy_until: float = 0.0
    probed: bool = False
    last_taken: int = 0
    answered_at: float = float("-inf")
    lost: bool = False
    interrupted: bool = False
    connections: int = 0
    keeps_connections: bool = False

    def available_at(self) -> float:
        """The clock time from which it may be called, unless a probe is in flight."""
        return max(self.open_until, self.busy_until)


class Fleet:
    """The addresses of one model. Every ``take`` must be followed by one ``give_back``."""

    def __init__(self, urls: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.addresses = tuple(Address(url) for url in urls)
        self.interruptions = 0
        self._clock = clock
        self._taken = 0

    def take(self, prefix: str | None = None, tried: Collection[Address] = ()) -> Address | None:
        """An address to call now, preferably one not in ``tried``; None if no address may be called."""
        now = self._clock()
        available = [address for address in self.addresses if self._available(address, now)]
        if not available:
            return None
        chosen = self._choose([a for a in available if a not in tried] or available, prefix)
        self._taken += 1
        chosen.last_taken = self._taken
        chosen.in_flight += 1
        chosen.probed = chosen.times_opened > 0
        return chosen

    def give_back(
        self, address: Address, outcome: CallOutcome, busy_seconds: float = 0.0, *, lost: bool = False
    ) -> None:
        """Record how the call on ``address`` ended. ``busy_seconds``: how long the server asked not to be called;
        ``lost``: there was no answer at all."""
        now = self._clock()
        address.in_flight -= 1
        address.probed = False
        address.busy_until = max(address.busy_until, now + busy_seconds)
        address.lost |= lost
        if outcome is CallOutcome.ANSWERED:
            if address.lost or now - address.answered_at > UNHEARD_SECONDS:
                self.interrupt(address)
                address.lost = False
            address.answered_at = now
            address.failures = address.times_opened = 0
            address.open_until = 0.0
        elif outcome is CallOutcome.FAILED:
            address.failures += 1
            # A failed probe reopens the circuit; a call that was in flight when the circuit opened does not.
            if now >= address.open_until and (address.times_opened or address.failures >= FAILURES_TO_OPEN):
                address.open_until = now + min(
                    FIRST_OPEN_SECONDS * 2 ** min(address.times_opened, 10), LONGEST_OPEN_SECONDS
                )
                address.times_opened += 1

    def interrupt(self, address: Address) -> None:
        """Another server may answer at the address than before."""
        self.interruptions += 1
        address.interrupted = True

    def only(self, address: Address) -> "Fleet":
        """A fleet of this one address, with the same state."""
        alone = Fleet((), self._clock)
        alone.addresses = (address,)
        return alone

    def others(self, tried: Collection[Address]) -> bool:
        """Whether an address that is not in ``tried`` could be called now."""
        now = self._clock()
        return any(address not in tried and self._available(address, now) for address in self.addresses)

    @property
    def circuits_open(self) -> int:
        """How many addresses have an open circuit."""
        now = self._clock()
        return sum(address.open_until > now for address in self.addresses)

    def wait_seconds(self) -> float:
        """Seconds until an address may be available again; 0 if one is."""
        now = self._clock()
        if any(self._available(address, now) for address in self.addresses):
            return 0.0
        return max(min(address.available_at() for address in self.addresses) - now, PROBE_WAIT_SECONDS)

    def _available(self, address: Address, now: float) -> bool:
        return now >= address.available_at() and not address.probed

    def _choose(self, available: list[Address], prefix: str | None) -> Address:
        least = min(available, key=lambda address: (address.in_flight, address.last_taken))
        if prefix is None or len(available) == 1:
            return least
        preferred = max(available, key=lambda address: _affinity(address.url, prefix))
        return preferred if preferred.in_flight <= least.in_flight + max(4, least.in_flight // 2) else least


def _affinity(url: str, prefix: str) -> bytes:
    """Rendezvous hashing: adding or removing an address moves no prefix between the others."""
    return blake2b(f"{url}\0{prefix}".encode("utf-8", "surrogatepass"), digest_size=8).digest()


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
        outcome, busy_seconds, lost = CallOutcome.ABANDONED, 0.0, False
        try:
            answer = await self._post(address, body, deadline)
            if isinstance(answer, ServerFault):
                outcome, busy_seconds, lost = answer.outcome, answer.wait_seconds or 0.0, answer.lost
            else:
                outcome = CallOutcome.ANSWERED
            return answer
        finally:
            self._fleet.give_back(address, outcome, busy_seconds, lost=lost)

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
