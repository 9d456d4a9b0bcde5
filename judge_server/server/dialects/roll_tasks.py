"""Scoring that a trainer submits and asks after later. Kept in memory: a restarted server knows none of it."""

import asyncio
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from judge_server.core.errors import JudgeServerError, NotFound, Overloaded
from judge_server.server.dialects.rewarding import Reward

_KEPT_SECONDS = 900.0


@dataclass(slots=True)
class Task:
    """``working`` gives the reward, or raises why there is none."""

    working: asyncio.Task[Reward]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    ended_at: float = 0.0


class Tasks:
    """At most ``limit`` unfinished ones; a finished one is remembered for a quarter of an hour."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: dict[str, Task] = {}
        self._unfinished = 0

    def start(self, work: Coroutine[Any, Any, Reward]) -> str:
        """The id to ask for. Raises Overloaded where too many are unfinished."""
        self._forget()
        if self._unfinished >= self._limit:
            work.close()
            raise Overloaded(f"{self._unfinished} tasks are unfinished.", remedy="Submit again later.")
        name = f"rwd_{secrets.token_hex(12)}"
        task = Task(asyncio.create_task(work, name=name))
        self._tasks[name] = task
        self._unfinished += 1
        task.working.add_done_callback(lambda _: self._finish(task))
        return name

    def find(self, name: str) -> Task:
        """Raises NotFound for one that never was or is forgotten."""
        task = self._tasks.get(name)
        if task is None:
            raise NotFound("No task is known under this reward_request_id.", remedy="Submit it again.")
        return task

    async def close(self) -> None:
        """Ends what is unfinished."""
        working = [task.working for task in self._tasks.values() if not task.working.done()]
        for one in working:
            one.cancel()
        if working:
            await asyncio.wait(working)

    def _finish(self, task: Task) -> None:
        self._unfinished -= 1
        task.ended, task.ended_at = datetime.now(UTC), time.monotonic()

    def _forget(self) -> None:
        """Tasks stand in the order of their start, so the oldest come first."""
        oldest = time.monotonic() - _KEPT_SECONDS
        for name, task in list(self._tasks.items())[:64]:
            if task.ended is not None and task.ended_at < oldest:
                del self._tasks[name]


def outcome(task: Task) -> Reward | JudgeServerError | None:
    """The reward, or why there is none; None while it is being found."""
    if not task.working.done():
        return None
    if task.working.cancelled():
        return JudgeServerError("The task was ended with its server.")
    fault = task.working.exception()
    if fault is None:
        return task.working.result()
    return (
        fault if isinstance(fault, JudgeServerError) else JudgeServerError(f"The task failed: {type(fault).__name__}.")
    )
