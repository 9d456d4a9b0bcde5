"""One address of a model: its circuit, and how many calls it takes, learned from those that it refuses for load."""

from dataclasses import dataclass

LEAST_AT_A_TIME = 8.0
_DOWN = 0.5
_ENOUGH_FOR_A_RATE = 4
_WINDOW_SECONDS = 10.0
_RATE_UP = 0.1  # calls a second, for each answer


@dataclass(slots=True, eq=False)
class Address:
    """One server and its state. ``times_opened``: how often in a row its circuit opened. ``lost``: the last call got no
    answer; ``interrupted``: it answered again after that, after a silence or over a new connection, so another server
    may answer now. ``connections``: how many were opened so far; ``keeps_connections``: it leaves them open.

    ``limit``: calls at a time; ``rate``: calls a second, of which ``turns`` may be taken now. Both are infinite until
    the server refuses calls. ``taken`` and ``refused``: calls since ``began``, in the last seconds or since the last
    pause that the server asked for; ``cut_at``: the number of the newest call when ``limit`` was last cut."""

    url: str
    in_flight: int = 0
    lost: bool = False
    interrupted: bool = False
    connections: int = 0
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
