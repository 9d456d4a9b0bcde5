"""An event loop whose time passes only by what the test says: steps take what they are given, waits cost nothing.

So latencies are computed, not measured, and are the same on every machine. As with libuv, timers have a resolution of
a millisecond, and a pass of the loop takes a few microseconds.
"""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, Final

_PASS_SECONDS: Final = 10e-6
_TIMER_SECONDS: Final = 0.001
_SWITCH_SECONDS: Final = 0.0005  # that a thread may have to wait for the interpreter's lock
_IDLE_SECONDS: Final = 0.00005


class _Selector(selectors.DefaultSelector):
    """Nothing arrives from outside; to wait is to let time pass."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits, and nothing will happen")
        self.now += max(timeout, _PASS_SECONDS)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)
        self._clock_resolution = 1e-9
        self._worked = 0.0

    def time(self) -> float:
        return self._passing.now

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        rounded = max(round(delay / _TIMER_SECONDS), 0) * _TIMER_SECONDS
        return super().call_later(rounded, callback, *args, context=context)

    def happens_in(self, delay: float) -> "asyncio.Future[None]":
        """Something outside answers after exactly so many seconds."""
        future: asyncio.Future[None] = self.create_future()
        super().call_later(delay, lambda: future.done() or future.set_result(None))
        return future

    def in_thread(self, locks: int) -> "asyncio.Future[None]":
        """A thread does something for which it takes the interpreter's lock so often. Each time it waits as long as a
        thread may hold it, unless the loop has nothing to do."""
        future: asyncio.Future[None] = self.create_future()
        self._take_lock(locks, future)
        return future

    def _take_lock(self, left: int, future: "asyncio.Future[None]") -> None:
        if not left:
            if not future.done():
                future.set_result(None)
            return
        busy = self.time() - self._worked < _IDLE_SECONDS
        super().call_later(_SWITCH_SECONDS if busy else _IDLE_SECONDS, self._take_lock, left - 1, future)

    def work(self, seconds: float) -> None:
        """The step that runs takes so long."""
        self._passing.now += seconds
        self._worked = self._passing.now
