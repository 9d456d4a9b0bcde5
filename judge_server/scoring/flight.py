"""The same question asked twice at once is asked once: later callers share the first one's answer."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """Work under way, in ``task``, and how many callers it carries."""

    __slots__ = ("_paid", "key", "passengers", "task")

    def __init__(self, key: str, task: asyncio.Task[T]) -> None:
        self.key = key
        self.task = task
        self.passengers = 0
        self._paid = False

    def pay(self) -> bool:
        """True for the one caller, of those who share the result, that bears its cost: the first to ask."""
        paid, self._paid = self._paid, True
        return not paid


class Flights(Generic[T]):
    """Shared work by key. Who boards must leave; work is cancelled when its last caller leaves before it is done."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    def board(self, key: str, start: Callable[[], Coroutine[Any, Any, T]]) -> Flight[T]:
        """The flight that is under way for ``key``, or a new one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = Flight(key, asyncio.get_running_loop().create_task(start()))
            flight.task.add_done_callback(partial(self._landed, flight))
        flight.passengers += 1
        return flight

    def leave(self, flight: Flight[T]) -> None:
        flight.passengers -= 1
        if not flight.passengers and not flight.task.done():
            self._forget(flight)
            flight.task.cancel()

    def _landed(self, flight: Flight[T], _: asyncio.Task[T]) -> None:
        self._forget(flight)
        if not flight.task.cancelled():
            flight.task.exception()  # nobody may be left to ask for it

    def _forget(self, flight: Flight[T]) -> None:
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
