"""How long to wait before a call is tried again."""

import random
import time
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 2.0

# Waits spread the retries of many callers; nothing secret hangs on them.
_random = random.Random()  # noqa: S311


def backoff_seconds(attempt: int) -> float:
    """A random wait before attempt ``attempt`` + 1 (counted from 0): between half of and the whole doubling bound."""
    longest = min(FIRST_SECONDS * 2.0 ** min(attempt, 10), LONGEST_SECONDS)
    return longest * _random.uniform(0.5, 1.0)


def retry_after_seconds(header: str | None) -> float | None:
    """A Retry-After header in seconds from now, whether it is written as seconds or as a date; None if unreadable."""
    if header is None:
        return None
    text = header.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), 86_400.0)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), 86_400.0)
