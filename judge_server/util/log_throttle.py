"""Log the first fault of a kind and then one a minute, so that a lasting fault does not fill the disk."""

import time
from collections.abc import Callable, Hashable
from typing import Final

QUIET_SECONDS: Final = 60.0


class LogThrottle:
    """Keys are kinds of fault; the caller ensures that they are few."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._clock = clock
        self._quiet_seconds = quiet_seconds
        self._told_at: dict[Hashable, float] = {}
        self._untold: dict[Hashable, int] = {}

    def of(self, kind: Hashable) -> str | None:
        """None if one of this kind was logged within ``quiet_seconds``; else the suffix of the log line: empty, or the
        number suppressed since the last one."""
        now = self._clock()
        if now - self._told_at.get(kind, now - self._quiet_seconds) < self._quiet_seconds:
            self._untold[kind] = self._untold.get(kind, 0) + 1
            return None
        self._told_at[kind] = now
        more = self._untold.pop(kind, 0)
        return f" ({more} more since the last such line)" if more else ""

    def forget(self) -> None:
        """The next fault of every kind is logged."""
        self._told_at.clear()
        self._untold.clear()
