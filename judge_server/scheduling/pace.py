"""How fast callers' submissions are answered while models have as much as they can work on."""

import time
from collections import Counter, deque

_REMEMBERED = 256
_RECENT_SECONDS = 60.0
_ENOUGH_FOR_SHARES = 32


class Throughput:
    """Of the last minute, and of the last 256 that ended in it. What ended before models were busy says how much was
    asked and not how much can be answered: whoever knows that they are not calls ``idle``."""

    __slots__ = ("_by_caller", "_ended", "_since")

    def __init__(self) -> None:
        self._ended: deque[tuple[float, str]] = deque()
        self._by_caller: Counter[str] = Counter()
        self._since = time.monotonic()

    def idle(self) -> None:
        """Begin anew."""
        self._ended.clear()
        self._by_caller.clear()
        self._since = time.monotonic()

    def end(self, submissions: int, caller: str) -> None:
        """So many of this caller ended."""
        now = time.monotonic()
        some = min(submissions, _REMEMBERED)
        self._ended.extend([(now, caller)] * some)
        self._by_caller[caller] += some
        while len(self._ended) > _REMEMBERED:
            self._forget()

    def a_second(self, enough: int) -> float | None:
        """Submissions of all callers; None where fewer than ``enough`` ended."""
        now = time.monotonic()
        while self._ended and self._ended[0][0] < now - _RECENT_SECONDS:
            self._forget()
        if len(self._ended) < enough:
            return None
        return len(self._ended) / max(now - self._since, 0.001)

    def share_of(self, caller: str) -> float:
        """Of those that ended, how much was this caller's, from 0 to 1; 0 where too few ended to say."""
        if len(self._ended) < _ENOUGH_FOR_SHARES or caller not in self._by_caller:
            return 0.0
        return self._by_caller[caller] / len(self._ended)

    def _forget(self) -> None:
        self._since, caller = self._ended.popleft()
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]
