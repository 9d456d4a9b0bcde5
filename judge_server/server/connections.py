"""The open connections, by who holds them, and the turns in which bodies that nobody wants are read.

A connection belongs to the caller whose key came on it last, and before that to its address.
"""

from asyncio import AbstractEventLoop
from itertools import islice
from operator import itemgetter
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from judge_server.scheduling.processor_share import ProcessorShares
from judge_server.util.turns import Turns

_SHARE: Final = 4  # times what is free is the most that one caller may hold: alone four fifths, each of n 4/(4 n + 1)
_REST_SECONDS: Final = 0.005
_MOST_LOOKED_AT: Final = 1_000  # connections of a holder


class Connection(Protocol):
    """``holder``: who holds it."""

    holder: str

    @property
    def idle_since(self) -> float | None:
        """When its last request was answered, or it was opened; None while one is under way."""

    def pass_to(self, caller: str) -> bool:
        """The request under way is this caller's. False if the caller has its share of connections already."""

    def give_up(self) -> None:
        """Close it; it is idle."""

    def read_on(self) -> None:
        """Read one part more of a body that nobody wants."""


class Connections:
    """Those of one event loop. If there is no room, idle ones give way to new ones: first those of the holder that has
    most, and of them the one that is idle longest. ``shares``: of the loop's processor time."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.most = 1_000_000
        self.open = 0
        self.shares = ProcessorShares()
        self._loop = loop
        self._held: dict[str, dict[Connection, None]] = {}
        self._resting: Turns[Connection] = Turns()

    @staticmethod
    def of(loop: AbstractEventLoop) -> "Connections":
        """Those of this loop."""
        found = _BY_LOOP.get(loop)
        if found is None:
            found = _BY_LOOP[loop] = Connections(loop)
        return found

    def holds(self, holder: str) -> int:
        """How many this holder has."""
        return len(self._held.get(holder, ()))

    def enter(self, one: Connection) -> bool:
        """Count a new one. False if there is no room for it, and no idle one could give way."""
        if self.open >= self.most and not self._make_room():
            return False
        self.open += 1
        self._held.setdefault(one.holder, {})[one] = None
        return True

    def leave(self, one: Connection) -> None:
        """It is closed."""
        self.open -= 1
        held = self._held[one.holder]
        del held[one]
        if not held:
            del self._held[one.holder]

    def pass_to(self, one: Connection, caller: str) -> bool:
        """It belongs to this caller from now on. False if the caller would have more than its share."""
        if self.holds(caller) >= _SHARE * max(self.most - self.open, 0):
            return False
        self.leave(one)
        one.holder = caller
        self.open += 1
        self._held.setdefault(caller, {})[one] = None
        return True

    def rest(self, one: Connection) -> None:
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
        for holder in sorted(self._held, key=self.holds, reverse=True):
            some = islice(self._held[holder], _MOST_LOOKED_AT)
            idle = [(since, one) for one in some if (since := one.idle_since) is not None]
            if idle:
                _, longest = min(idle, key=itemgetter(0))
                self.leave(longest)
                longest.give_up()
                return True
        return False


_BY_LOOP: Final[WeakKeyDictionary[AbstractEventLoop, Connections]] = WeakKeyDictionary()
