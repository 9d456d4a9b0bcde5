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

    def work(self, seconds: float) -> None:
        """The step that runs takes so long."""
        self._passing.now += seconds
