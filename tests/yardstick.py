"""Bounds on work that hold on any machine, however busy it is.

Processor time is counted instead of wall time, and a fixed piece of work is timed beside it: on a machine on which that
takes longer than on the one where the bounds were set, the bounds are that much wider.

A bound on waiting cannot be that close: a machine with fifteen programs a processor adds tens of seconds. What should
happen in a moment is waited for ``PATIENCE_SECONDS``, and what a test holds back stays away for ``HANG_SECONDS``: only
a fault comes between the two.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 0.010  # what the fixed work takes on the machine where the bounds were set
_SLOWEST = 10.0
PATIENCE_SECONDS = 120.0
HANG_SECONDS = 1_000.0


@contextmanager
def work_within(seconds: float) -> Iterator[None]:
    """Fails if the block costs this process, all of its threads together, more processor time."""
    started = time.process_time()
    yield
    taken = time.process_time() - started
    if taken > seconds:
        taken /= slowness()
    assert taken <= seconds, f"this took {taken:.2f} s of processor time by the yardstick, and may take {seconds:g}"


def slowness() -> float:
    """How many times longer the fixed work takes now; at least 1, and never more than ten."""
    started = time.thread_time()
    table: dict[int, str] = {}
    for number in range(100_000):
        table[number % 997] = str(number)
    return min(max((time.thread_time() - started) / _SECONDS, 1.0), _SLOWEST)
