"""Concurrent work without orphans: if one part fails, the others are cancelled and its exception is raised as it is."""

import asyncio
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

_LOG = logging.getLogger(__name__)
T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")
# one thread: the event loop waits for the interpreter lock once for every thread that wants it
_LONG_WORK = ThreadPoolExecutor(1, thread_name_prefix="long-work")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """``asyncio.TaskGroup``, but the first exception is raised itself instead of in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as faults:
        fault: BaseException = faults
        while isinstance(fault, BaseExceptionGroup):
            fault = fault.exceptions[0]
        raise fault from None


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; a lone work runs in the caller's own task."""
    if len(works) == 1:
        return [await works[0]]
    async with task_group() as group:
        tasks = [group.create_task(work) for work in works]
    return [task.result() for task in tasks]


async def in_long_work(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of long work of the processor, one after the other in one thread for the whole process."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_LONG_WORK, lambda: context.run(work, *args, **kwargs))


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """``together`` for two of different types."""
    async with task_group() as group:
        one, other = group.create_task(first), group.create_task(second)
    return one.result(), other.result()


async def for_each(items: AsyncIterator[T], work: Callable[[T], Coroutine[Any, Any, None]], at_once: int) -> None:
    """``work`` on every item, at most ``at_once`` at a time. Items are drawn as room becomes free."""
    room = asyncio.Semaphore(at_once)
    async with task_group() as group:
        async for item in items:
            await room.acquire()
            group.create_task(work(item)).add_done_callback(lambda _: room.release())


def cooperatively(items: Iterable[T]) -> Iterator[T]:
    """The items, with every other thread let in between two of them: the interpreter alone changes threads every 5 ms
    only, and the event loop would wait for so long each time that it has something to do."""
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
