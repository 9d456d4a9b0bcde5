"""What reading one input costs: processor time of the thread and the peak of newly taken memory.

Machines differ, and slow down under others' load: a fixed piece of work is timed beside every try, and where it takes
longer than on the machine that the bound was set on, the try is counted as so much shorter. That work does not slow
down exactly as reading does, so an input fails at twice the bound; a reader whose work grows with the square of its
input takes many times that.
"""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.yardstick import slowness

SECONDS = 0.050
LEEWAY = 2.0
BYTES = 32 * 2**20
_TRIES = 6


@dataclass(frozen=True)
class Cost:
    """``outcome``: ``read``, or the name of the error that refused the input. ``seconds`` by the yardstick."""

    outcome: str
    seconds: float
    peak_bytes: int

    @property
    def bounded(self) -> bool:
        return self.seconds <= SECONDS * LEEWAY and self.peak_bytes <= BYTES


def cost_of(read: Callable[[], Any], refusals: tuple[type[Exception], ...]) -> Cost:
    """Time and memory are measured apart, because watching memory takes time. The time is the least of up to six
    tries: whatever else the machine does can only add to it. Raises what is no refusal."""
    outcome, seconds = "", float("inf")
    for _ in range(_TRIES):
        started = time.thread_time()
        outcome = _outcome(read, refusals)
        taken = time.thread_time() - started
        if taken > SECONDS:
            taken /= slowness()
        seconds = min(seconds, taken)
        if seconds <= SECONDS:
            break
    tracemalloc.start()
    try:
        _outcome(read, refusals)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Cost(outcome, seconds, peak)


def _outcome(read: Callable[[], Any], refusals: tuple[type[Exception], ...]) -> str:
    try:
        read()
    except refusals as refusal:
        return type(refusal).__name__
    return "read"
