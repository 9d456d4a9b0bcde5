"""Which address a call goes to: one that works, the least loaded, and the same one for the same prefix while that costs
nothing, so that each server's prefix cache stays warm for its own share of the prompts.

An address that fails several times in a row rests for a while, and then one single call tries it; each time that fails
the rest is doubled. There is no clock but the one given and no network here.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b

FAILURES_TO_REST = 5
FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 30.0
PROBE_WAIT_SECONDS = 0.05


class Outcome(Enum):
    """How a call on an address ended. BUSY: refused for load, which is no failure; ABANDONED: cancelled by us."""

    ANSWERED = auto()
    FAILED = auto()
    BUSY = auto()
    ABANDONED = auto()


@dataclass(slots=True, eq=False)
class Address:
    """One server and what is known about it. ``rests``: how often in a row it was sent to rest."""

    url: str
    in_flight: int = 0
    failures: int = 0
    rests: int = 0
    resting_until: float = 0.0
    busy_until: float = 0.0
    probed: bool = False
    last_taken: int = 0
    answered_at: float = float("-inf")

    def available_at(self) -> float:
        """The clock's time from which it may be asked, apart from a probe under way."""
        return max(self.resting_until, self.busy_until)


class Fleet:
    """Addresses of one model, all alike. Every ``take`` is followed by one ``give_back``."""

    def __init__(self, urls: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.addresses = tuple(Address(url) for url in urls)
        self._clock = clock
        self._taken = 0

    def take(self, prefix: str | None = None, tried: Collection[Address] = ()) -> Address | None:
        """An address to call now, one that was not ``tried`` before if there is one; None if all rest."""
        now = self._clock()
        available = [address for address in self.addresses if self._available(address, now)]
        if not available:
            return None
        chosen = self._choose([a for a in available if a not in tried] or available, prefix)
        self._taken += 1
        chosen.last_taken = self._taken
        chosen.in_flight += 1
        chosen.probed = chosen.rests > 0
        return chosen

    def give_back(self, address: Address, outcome: Outcome, busy_seconds: float = 0.0) -> None:
        """The call on ``address`` ended; the server asked not to be called for ``busy_seconds``."""
        now = self._clock()
        address.in_flight -= 1
        address.probed = False
        address.busy_until = max(address.busy_until, now + busy_seconds)
        if outcome is Outcome.ANSWERED:
            address.answered_at = now
            address.failures = address.rests = 0
            address.resting_until = 0.0
        elif outcome is Outcome.FAILED:
            address.failures += 1
            # A failing probe sends it back to rest; so does no call that was already under way when it went to rest.
            if now >= address.resting_until and (address.rests or address.failures >= FAILURES_TO_REST):
                address.resting_until = now + min(
                    FIRST_REST_SECONDS * 2 ** min(address.rests, 10), LONGEST_REST_SECONDS
                )
                address.rests += 1

    def others(self, tried: Collection[Address]) -> bool:
        """Whether an address that was not tried could be asked now."""
        now = self._clock()
        return any(address not in tried and self._available(address, now) for address in self.addresses)

    @property
    def resting(self) -> int:
        """Addresses that failed several times in a row and are left alone for now."""
        now = self._clock()
        return sum(address.resting_until > now for address in self.addresses)

    def wait_seconds(self) -> float:
        """How long until an address may be available again; 0 if one is."""
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
    """Rendezvous hashing: an address that comes or goes moves no prefix between the others."""
    return blake2b(f"{url}\0{prefix}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
