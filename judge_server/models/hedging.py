"""Hedging: when a slow call is also sent to a second address."""

from collections import deque

from judge_server.core.errors import BadConfiguration

_REMEMBERED = 256
_ENOUGH = 32
_LOOK_AGAIN = 16
_QUANTILE = 0.95


class Hedging:
    """When a slow call is also sent to a second address. ``wait``: seconds before the second call, or None for the 95th
    percentile of recent answer times. At most ``share`` of all calls are sent twice."""

    @classmethod
    def of(cls, hedge: bool | float, share: float, addresses: int) -> "Hedging | None":
        """As the options say; None if no call is sent twice. Raises BadConfiguration for a single address."""
        if hedge is False:
            return None
        if addresses == 1:
            raise BadConfiguration(
                "hedge: the model has only one address, so there is no second one to send a call to.",
                remedy="Write further addresses of the same model behind commas, or leave hedge out.",
            )
        return cls(None if hedge is True else hedge, share)

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
        """Seconds to wait before the second address is called, for one more call; None if too little is known yet."""
        self._saved = min(self._saved + self._share, 16.0)
        return self._wait if self._wait is not None else self._usual

    def spend(self) -> bool:
        """Whether one more call may be sent twice; if so it is counted."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        self.hedged += 1
        return True

    def took(self, seconds: float, *, answered: bool) -> None:
        """Record that a call took ``seconds``, or at least that long if it was cancelled before it ``answered``."""
        if not answered and (self._usual is None or seconds < self._usual):
            return
        self._taken.append(seconds)
        self._news += 1
        if len(self._taken) >= _ENOUGH and (self._news >= _LOOK_AGAIN or self._usual is None):
            self._usual = sorted(self._taken)[int(len(self._taken) * _QUANTILE)]
            self._news = 0
