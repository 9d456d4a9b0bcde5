"""How soon shared work is wanted: as soon as the most urgent of those who wait for it wants it."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

from judge_server.core.caller import current_caller
from judge_server.models.protocol import Priority


class Waiter(NamedTuple):
    """Somebody who waits: in which class, and under which caller's name."""

    priority: Priority
    caller: str

    @staticmethod
    def of(priority: Priority) -> "Waiter":
        """Of the request under way."""
        return Waiter(priority, current_caller.get().name)


class Waiters:
    """``wants`` of all who wait for one piece of work. Its places in line are told when somebody comes or goes."""

    __slots__ = ("_listeners", "wants")

    def __init__(self) -> None:
        self.wants: list[Waiter] = []
        self._listeners: list[Callable[[], None]] = []

    def add(self, want: Waiter) -> None:
        self.wants.append(want)
        self._tell()

    def remove(self, want: Waiter) -> None:
        self.wants.remove(want)
        if self.wants:  # otherwise the work is cancelled, or done
            self._tell()

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        self._listeners.remove(listener)

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            listener()


current_urgency: ContextVar[Waiters | None] = ContextVar("current_urgency", default=None)
