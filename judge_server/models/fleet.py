"""Choose the address of each call: available, least loaded, and the same for the same prompt prefix if loads are equal,
so that each server's prefix cache stays warm for its share of the prompts.

Each address has a circuit breaker. After several failures in a row its circuit opens for a while; then a single call
probes the address, and each failed probe doubles the time. The clock is injected, and nothing here uses the network.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b

FAILURES_TO_OPEN = 5
FIRST_OPEN_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 30.0
PROBE_WAIT_SECONDS = 0.05


class CallOutcome(Enum):
    """How a call on an address ended. BUSY: refused for load, which is not a failure; ABANDONED: cancelled by us."""

    ANSWERED = auto()
    FAILED = auto()
    BUSY = auto()
    ABANDONED = auto()


@dataclass(slots=True, eq=False)
class Address:
    """One server and its state. ``times_opened``: how often in a row its circuit opened."""

    url: str
    in_flight: int = 0
    failures: int = 0
    times_opened: int = 0
    open_until: float = 0.0
    busy_until: float = 0.0
    probed: bool = False
    last_taken: int = 0
    answered_at: float = float("-inf")

    def available_at(self) -> float:
        """The clock time from which it may be called, unless a probe is in flight."""
        return max(self.open_until, self.busy_until)


class Fleet:
    """The addresses of one model. Every ``take`` must be followed by one ``give_back``."""

    def __init__(self, urls: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.addresses = tuple(Address(url) for url in urls)
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

    def give_back(self, address: Address, outcome: CallOutcome, busy_seconds: float = 0.0) -> None:
        """Record how the call on ``address`` ended. ``busy_seconds``: how long the server asked not to be called."""
        now = self._clock()
        address.in_flight -= 1
        address.probed = False
        address.busy_until = max(address.busy_until, now + busy_seconds)
        if outcome is CallOutcome.ANSWERED:
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
