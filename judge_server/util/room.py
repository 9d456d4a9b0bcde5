"""Room that is shared by size: works wait until what is inside leaves enough of it."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Each holder may have ``most`` inside at a time, or one work that is larger alone. First come, first served among
    the works of a holder; holders do not wait for each other. Use it on one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inside: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[tuple[int, asyncio.Future[None]]]] = defaultdict(deque)

    @property
    def inside(self) -> int:
        """The sizes of all works inside, of all holders."""
        return self._inside.total()

    @asynccontextmanager
    async def of(self, whose: str, size: int) -> AsyncIterator[None]:
        """The block begins once there is room for ``size``."""
        if self._waiting.get(whose) or not self._fits(whose, size):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[whose].append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._leave(whose, size)
                else:
                    self._admit(whose)  # the next may fit where this one did not
                raise
        else:
            self._inside[whose] += size
        try:
            yield
        finally:
            self._leave(whose, size)

    def _fits(self, whose: str, size: int) -> bool:
        return self._inside[whose] + size <= self._most or not self._inside[whose]

    def _leave(self, whose: str, size: int) -> None:
        self._inside[whose] -= size
        self._admit(whose)

    def _admit(self, whose: str) -> None:
        waiting = self._waiting[whose]
        while waiting and (waiting[0][1].done() or self._fits(whose, waiting[0][0])):
            size, turn = waiting.popleft()
            if not turn.done():
                self._inside[whose] += size
                turn.set_result(None)
        if not waiting:
            del self._waiting[whose]
        if not self._inside[whose]:
            del self._inside[whose]
