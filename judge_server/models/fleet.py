"""The addresses of one model: which may be called now, and how many calls each takes at a time.

Each call goes to an address that is available and least loaded, and to the same one for the same prompt prefix if loads
are equal, so that each server's prefix cache stays warm for its share of the prompts. Each address has a circuit
breaker. After several failures in a row its circuit opens for a while; then a single call probes the address, and each
failed probe doubles the time. An address that refuses calls for load (HTTP 429) gets fewer at a time. Nothing here uses
the network, and the fleet's clock is injected.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from judge_server.models.openai_fault import CallOutcome

FAILURES_TO_OPEN = 5
FIRST_OPEN_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 30.0
PROBE_WAIT_SECONDS = 0.05
UNHEARD_SECONDS = 3.0  # a server can be replaced within that time, if nobody asks it anything
ROOM_WAIT_SECONDS = 1.0
FIRST_FILLED = 8  # calls in flight at each lasting address before a preemptible one is called
_LONGEST_PAUSE_SECONDS = 60.0
# An address that asked for a longer pause gets a call after this: some servers write milliseconds for seconds.
LONGEST_KEPT_PAUSE_SECONDS = 600.0


LEAST_AT_A_TIME = 8.0
_DOWN = 0.5
_ENOUGH_FOR_A_RATE = 4
_WINDOW_SECONDS = 10.0
_RATE_UP = 0.1  # calls a second, for each answer


@dataclass(slots=True, eq=False)
class Address:
    """One server and its state. ``times_opened``: how often in a row its circuit opened. ``lost``: the last call got no
    answer; ``interrupted``: it answered again after that, after a silence or after it ended a connection, so another
    server may answer now. ``breaks``: how often it ended one so far; ``keeps_connections``: it leaves them open.

    ``preemptible``: it may vanish at any moment, so it is called if the others are busy, and its circuit opens at the
    first lost call. ``barred``: another model answers there than at the others, so only a fleet of it alone calls it.

    ``limit``: calls at a time; ``rate``: calls a second, of which ``turns`` may be taken now. Both are infinite until
    the server refuses calls. ``taken`` and ``refused``: calls since ``began``, in the last seconds or since the last
    pause that the server asked for; ``cut_at``: the number of the newest call when ``limit`` was last cut."""

    url: str
    preemptible: bool = False
    barred: bool = False
    in_flight: int = 0
    lost: bool = False
    interrupted: bool = False
    breaks: int = 0
    keeps_connections: bool = False
    failures: int = 0
    times_opened: int = 0
    open_until: float = 0.0
    busy_until: float = 0.0
    probed: bool = False
    last_taken: int = 0
    answered_at: float = float("-inf")
    limit: float = float("inf")
    rate: float = float("inf")
    turns: float = float("inf")
    burst: float = float("inf")
    filled_at: float = 0.0
    began: float = 0.0
    taken: int = 0
    refused: int = 0
    pause: float = 0.0
    cut_at: int = 0

    def available_at(self) -> float:
        """The clock time from which it may be called, unless a probe is in flight."""
        return max(self.open_until, self.busy_until)

    def has_room(self, now: float) -> bool:
        """Whether it takes one more call, if it is available."""
        if self.pause:
            self._resume(now)
        if self.turns < self.burst:
            self.turns = min(self.burst, self.turns + (now - self.filled_at) * self.rate)
            self.filled_at = now
        return self.in_flight < self.limit and self.turns >= 1.0

    def seconds_to_turn(self, now: float) -> float:
        """Seconds until its rate allows one more call."""
        left = 1.0 - self.turns - (now - self.filled_at) * self.rate if self.turns < 1.0 else 0.0
        return max(left / self.rate, 0.001) if left > 0 else float("inf")

    def take(self, now: float) -> None:
        """Count one call."""
        if not self.refused and (not self.in_flight or now - self.began > _WINDOW_SECONDS):
            self.began, self.taken = now, self.in_flight  # so that a quiet hour does not count as a low rate
        self.in_flight += 1
        self.taken += 1
        if self.turns == self.burst:
            self.filled_at = now
        self.turns -= 1.0

    def answered(self) -> None:
        """Additive increase: one more call at a time after as many answers as the limit."""
        self.limit += 1.0 / self.limit
        self.rate += _RATE_UP

    def refuse(self, number: int, newest: int, now: float, busy_seconds: float) -> None:
        """Multiplicative decrease, once for the calls that were in flight together; none for a server that says how
        long to pause, because the pause shows how many calls it accepts. ``number``: of the refused call."""
        self.refused += 1
        if busy_seconds > 0:
            self.busy_until = max(self.busy_until, now + busy_seconds)
            self.pause = max(self.pause, busy_seconds)
        elif number > self.cut_at:
            self.limit = max(min(self.limit, self.in_flight + 1.0) * _DOWN, LEAST_AT_A_TIME)
            self.cut_at = newest

    def _resume(self, now: float) -> None:
        """After a pause: as many calls at a time as the server accepted before it, beside those still in flight, and
        as many a second."""
        accepted = self.taken - self.refused
        self.limit = max(min(self.limit, self.in_flight + accepted), 1.0)
        if accepted >= _ENOUGH_FOR_A_RATE:
            self.rate = accepted / max(now - self.began, 0.001)
            self.turns = self.burst = max(min(self.rate * self.pause, accepted), 1.0)
            self.filled_at = now
        self.taken, self.refused, self.pause = 0, 0, 0.0


class Fleet:
    """The addresses of one model. Every ``take`` must be followed by one ``give_back``. ``preemptible``: those of them
    that may vanish."""

    def __init__(
        self,
        urls: Iterable[str],
        clock: Callable[[], float] = time.monotonic,
        preemptible: Collection[str] = (),
    ) -> None:
        self.addresses = tuple(Address(url, url in preemptible) for url in urls)
        self.interruptions = self.severed = 0
        self._clock = clock
        self._alone = False
        self._taken = 0
        self._failing_since: float | None = None

    def take(self, prefix: str | None = None, tried: Collection[Address] = ()) -> Address | None:
        """An address to call now, preferably one not in ``tried``; None if no address may be called."""
        now = self._clock()
        available = [address for address in self.addresses if self._available(address, now)]
        if not available:
            return None
        chosen = self._choose([a for a in available if a not in tried] or available, prefix)
        self._taken += 1
        chosen.last_taken = self._taken
        chosen.take(now)
        chosen.probed = chosen.times_opened > 0
        return chosen

    def follow(self, members: Mapping[str, bool]) -> None:
        """Have exactly these addresses, each preemptible or not. One that joins counts as interrupted, because nobody
        knows yet what answers there; one that left gets no further call."""
        known = {address.url: address for address in self.addresses}
        first = not known
        self.addresses = tuple(known.get(url) or Address(url, preemptible) for url, preemptible in members.items())
        if not first:
            for address in self.addresses:
                if address.url not in known:
                    self.interrupt(address, severed=True)

    @property
    def outage_seconds(self) -> float:
        """How long every call has failed; 0 after an answer."""
        return 0.0 if self._failing_since is None else self._clock() - self._failing_since

    def give_back(
        self,
        address: Address,
        outcome: CallOutcome,
        busy_seconds: float = 0.0,
        number: int | None = None,
        *,
        lost: bool = False,
    ) -> None:
        """Record how the call on ``address`` ended. ``busy_seconds``: how long the server asked not to be called;
        ``number``: the call's, the address's ``last_taken`` when it began; ``lost``: there was no answer at all."""
        now = self._clock()
        busy_seconds = min(busy_seconds, LONGEST_KEPT_PAUSE_SECONDS)
        address.in_flight -= 1
        address.probed = False
        if outcome is CallOutcome.BUSY:
            address.refuse(self._taken if number is None else number, self._taken, now, busy_seconds)
        else:
            address.busy_until = max(address.busy_until, now + busy_seconds)
        address.lost |= lost
        if outcome is CallOutcome.ANSWERED:
            if address.lost or now - address.answered_at > UNHEARD_SECONDS:
                self.interrupt(address, severed=address.lost)
                address.lost = False
            self._failing_since = None
            address.answered()
            address.answered_at = now
            address.failures = address.times_opened = 0
            address.open_until = 0.0
        elif outcome is CallOutcome.FAILED:
            self._failing_since = now if self._failing_since is None else self._failing_since
            address.failures += FAILURES_TO_OPEN if address.preemptible and lost else 1
            # A failed probe reopens the circuit; a call that was in flight when the circuit opened does not.
            if now >= address.open_until and (address.times_opened or address.failures >= FAILURES_TO_OPEN):
                address.open_until = now + min(
                    FIRST_OPEN_SECONDS * 2 ** min(address.times_opened, 10), LONGEST_OPEN_SECONDS
                )
                address.times_opened += 1

    def interrupt(self, address: Address, *, severed: bool) -> None:
        """Another server may answer at the address than before. ``severed``: a call or a connection was lost."""
        self.interruptions += 1
        self.severed += severed
        address.interrupted = True

    def only(self, address: Address) -> "Fleet":
        """A fleet of this one address, with the same state."""
        alone = Fleet((), self._clock)
        alone.addresses, alone._alone = (address,), True
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

    @property
    def only_busy(self) -> bool:
        """Whether an address is reachable and takes no call merely because of its load."""
        now = self._clock()
        return any(address.open_until <= now and not address.times_opened for address in self._members())

    @property
    def usable(self) -> bool:
        """Whether an address has no open circuit, and did not ask for a long pause."""
        now = self._clock()
        return any(
            now >= address.open_until and address.busy_until <= now + _LONGEST_PAUSE_SECONDS
            for address in self._members()
        )

    def wait_seconds(self) -> float:
        """Seconds until an address may be available again; 0 if one is. An address with all the calls that it takes at
        a time has room when one ends."""
        now = self._clock()
        members = self._members()
        if any(self._available(address, now) for address in members):
            return 0.0
        if any(now >= address.available_at() and not address.probed for address in members):
            return min(ROOM_WAIT_SECONDS, *(address.seconds_to_turn(now) for address in members))
        return max(min(address.available_at() for address in members) - now, PROBE_WAIT_SECONDS)

    def _members(self) -> list[Address]:
        """Those that serve the model; all if none is known to."""
        return [address for address in self.addresses if not address.barred] or list(self.addresses)

    def _available(self, address: Address, now: float) -> bool:
        if now < address.available_at() or address.probed or (address.barred and not self._alone):
            return False
        return address.has_room(now)

    def _choose(self, available: list[Address], prefix: str | None) -> Address:
        lasting = [address for address in available if not address.preemptible]
        if lasting and min(address.in_flight for address in lasting) < FIRST_FILLED:
            available = lasting
        least = min(available, key=lambda address: (address.in_flight, address.last_taken))
        if prefix is None or len(available) == 1:
            return least
        preferred = max(available, key=lambda address: _affinity(address.url, prefix))
        return preferred if preferred.in_flight <= least.in_flight + max(4, least.in_flight // 2) else least


def _affinity(url: str, prefix: str) -> bytes:
    """Rendezvous hashing: adding or removing an address moves no prefix between the others."""
    return blake2b(f"{url}\0{prefix}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
