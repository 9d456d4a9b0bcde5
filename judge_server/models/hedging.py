"""When a question is worth sending to a second address as well: after it took longer than most do, and seldom."""

from collections import deque

_REMEMBERED = 256
_ENOUGH = 32
_LOOK_AGAIN = 16
_QUANTILE = 0.95


class Hedging:
    """``wait``: seconds after which a second address is asked, or None for the 95th percentile of the last answers.
    At most ``share`` of all calls are sent twice."""

    def __init__(self, wait: float | None, share: float) -> None:
        self.hedged = 0
        self.won = 0
        self._wait = wait
        self._share = share
        self._saved = 0.0
        self._taken: deque[float] = deque(maxlen=_REMEMBERED)
        self._news = 0
        self._usual: float | None = None

    def delay(self) -> float | None:
        """Of one more call: how long to wait before the second address is asked; None where nothing is known yet."""
        self._saved = min(self._saved + self._share, 16.0)
        return self._wait if self._wait is not None else self._usual

    def spend(self) -> bool:
        """Whether one more call may be sent twice; counts it then."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        self.hedged += 1
        return True

    def took(self, seconds: float, *, answered: bool) -> None:
        """A call took so long, or would have taken even longer if it had not been given up (``answered`` False)."""
        if not answered and (self._usual is None or seconds < self._usual):
            return
        self._taken.append(seconds)
        self._news += 1
        if len(self._taken) >= _ENOUGH and (self._news >= _LOOK_AGAIN or self._usual is None):
            self._usual = sorted(self._taken)[int(len(self._taken) * _QUANTILE)]
            self._news = 0
