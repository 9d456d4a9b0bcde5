"""Group commit: what many callers write goes into one transaction. Items that queue during a commit go into the next
one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from judge_server.core.errors import StoreUnavailable
from judge_server.store.fault import unanswered
from judge_server.util.deadline import wait_ends_at
from judge_server.util.time_limit import until

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item]):
    """``number``: its place in the order in which entries came."""

    items: Sequence[Item]
    done: "asyncio.Future[None]"
    number: int


class GroupCommit(Generic[Item]):
    """``commit`` runs in ``executor``, one call at a time, and returns for each item None or the error that rejected
    it.

    ``most_waiting`` bounds the queue (further callers wait for room in it), ``most_items`` the items of one
    transaction. There is no artificial delay: a single item is committed at once, and commits grow under load.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Sequence[Exception | None]],
        executor: Executor,
        *,
        most_waiting: int = 4096,
        most_items: int = 512,
    ) -> None:
        self._commit = commit
        self._executor = executor
        self._most_items = most_items
        self._most_waiting = most_waiting
        self._room = asyncio.Semaphore(most_waiting)
        self._numbers = count()
        self._queue: deque[_Entry[Item]] = deque()
        self._alone: deque[_Entry[Item]] = deque()
        self._was_alone = False
        self._wake = asyncio.Event()
        self._closed = False
        self._flusher = asyncio.create_task(self._flush(), name="store-group-commit")

    async def add(self, *items: Item, alone: bool = False) -> None:
        """Return when the commit that holds ``items`` is done; raise the first error that rejected one of them.
        Cancelling the caller does not withdraw its items. ``alone``: they are long, so that no others share their
        commit, and after each such commit it is the turn of the others."""
        try:
            with until(wait_ends_at.get()):
                async with self._room:
                    await self._queued(items, self._alone if alone else self._queue)
        except TimeoutError:
            raise unanswered() from None

    def put(self, *items: Item) -> "asyncio.Future[None]":
        """Queue ``items`` without waiting. They are committed before or with what is added later; the future has the
        first error that rejected one of them. Raises StoreUnavailable if too many wait."""
        if len(self._queue) + len(self._alone) >= self._most_waiting:
            raise StoreUnavailable("Too much waits to be written.", remedy="The database is slow or away: check it.")
        return self._queued(items, self._queue)

    def _queued(self, items: Sequence[Item], queue: "deque[_Entry[Item]]") -> "asyncio.Future[None]":
        if self._closed:
            raise StoreUnavailable("The store is closed.", remedy="The server is shutting down: try again.")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(_Entry(items, done, next(self._numbers)))
        self._wake.set()
        return done

    async def close(self) -> None:
        """Commit what is queued, then refuse more."""
        self._closed = True
        self._wake.set()
        await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        try:
            while self._queue or self._alone or not self._closed:
                await self._wake.wait()
                self._wake.clear()
                while self._queue or self._alone:
                    await self._commit_some(self._take())
        finally:
            _settle([*self._queue, *self._alone], StoreUnavailable("The store closed before this was written."))

    def _take(self) -> list[_Entry[Item]]:
        """At least one entry, and no more than ``most_items`` items unless one entry alone has more. What came before
        an entry that goes alone is committed before it."""
        first = self._alone and not (self._queue and (self._was_alone or self._queue[0].number < self._alone[0].number))
        self._was_alone = bool(first)
        if first:
            return [self._alone.popleft()]
        taken = [self._queue.popleft()]
        number = len(taken[0].items)
        while self._queue and number + len(self._queue[0].items) <= self._most_items:
            taken.append(self._queue.popleft())
            number += len(taken[-1].items)
        return taken

    async def _commit_some(self, entries: list[_Entry[Item]]) -> None:
        items = [item for entry in entries for item in entry.items]
        try:
            errors = await asyncio.get_running_loop().run_in_executor(self._executor, self._commit, items)
        except Exception as fault:  # noqa: BLE001 passed on to the waiters
            _settle(entries, fault)
        except BaseException:
            _settle(entries, StoreUnavailable("The store stopped before this was written."))
            raise
        else:
            position = 0
            for entry in entries:
                own = errors[position : position + len(entry.items)]
                position += len(entry.items)
                _settle([entry], next((error for error in own if error is not None), None))


def _settle(entries: Sequence[_Entry[Item]], error: Exception | None) -> None:
    for entry in entries:
        if entry.done.done():
            continue
        if error is None:
            entry.done.set_result(None)
        else:
            entry.done.set_exception(error)
