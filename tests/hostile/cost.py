"""What reading one input costs: processor time of the thread and the peak of newly taken memory."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SECONDS = 0.050
BYTES = 32 * 2**20
_TRIES = 5


@dataclass(frozen=True)
class Cost:
    """``outcome``: ``read``, or the name of the error that refused the input."""

    outcome: str
    seconds: float
    peak_bytes: int

    @property
    def bounded(self) -> bool:
        return self.seconds <= SECONDS and self.peak_bytes <= BYTES


def cost_of(read: Callable[[], Any], refusals: tuple[type[Exception], ...]) -> Cost:
    """Time and memory are measured apart, because watching memory takes time. The time is the least of up to five
    tries: whatever else the machine does can only add to it. Raises what is no refusal."""
    outcome, seconds = "", float("inf")
    for _ in range(_TRIES):
        started = time.thread_time()
        outcome = _outcome(read, refusals)
        seconds = min(seconds, time.thread_time() - started)
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
