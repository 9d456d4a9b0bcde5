"""Refusing early: engines queue without bound, so the door counts what is under way and says when to come back."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from judge_server.core.errors import Draining, Overloaded
from judge_server.scoring.quota import Quota

MOST_STEPS = 256
_REMEMBERED = 256
_LONGEST_RETRY_SECONDS = 60.0
_RECENT_SECONDS = 60.0


class Admission:
    """Bounds the submissions under way, and the steps that each may have judged one by one. ``limit`` is a count of
    submissions; what was let in is never thrown out."""

    def __init__(self, limit: int, most_steps: int = MOST_STEPS) -> None:
        self.limit = limit
        self.most_steps = most_steps
        self.under_way = 0
        self._quota = Quota()
        self._draining = False
        self._empty = asyncio.Event()
        self._finished: deque[float] = deque(maxlen=_REMEMBERED)

    async def drain(self, seconds: float) -> int:
        """Let nothing more in and wait for what is under way, at most ``seconds``; how many are left then."""
        self._draining = True
        if self.under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
        return self.under_way

    def require_room(self, submissions: int = 1) -> None:
        """Raises Overloaded (or Draining) with the seconds after which there will probably be room, and TooLarge for
        more submissions than the caller may ever have under way."""
        if self._draining:
            raise Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)
        if self.under_way >= self.limit:
            raise Overloaded(
                f"{self.under_way} submissions are under way, and the limit is {self.limit}.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=self.retry_after_seconds(),
            )
        self._quota.require_room(submissions, self.retry_after_seconds())

    @contextmanager
    def enter(self, submissions: int = 1) -> Iterator[None]:
        """Count ``submissions`` as under way inside the block."""
        self.under_way += submissions
        try:
            with self._quota.enter(submissions):
                yield
        finally:
            self.under_way -= submissions
            if self._draining and not self.under_way:
                self._empty.set()
            now = time.monotonic()
            self._finished.extend([now] * min(submissions, _REMEMBERED))

    def retry_after_seconds(self) -> float:
        """How long a tenth of the limit takes at the pace of the last minute; 1 s where no pace is known."""
        now = time.monotonic()
        while self._finished and self._finished[0] < now - _RECENT_SECONDS:
            self._finished.popleft()
        if len(self._finished) < 2:
            return 1.0
        pace = len(self._finished) / max(now - self._finished[0], 0.001)
        return min(max(self.limit * 0.1 / pace, 0.5), _LONGEST_RETRY_SECONDS)
