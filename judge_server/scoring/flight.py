"""The same question asked twice at once is asked once: later callers share the first one's answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Landed(NamedTuple, Generic[T]):
    """``started``: this caller's call began the work; ``pays``: of those who share a result, one bears its cost."""

    result: T
    started: bool
    pays: bool


@dataclass
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    passengers: int = 0
    paid: bool = False


class Flights(Generic[T]):
    """Shared work by key. Work is cancelled when the last caller that waits for it is cancelled."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: str, start: Callable[[], Awaitable[T]]) -> Landed[T]:
        """The result for ``key``. Raises what the work raises, to every caller."""
        flight = self._flights.get(key)
        started = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(_run(start)))
            flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        flight.passengers += 1
        try:
            result = await asyncio.shield(flight.task)
        finally:
            flight.passengers -= 1
            if not flight.passengers and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()
        pays, flight.paid = not flight.paid, True
        return Landed(result, started, pays)

    def _landed(self, key: str, flight: "_Flight[T] | None", task: asyncio.Task[T]) -> None:
        self._forget(key, flight)
        if not task.cancelled():
            task.exception()  # nobody may be left to ask for it

    def _forget(self, key: str, flight: "_Flight[T] | None") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _run(start: Callable[[], Awaitable[T]]) -> T:
    return await start()
