"""Deadlines are points in ``time.monotonic()`` seconds; None means there is none."""

import time


def deadline_after(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def remaining(deadline: float | None) -> float | None:
    """Seconds left, not below 0; None without a deadline."""
    return None if deadline is None else max(deadline - time.monotonic(), 0.0)


def expired(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
