"""How soon shared work is wanted: as soon as the most urgent of those who wait for it wants it."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

from judge_server.core.caller import current_caller
from judge_server.models.protocol import Priority


class Want(NamedTuple):
    """Somebody who waits: in which class, and under which caller's name."""

    priority: Priority
    caller: str

    @staticmethod
    def of(priority: Priority) -> "Want":
        """Of the request under way."""
        return Want(priority, current_caller.get().name)


class Urgency:
    """``wants`` of all who wait for one piece of work. Its places in line are told when somebody comes or goes."""

    __slots__ = ("_listeners", "wants")

    def __init__(self) -> None:
        self.wants: list[Want] = []
        self._listeners: list[Callable[[], None]] = []

    def add(self, want: Want) -> None:
        self.wants.append(want)
        self._tell()

    def remove(self, want: Want) -> None:
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


current_urgency: ContextVar[Urgency | None] = ContextVar("current_urgency", default=None)
