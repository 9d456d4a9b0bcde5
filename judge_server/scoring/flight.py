"""The same question asked twice at once is asked once: later callers share the first one's answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    passengers: int = 0


class Flights(Generic[T]):
    """Shared work by key. Work is cancelled when the last caller that waits for it is cancelled."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: str, start: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """The result for ``key``, and whether this call was the one that started the work."""
        flight = self._flights.get(key)
        first = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(_run(start)))
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task), first
        finally:
            flight.passengers -= 1
            if not flight.passengers and not flight.task.done():
                self._landed(key, flight)
                flight.task.cancel()

    def _landed(self, key: str, flight: "_Flight[T] | None") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _run(start: Callable[[], Awaitable[T]]) -> T:
    return await start()
