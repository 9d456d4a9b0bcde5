"""Takes open jobs from the store, a few at a time, and sees them through. Any number of workers may share a store."""

import asyncio
import logging
import secrets
from functools import partial

from judge_server.core.errors import StoreUnavailable
from judge_server.core.job import Job
from judge_server.scoring.scorer import Scorer
from judge_server.store.job_records import JobRecords
from judge_server.util.concurrency import run_periodically
from judge_server.workers.job_limits import Bounds
from judge_server.workers.job_run import JobRun

_LOG = logging.getLogger(__name__)
_FORGET_EVERY_SECONDS = 60.0


class Worker:
    """``start`` it in the event loop of the scorer, ``close`` it before the store."""

    def __init__(self, records: JobRecords, scorer: Scorer, bounds: Bounds) -> None:
        self.name = f"wrk_{secrets.token_hex(8)}"
        self._records = records
        self._scorer = scorer
        self._bounds = bounds
        self._room = asyncio.Semaphore(bounds.items_at_once)
        self._news = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._keeping: list[asyncio.Task[None]] = []

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def start(self) -> None:
        pause = partial(asyncio.sleep, _FORGET_EVERY_SECONDS)
        self._keeping = [
            asyncio.create_task(
                run_periodically("jobs", self._claim, self._next_look, transient=StoreUnavailable), name="jobs"
            ),
            asyncio.create_task(
                run_periodically("ended jobs", self._forget, pause, transient=StoreUnavailable), name="jobs-retention"
            ),
        ]

    def wake(self) -> None:
        """A job was added or cancelled."""
        self._news.set()

    def cancel(self, job_id: str) -> None:
        """The job was cancelled in the store: what is under way here ends now."""
        task = self._under_way.get(job_id)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """Ends what is under way and lets others have it."""
        tasks = [*self._keeping, *self._under_way.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim(self) -> None:
        self._news.clear()
        room = self._bounds.jobs_at_once - len(self._under_way)
        for job in await self._records.claim(self.name, lease_seconds=self._bounds.lease_seconds, most_jobs=room):
            task = asyncio.create_task(self._undertake(job), name=job.id)
            self._under_way[job.id] = task
            task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task.get_name()]
        self._news.set()

    async def _next_look(self) -> None:
        """When there is news, or a lease of another worker may have passed."""
        try:
            async with asyncio.timeout(self._bounds.lease_seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _undertake(self, job: Job) -> None:
        undertaking = JobRun(job, self.name, self._records, self._scorer, self._bounds, self._room)
        try:
            await undertaking.carry_out()
        except StoreUnavailable as fault:
            _LOG.warning("job %s rests until the store answers: %s", job.id, fault)
        except Exception:  # noqa: BLE001 - one job that stops is no reason to stop the others
            _LOG.exception("job %s stopped; it is taken up again when its lease has passed", job.id)

    async def _forget(self) -> None:
        for job_id in await self._records.expired():
            await self._records.discard(job_id)
