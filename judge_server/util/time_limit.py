"""Limits on waits, as ``asyncio.timeout`` sets them, for what every request does several times.

``asyncio.timeout`` makes a timer of the event loop for each wait, and nearly all are cancelled unused, which costs
several times as much as to note the wait. Here one timer serves all waits of a loop: it is set to the earliest end
among them, stays there when that wait is over, and looks then for the next one.
"""

import asyncio
import threading
from contextvars import Context
from types import TracebackType
from typing import Final, Self

_SLACK_SECONDS: Final = 0.0005  # a loop's timers are rounded to milliseconds
_PAUSE_SECONDS: Final = 0.002  # between two looks at all waits, of which thousands may end one after the other


class TimeLimit:
    """``with``: cancels the task's wait inside the block at ``ends_at`` (seconds of ``time.monotonic()``, which is the
    loop's clock; None: never), and raises TimeoutError where the block ends. ``expired``: whether it did."""

    __slots__ = ("_cancelling", "_task", "_waits", "ends_at", "expired")

    def __init__(self, ends_at: float | None) -> None:
        self.ends_at = ends_at
        self.expired = False

    def __enter__(self) -> Self:
        if self.ends_at is not None:
            loop = asyncio.get_running_loop()
            task = asyncio.current_task(loop)
            if task is None:
                raise RuntimeError("a wait is limited inside a task")
            waits = _here.waits
            if waits is None or waits.loop is not loop:
                waits = _here.waits = _Waits(loop)
            self._task, self._cancelling, self._waits = task, task.cancelling(), waits
            waits.under_way[self] = self.ends_at
            if self.ends_at < waits.looks_at:
                waits.look_at(self.ends_at)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.ends_at is None:
            return
        if not self.expired:
            del self._waits.under_way[self]
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from fault

    def expire(self) -> None:
        """Called by the timer."""
        self.expired = True
        self._task.cancel()


def until(ends_at: float | None) -> TimeLimit:
    """A limit at a time of ``time.monotonic()``; None for none."""
    return TimeLimit(ends_at)


def within(seconds: float | None) -> TimeLimit:
    """A limit after so many seconds; None for none."""
    return TimeLimit(None if seconds is None else asyncio.get_running_loop().time() + seconds)


class _Waits:
    """The limited waits of a loop that are ``under_way``, each with its end. The timer is set to ``looks_at``."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.under_way: dict[TimeLimit, float] = {}
        self.looks_at = float("inf")
        self._timer: asyncio.TimerHandle | None = None

    def look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.looks_at = when
        self._timer = self.loop.call_at(when, self._look, context=Context())  # the request's would be kept until then

    def _look(self) -> None:
        self._timer, self.looks_at = None, float("inf")
        now = self.loop.time()
        for limit in [limit for limit, ends_at in self.under_way.items() if ends_at <= now + _SLACK_SECONDS]:
            del self.under_way[limit]
            limit.expire()
        if self.under_way:
            self.look_at(max(min(self.under_way.values()), now + _PAUSE_SECONDS))


class _Here(threading.local):
    """Of the thread, whose loop may be another one later."""

    waits: _Waits | None = None


_here = _Here()
