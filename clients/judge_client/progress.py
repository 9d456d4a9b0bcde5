"""How far a long call is: a line on a terminal, or the caller's own function."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = bool | Callable[[int, int], None]
MOST_PART_ITEMS = 64
_PARTS = 20
_WIDTH = 30
_EVERY_SECONDS = 0.1


def part_items(total: int) -> int:
    """How many samples one request holds if somebody watches: the bar moves about twenty times."""
    return max(1, min(MOST_PART_ITEMS, total // _PARTS))


@contextmanager
def watching(progress: Progress, total: int, stream: TextIO | None = None) -> Iterator[Callable[[int], None] | None]:
    """A function that is told how many more are done. ``progress``: True draws a line on standard error where that is a
    terminal; a function is called with (done, total), one call at a time."""
    if progress is False or total == 0:
        yield None
    elif progress is True:
        with _drawn(total, sys.stderr if stream is None else stream) as told:
            yield told
    else:
        yield _Counted(total, progress)


@contextmanager
def _drawn(total: int, stream: TextIO) -> Iterator[Callable[[int], None] | None]:
    if not stream.isatty():
        yield None
        return
    bar = _Bar(stream, total)
    try:
        yield _Counted(total, bar)
    finally:
        bar.end()


class _Counted:
    """Parts of a call end in different threads."""

    def __init__(self, total: int, tell: Callable[[int, int], None]) -> None:
        self._total = total
        self._tell = tell
        self._done = 0
        self._lock = threading.Lock()

    def __call__(self, more: int) -> None:
        with self._lock:
            self._done += more
            self._tell(self._done, self._total)


class _Bar:
    """``[########······] 512/1024 · 34 a second · 15 s left``."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._began = time.monotonic()
        self._drawn_at = float("-inf")
        self(0, total)

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._drawn_at < _EVERY_SECONDS and done < total:
            return
        self._drawn_at = now
        filled = _WIDTH * done // total
        bar = "#" * filled + "." * (_WIDTH - filled)
        self._stream.write(f"\r[{bar}] {done}/{total}{_pace(done, total, now - self._began)}\x1b[K")
        self._stream.flush()

    def end(self) -> None:
        self._stream.write("\n")
        self._stream.flush()


def _pace(done: int, total: int, seconds: float) -> str:
    if not done or seconds <= 0:
        return ""
    return f", {done / seconds:.1f} a second, {seconds / done * (total - done):.0f} s left"
