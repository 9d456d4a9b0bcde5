"""How many items of jobs run at a time, so that the event loop and the store keep time for requests.

With a slow judge both are idle and all slots are used. With a fast one, items would queue for the loop and the store
before the requests that wait there. The delay that they cause is measured and bounded, as TCP Vegas does with the
delay of a link (Brakmo and Peterson 1995): what a write takes now is compared with the least that it took lately.
"""

from statistics import median
from typing import Final

_MOST_LAG_SECONDS: Final = 0.005
_MOST_DELAY_SECONDS: Final = 0.002  # of a write, beyond twice the least
_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS = 0.004, 0.064
_RECOVERY: Final = 0.9
_REMEMBERED_SECONDS: Final = 30.0


class SlotPace:
    """``most``: slots if nothing is late. It begins with few. ``rest_seconds``: how long an item keeps its slot after
    its judgment, because one slot is still too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.begin()
        self._writes: list[float] = []
        self._least = [float("inf"), float("inf")]  # of this window and the one before
        self._window = 0.0

    def begin(self) -> None:
        """Jobs run again after a time without any."""
        self.slots = max(self._most // 16, 1)
        self.rest_seconds = 0.0

    def wrote(self, seconds: float) -> None:
        """A result was kept in so many seconds."""
        self._writes.append(seconds)

    def step(self, now: float, lag_seconds: float, *, requests: bool) -> int:
        """The slots from now on: fewer if the event loop is late, or the store while there are ``requests``. ``now`` in
        seconds of any clock."""
        late = lag_seconds > _MOST_LAG_SECONDS or (self._store_late(now) and requests)
        least = 1 if requests else max(self._most // 16, 1)
        if late and requests and self.slots == 1:
            self.rest_seconds = min(max(2 * self.rest_seconds, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)
        elif late:
            self.slots = max(self.slots // 2, least)
        elif requests and self.rest_seconds:
            rest = self.rest_seconds * _RECOVERY
            self.rest_seconds = rest if rest >= _SHORTEST_REST_SECONDS else 0.0
        else:
            self.rest_seconds = 0.0
            self.slots = min(self.slots + (1 if requests else max(self.slots // 8, 1)), self._most)
        return self.slots

    def _store_late(self, now: float) -> bool:
        writes, self._writes = self._writes, []
        if now - self._window > _REMEMBERED_SECONDS:
            self._window, self._least = now, [float("inf"), self._least[0]]
        if not writes:
            return False
        self._least[0] = min(self._least[0], *writes)
        return median(writes) > 2 * min(self._least) + _MOST_DELAY_SECONDS
