"""Single flight: callers that ask the same thing at once share one call.

The call has the priority of its most urgent waiter (priority inheritance). It is cancelled when its last waiter leaves.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from judge_server.core.caller import current_caller
from judge_server.models.protocol import Priority

T = TypeVar("T")


class Waiter(NamedTuple):
    """One waiter of a call: its class and caller."""

    priority: Priority
    caller: str


class Waiters:
    """All waiters of one call. Its queue entries are notified when a waiter joins or leaves."""

    __slots__ = ("_listeners", "all")

    def __init__(self) -> None:
        self.all: list[Waiter] = []
        self._listeners: list[Callable[[], None]] = []

    def add(self, waiter: Waiter) -> None:
        self.all.append(waiter)
        self._notify()

    def remove(self, waiter: Waiter) -> None:
        self.all.remove(waiter)
        if self.all:  # otherwise the call is cancelled, or done
            self._notify()

    def listen(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        self._listeners.remove(listener)

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()


current_waiters: ContextVar[Waiters | None] = ContextVar("current_waiters", default=None)


class SharedCall(Generic[T]):
    """A call in flight in ``task``, and its waiters. ``charged``: whether its cost was charged to one of them;
    ``left``: whether the one that began it has left."""

    __slots__ = ("charged", "key", "left", "task", "waiters")

    def __init__(self, key: str, waiters: Waiters, task: asyncio.Task[T]) -> None:
        self.key = key
        self.waiters = waiters
        self.task = task
        self.charged = self.left = False


class Share(NamedTuple, Generic[T]):
    """One caller's share of a call. ``started``: whether the caller began it."""

    call: SharedCall[T]
    waiter: Waiter
    started: bool

    def take_cost(self) -> bool:
        """Whether the caller bears the cost of the call, which is taken once: by the one that began it, whose key pays
        for it, or by the first that asks after that one has left."""
        call = self.call
        if call.charged or not (self.started or call.left):
            return False
        call.charged = True
        return True


class SingleFlight(Generic[T]):
    """Calls under way by key. Each ``join`` needs one ``leave``."""

    def __init__(self) -> None:
        self._calls: dict[str, SharedCall[T]] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def join(self, key: str, start: Callable[[], Coroutine[Any, Any, T]], priority: Priority) -> Share[T]:
        """The current caller's share of the call in flight for ``key``, or of a new one."""
        waiter = Waiter(priority, current_caller.get().name)
        call = self._calls.get(key)
        started = call is None
        if call is None:
            call = self._calls[key] = self._begin(key, start)
        call.waiters.add(waiter)
        return Share(call, waiter, started)

    def leave(self, share: Share[T]) -> None:
        """Leave the call, which is cancelled if it has no other waiter."""
        call = share.call
        call.left = call.left or share.started
        call.waiters.remove(share.waiter)
        if not call.waiters.all and not call.task.done():
            self._forget(call)
            call.task.cancel()

    def _begin(self, key: str, start: Callable[[], Coroutine[Any, Any, T]]) -> SharedCall[T]:
        waiters = Waiters()
        around = current_waiters.set(waiters)
        try:
            call = SharedCall(key, waiters, asyncio.get_running_loop().create_task(start()))
        finally:
            current_waiters.reset(around)
        call.task.add_done_callback(partial(self._end, call))
        return call

    def _end(self, call: SharedCall[T], _: asyncio.Task[T]) -> None:
        self._forget(call)
        if not call.task.cancelled():
            call.task.exception()  # marks the exception as retrieved: there may be no waiter left

    def _forget(self, call: SharedCall[T]) -> None:
        if self._calls.get(call.key) is call:
            del self._calls[call.key]


class Claims(Protocol):
    """Questions that other processes of the server may be asking."""

    def offer(self, readings: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]) -> None: ...

    async def claim(self, keys: Sequence[str]) -> Mapping[str, Any]:
        """Claim the keys that nobody has; returns those that others have, with what finds their owners."""

    def release(self, keys: Collection[str]) -> None: ...

    async def readings(self, keys: Mapping[str, Any], seconds: float | None) -> Mapping[str, Mapping[str, Any]]: ...
