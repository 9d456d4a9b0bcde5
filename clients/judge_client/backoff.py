"""When a call is tried again."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

_RANDOM = random.SystemRandom()  # forked workers that share a generator's state would all come back at once


@dataclass(frozen=True)
class Backoff:
    """``attempts``: at most so many, the first included; None leaves it to ``patience_seconds``, which bounds the time
    from the first failure to the last attempt. Waits are uniform between 0 and ``first_seconds`` · 2ⁿ, at most
    ``longest_seconds`` (full jitter). If the server sends Retry-After, the wait is that much longer."""

    attempts: int | None = None
    patience_seconds: float = 120.0
    first_seconds: float = 0.5
    longest_seconds: float = 8.0

    def wait(
        self,
        attempt: int,
        retry_after_seconds: float | None = None,
        *,
        failing_seconds: float = 0.0,
        draw: Callable[[], float] = _RANDOM.random,
    ) -> float | None:
        """Seconds before the next attempt after the ``attempt``-th, or None if there is none.
        ``failing_seconds``: since the first failure."""
        if self.attempts is not None and attempt >= self.attempts:
            return None
        jitter = draw() * min(self.longest_seconds, self.first_seconds * 2.0 ** min(attempt - 1, 60))
        wait = jitter + (retry_after_seconds or 0.0)
        return None if failing_seconds + wait > self.patience_seconds else wait


def retry_after_seconds(header: str | None, now: datetime | None = None) -> float | None:
    """The header Retry-After, in seconds or as an HTTP date (RFC 9110, 10.2.3); None if it cannot be read."""
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        return _until(text, now or datetime.now(timezone.utc))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max((moment - now).total_seconds(), 0.0)
