"""The open connections, by who holds them, and the turns in which bodies that nobody wants are read.

A connection belongs to the caller whose key came on it last, and before that to its address.
"""

from asyncio import AbstractEventLoop
from collections import Counter
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from judge_server.util.apart import Turns

_SHARE: Final = 4  # times what is free is the most that one caller may hold: alone four fifths, each of n 4/(4 n + 1)
_REST_SECONDS: Final = 0.005


class Held(Protocol):
    """A connection. ``holder``: who holds it."""

    holder: str

    def give_up(self) -> None:
        """Close it; no request is under way on it."""

    def read_on(self) -> None:
        """Read one part more of a body that nobody wants."""


class Connections:
    """Those of one event loop. Idle ones, on which no request is under way, give way to new connections if there is no
    room: first those of the holder that has most, and of them the one that waits longest."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.most = 1_000_000
        self._loop = loop
        self._held: Counter[str] = Counter()
        self._idle: dict[str, dict[Held, None]] = {}
        self._resting: Turns[Held] = Turns()

    @staticmethod
    def of(loop: AbstractEventLoop) -> "Connections":
        """Those of this loop."""
        found = _BY_LOOP.get(loop)
        if found is None:
            found = _BY_LOOP[loop] = Connections(loop)
        return found

    @property
    def open(self) -> int:
        return self._held.total()

    def holds(self, holder: str) -> int:
        """How many this holder has."""
        return self._held[holder]

    def enter(self, one: Held) -> bool:
        """Count a new one, which is idle. False if there is no room for it, and no idle one could give way."""
        if self.open >= self.most and not self._make_room():
            return False
        self._held[one.holder] += 1
        self.idle(one)
        return True

    def leave(self, one: Held) -> None:
        """It is closed."""
        self.busy(one)
        self._held[one.holder] -= 1
        if self._held[one.holder] <= 0:
            del self._held[one.holder]

    def busy(self, one: Held) -> None:
        """A request is under way on it."""
        waiting = self._idle.get(one.holder)
        if waiting is not None and one in waiting:
            del waiting[one]
            if not waiting:
                del self._idle[one.holder]

    def idle(self, one: Held) -> None:
        """No request is under way on it any more."""
        self._idle.setdefault(one.holder, {})[one] = None

    def pass_to(self, one: Held, caller: str) -> bool:
        """A busy connection belongs to this caller from now on. False if the caller would have more than its share."""
        if one.holder == caller:
            return True
        if self._held[caller] >= _SHARE * max(self.most - self.open, 0):
            return False
        self.leave(one)
        one.holder = caller
        self._held[caller] += 1
        return True

    def rest(self, one: Held) -> None:
        """Let it read one part more when it is its turn. Holders take turns, one in ``_REST_SECONDS``."""
        waits = bool(self._resting)
        self._resting.push(one.holder, one)
        if not waits:
            self._loop.call_later(_REST_SECONDS, self._read_on)

    def _read_on(self) -> None:
        self._resting.pop().read_on()
        if self._resting:
            self._loop.call_later(_REST_SECONDS, self._read_on)

    def _make_room(self) -> bool:
        if not self._idle:
            return False
        most = max(self._idle, key=lambda holder: self._held[holder])
        one = next(iter(self._idle[most]))
        self.leave(one)
        one.give_up()
        return True


_BY_LOOP: Final[WeakKeyDictionary[AbstractEventLoop, Connections]] = WeakKeyDictionary()
