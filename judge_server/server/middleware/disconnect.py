"""Cancel the work of a request when its client disconnects or the server stops, down to the calls of the model."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from judge_server.core.errors import Draining
from judge_server.server.problems import ClientGone

T = TypeVar("T")
_PATIENCE_SECONDS = 2.0


class RequestTasks:
    """The tasks that run for requests."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Cancel all tasks; their callers get 503."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_PATIENCE_SECONDS)


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``, and cancel it if the client disconnects. Raises ClientGone in that case, and Draining if the server
    stops first."""
    under_way: RequestTasks = request.app.state.working
    working = under_way.begin(work)
    watching = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.cancelled():
            raise Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)
        if working.done():
            return working.result()
        raise ClientGone
    finally:
        watching.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
