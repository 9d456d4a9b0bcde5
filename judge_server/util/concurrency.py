"""Work side by side, without orphans: where one fails, the others are cancelled and the failure is raised as it is."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")


async def together(works: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; a lone work runs in the caller's own task."""
    if len(works) == 1:
        return [await works[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as faults:
        raise _first(faults) from None
    return [task.result() for task in tasks]


async def both(first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """``together`` for two of different kinds."""
    try:
        async with asyncio.TaskGroup() as group:
            one, other = group.create_task(first), group.create_task(second)
    except BaseExceptionGroup as faults:
        raise _first(faults) from None
    return one.result(), other.result()


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    fault: BaseException = faults
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return fault


Item = TypeVar("Item")


def cooperatively(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with every other thread let in between two of them: the interpreter alone changes threads every 5 ms
    only, and the event loop would wait for so long each time that it has something to do."""
    for item in items:
        time.sleep(0)
        yield item


_LOG = logging.getLogger(__name__)


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
