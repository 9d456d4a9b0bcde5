"""How many requests a caller may send: so many a second in the long run, and some at once."""

import time
from collections.abc import Callable

from judge_server.core.caller import Allowance
from judge_server.core.errors import AllowanceSpent


class RateLimit:
    """Each caller's bucket is kept as one number: when it will be full again. Counts in this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[str, float] = {}

    def take(self, caller: str, allowance: Allowance) -> None:
        """Count one request. Raises AllowanceSpent with the seconds after which there is room for one."""
        rate = allowance.requests_per_second
        if rate is None:
            return
        burst = allowance.burst or max(int(rate), 1)
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now) + 1 / rate
        excess = full_at - now - burst / rate
        if excess > 1e-9:
            raise AllowanceSpent(
                f"The API key {caller!r} may send {rate:g} requests a second, {burst} of them at once.",
                remedy="Wait as long as Retry-After says, or send more submissions in one request.",
                retry_after_seconds=excess,
            )
        self._full_at[caller] = full_at
