"""Event streams of jobs. All streams of a process look at the store with one question, and a caller has so many."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextvars import Context

from judge_server.core.caller import current_caller
from judge_server.core.errors import AllowanceSpent, StoreUnavailable
from judge_server.core.job import Job
from judge_server.util.log_throttle import LogThrottle

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_KEEP_ALIVE_LOOKS = 30
_RETRY_AFTER_SECONDS = 10.0
MOST_STREAMS = 64

FindAll = Callable[[Sequence[str]], Awaitable[Mapping[str, Job]]]


class JobEvents:
    """``find_all`` gives the jobs of these ids that exist."""

    def __init__(self, find_all: FindAll, most_streams: int = MOST_STREAMS) -> None:
        self._find_all = find_all
        self._most_streams = most_streams
        self._streams: Counter[str] = Counter()
        self._followed: Counter[str] = Counter()
        self._jobs: Mapping[str, Job] = {}
        self._looked: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._throttle = LogThrottle()

    def require_room(self) -> None:
        """Raises AllowanceSpent if the current caller has as many streams open as one may have."""
        if self._streams[current_caller.get().name] >= self._most_streams:
            raise AllowanceSpent(
                f"{self._most_streams} event streams of this caller are open.",
                remedy="Close some, or ask for GET /v1/jobs, which shows many jobs at once.",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            )

    async def follow(self, job: Job) -> AsyncIterator[str]:
        """Server-sent events: ``progress`` if the counts changed, ``end`` at the end of the job."""
        caller = current_caller.get().name
        self._streams[caller] += 1
        self._followed[job.id] += 1
        try:
            yield _event("progress", job) if not job.ended else _event("end", job)
            shown, quiet = job, 0
            while not shown.ended:
                found = await self._next(job.id)
                if found is None:
                    yield "event: end\ndata: {}\n\n"
                    return
                quiet = 0 if found != shown else quiet + 1
                if found != shown:
                    yield _event("end" if found.ended else "progress", found)
                elif quiet % _KEEP_ALIVE_LOOKS == 0:
                    yield ": still here\n\n"
                shown = found
        finally:
            self._streams -= Counter({caller: 1})
            self._followed -= Counter({job.id: 1})

    async def _next(self, job_id: str) -> Job | None:
        """The job as the next look finds it."""
        if self._looking is None or self._looking.done():
            self._looked = asyncio.get_running_loop().create_future()
            self._looking = asyncio.create_task(self._look(), name="job-events", context=Context())
        assert self._looked is not None  # noqa: S101 - set with the task
        await asyncio.shield(self._looked)
        return self._jobs.get(job_id)

    async def _look(self) -> None:
        while self._followed:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                self._jobs = await self._find_all(tuple(self._followed))
            except StoreUnavailable as fault:
                more = self._throttle.of(fault.type)
                if more is not None:
                    _LOG.warning("event streams wait until the store answers: %s%s", fault, more)
                continue
            except Exception:  # noqa: BLE001 - streams that wait must not wait for ever
                _LOG.exception("jobs could not be looked at; event streams try again")
                continue
            looked, self._looked = self._looked, asyncio.get_running_loop().create_future()
            if looked is not None:
                looked.set_result(None)


def _event(name: str, job: Job) -> str:
    return f"event: {name}\ndata: {job.model_dump_json()}\n\n"
