"""Those who were told to come again: whoever is turned away after them is told to come after them."""

import time


class RetryAfter:
    """Submissions that will come again, as many as can be answered in ``longest_seconds`` at most."""

    __slots__ = ("_at", "_count", "_longest_seconds")

    def __init__(self, longest_seconds: float) -> None:
        self._longest_seconds = longest_seconds
        self._count = 0.0
        self._at = 0.0

    def seconds_behind(self, submissions: int, pace: float | None) -> float:
        """How long those before take at ``pace``, submissions a second (None: not known); counts these, too."""
        if pace is None:
            return 0.0
        now = time.monotonic()
        before = max(self._count - pace * (now - self._at), 0.0)
        self._count, self._at = min(before + submissions, pace * self._longest_seconds), now
        return before / pace
