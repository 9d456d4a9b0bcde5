"""How much time a call has left."""

from __future__ import annotations

import time
from dataclasses import dataclass

SILENCE_SECONDS = 600.0
_LARGEST_MARGIN_SECONDS = 1.0


@dataclass(frozen=True)
class Deadline:
    """``at``: on the monotonic clock; None waits as long as the server does."""

    at: float | None = None

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        return cls(None if seconds is None else time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds until the client gives up, perhaps below 0; without a deadline, the longest silence it bears."""
        return SILENCE_SECONDS if self.at is None else self.at - time.monotonic()

    def allows(self, seconds: float) -> bool:
        """Whether there is time left after a wait of so many seconds."""
        return self.at is None or seconds < self.left()

    def for_server(self) -> float | None:
        """What the server is told: a tenth less, at most a second, so that what is decided by then arrives in time."""
        if self.at is None:
            return None
        left = self.left()
        return max(left - min(_LARGEST_MARGIN_SECONDS, left / 10), 0.001)
