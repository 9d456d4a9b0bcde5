"""The same question asked twice at once is asked once: later callers share the first one's answer, and it is as urgent
as the most urgent of those who wait for it."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

from judge_server.scheduling.urgency import Waiter, Waiters, current_urgency

T = TypeVar("T")


class Flight(Generic[T]):
    """Work under way, in ``task``, and those who wait for it."""

    __slots__ = ("_paid", "key", "task", "urgency")

    def __init__(self, key: str, urgency: Waiters, task: asyncio.Task[T]) -> None:
        self.key = key
        self.urgency = urgency
        self.task = task
        self._paid = False

    def pay(self) -> bool:
        """True for the one caller, of those who share the result, that bears its cost: the first to ask."""
        paid, self._paid = self._paid, True
        return not paid


class SingleFlight(Generic[T]):
    """Shared work by key. Who boards must leave; work is cancelled when its last caller leaves before it is done."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    def board(self, key: str, start: Callable[[], Coroutine[Any, Any, T]], want: Waiter) -> Flight[T]:
        """The flight that is under way for ``key``, or a new one; ``want``: how soon the caller wants it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = self._begin(key, start)
        flight.urgency.add(want)
        return flight

    def leave(self, flight: Flight[T], want: Waiter) -> None:
        """With the same ``want``."""
        flight.urgency.remove(want)
        if not flight.urgency.wants and not flight.task.done():
            self._forget(flight)
            flight.task.cancel()

    def _begin(self, key: str, start: Callable[[], Coroutine[Any, Any, T]]) -> Flight[T]:
        urgency = Waiters()
        around = current_urgency.set(urgency)
        try:
            flight = Flight(key, urgency, asyncio.get_running_loop().create_task(start()))
        finally:
            current_urgency.reset(around)
        flight.task.add_done_callback(partial(self._landed, flight))
        return flight

    def _landed(self, flight: Flight[T], _: asyncio.Task[T]) -> None:
        self._forget(flight)
        if not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to ask for it

    def _forget(self, flight: Flight[T]) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
