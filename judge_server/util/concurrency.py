"""Structured concurrency: if one part fails, the others are cancelled and its exception is raised unwrapped."""

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
Item = TypeVar("Item")
U = TypeVar("U")
P = ParamSpec("P")
# one thread, because each further one delays the event loop's turn at the interpreter lock
_LONG_WORK = ThreadPoolExecutor(1, thread_name_prefix="long-work")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """``asyncio.TaskGroup``, but raises the first exception itself instead of an exception group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as faults:
        fault: BaseException = faults
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        raise fault from None


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; a single coroutine runs in the caller's task."""
    if len(works) == 1:
        return [await works[0]]
    async with task_group() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


async def in_steps(make: Callable[[Item], T], items: Iterable[Item], most: int = 256) -> list[T]:
    """The results of ``make`` in order; after each ``most`` of them others have a turn of the event loop."""
    found: list[T] = []
    for number, item in enumerate(items, 1):
        found.append(make(item))
        if not number % most:
            await asyncio.sleep(0)
    return found


async def in_long_work(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of CPU-bound work; the whole process runs such work sequentially in one thread."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_LONG_WORK, lambda: context.run(work, *args, **kwargs))


def in_daemon(work: Callable[[], T], name: str) -> "Future[T]":
    """The result of ``work`` in a thread of its own, which the end of the interpreter does not wait for."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as fault:  # noqa: BLE001 - raised where the result is awaited
            future.set_exception(fault)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """``together`` for two results of different types."""
    async with task_group() as group:
        one, other = group.create_task(first), group.create_task(second)
    return one.result(), other.result()


async def for_each(items: AsyncIterator[T], work: Callable[[T], Coroutine[Any, Any, None]], at_once: int) -> None:
    """Run ``work`` on every item, at most ``at_once`` at a time. Items are taken when a slot becomes free."""
    room = asyncio.Semaphore(at_once)
    async with task_group() as group:
        async for item in items:
            await room.acquire()
            group.create_task(work(item)).add_done_callback(lambda _: room.release())


def cooperatively(items: Iterable[T]) -> Iterator[T]:
    """The items; releases the interpreter lock between two of them. By itself the interpreter switches threads only
    every 5 ms, which would delay the event loop each time."""
    for item in items:
        time.sleep(0)
        yield item


async def run_periodically(
    what: str,
    work: Callable[[], Awaitable[object]],
    pause: Callable[[], Awaitable[object]],
    *,
    transient: type[Exception] | tuple[type[Exception], ...] = (),
) -> None:
    """Run ``work``, then ``pause``, until cancelled. ``what`` names the work in the log.

    An exception from ``work`` is logged and the loop goes on: ``transient`` ones as one warning line, others with a
    traceback."""
    while True:
        try:
            await work()
        except transient as fault:
            _LOG.warning("%s: %s; trying again later", what, fault)
        except Exception:  # noqa: BLE001 - one failed run must not end the schedule
            _LOG.exception("%s failed and will be tried again", what)
        await pause()


class Schedule:
    """``run_periodically`` as a task of its own, with ``seconds`` between two runs."""

    def __init__(
        self, what: str, work: Callable[[], Awaitable[object]], seconds: float, *, transient: type[Exception]
    ) -> None:
        self._what = what
        self._run = partial(run_periodically, what, work, partial(asyncio.sleep, seconds), transient=transient)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._what)

    async def close(self) -> None:
        """What the work has begun in other threads goes on there."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
