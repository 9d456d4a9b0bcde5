"""Claims open jobs from the store and runs them. Any number of workers may share a store.

Each priority class has slots of its own here; the model's scheduler serves the more urgent class first. Within a class
callers take turns, item by item, however many jobs each of them has.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial

from judge_server.core.errors import StoreUnavailable
from judge_server.core.job import Job
from judge_server.models.protocol import Priority
from judge_server.scheduling.scheduler import Scheduler
from judge_server.scoring.scorer import Scorer
from judge_server.store.job_records import JobRecords
from judge_server.util.concurrency import run_periodically
from judge_server.util.time_limit import within
from judge_server.workers.job_run import JobLimits, JobRun
from judge_server.workers.pace import SlotPace

_LOG = logging.getLogger(__name__)
_FORGET_EVERY_SECONDS = 60.0
_RENEWALS_PER_LEASE = 3
_LAG_EVERY_SECONDS = 0.05
_REQUESTS_SECONDS = 0.5  # since one to be judged arrived; more of them are likely


class JobWorker:
    """``start`` it in the event loop of the scorer, and ``close`` it before the store."""

    def __init__(
        self, records: JobRecords, scorer: Scorer, limits: JobLimits, judge_away: Callable[[], bool] = lambda: False
    ) -> None:
        self._judge_away = judge_away
        self.name = f"wrk_{secrets.token_hex(8)}"
        self._records = records
        self._scorer = scorer
        self._limits = limits
        self._pace = SlotPace(limits.items_at_once)
        self._slots = {priority: Scheduler(self._pace.slots) for priority in Priority}
        self._changed = asyncio.Event()
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._running = asyncio.Event()  # while there are runs
        self._loops: list[asyncio.Task[None]] = []

    @property
    def under_way(self) -> int:
        return len(self._runs)

    def start(self) -> None:
        renewal = partial(asyncio.sleep, self._limits.lease_seconds / _RENEWALS_PER_LEASE)
        loops = (
            ("jobs", self._claim, self._next_claim),
            ("leases of jobs", self._renew, renewal),
            ("ended jobs", self._forget, partial(asyncio.sleep, _FORGET_EVERY_SECONDS)),
        )
        self._loops = [
            asyncio.create_task(run_periodically(what, work, pause, transient=StoreUnavailable), name=what)
            for what, work, pause in loops
        ]
        self._loops.append(asyncio.create_task(self._leave_time_to_requests(), name="job-slots"))

    def wake(self) -> None:
        """Look for jobs now, because one was added."""
        self._changed.set()

    def cancel(self, job_id: str) -> None:
        """Stop running a job that was cancelled in the store."""
        run = self._runs.get(job_id)
        if run is not None:
            run.cancel()

    async def close(self) -> None:
        """Stop, and release the jobs to other workers."""
        tasks = [*self._loops, *self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave_time_to_requests(self) -> None:
        """Use fewer slots while the event loop or the store is late, and more again when they are not."""
        loop = asyncio.get_running_loop()
        while True:
            await self._running.wait()
            due = loop.time() + _LAG_EVERY_SECONDS
            await asyncio.sleep(_LAG_EVERY_SECONDS)
            requests = self._scorer.admission.seconds_since_a_request < _REQUESTS_SECONDS
            capacity = self._pace.step(loop.time(), loop.time() - due, requests=requests)
            for slots in self._slots.values():
                slots.capacity = capacity

    async def _claim(self) -> None:
        self._changed.clear()
        limits = self._limits
        for job in await self._records.claim(
            self.name, lease_seconds=limits.lease_seconds, most_each=limits.jobs_each, most_of_class=limits.jobs_at_once
        ):
            task = asyncio.create_task(self._run(job), name=job.id)
            self._runs[job.id] = task
            if not self._running.is_set():
                self._pace.begin()
                self._running.set()
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._runs.get(task.get_name()) is task:
            del self._runs[task.get_name()]
        if not self._runs:
            self._running.clear()
        self._changed.set()

    async def _next_claim(self) -> None:
        """Wait until a job may be available: after a change, or when another worker's lease may have expired."""
        try:
            with within(self._limits.lease_seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _renew(self) -> None:
        """Renew the leases of jobs that run here, and stop jobs that were cancelled or taken over."""
        running = tuple(self._runs)
        if not running:
            return
        held = await self._records.renew(self.name, running, lease_seconds=self._limits.lease_seconds)
        for job_id in running:
            if job_id not in held:
                self.cancel(job_id)

    async def _run(self, job: Job) -> None:
        slots = self._slots[Priority[job.terms.priority.upper()]]
        try:
            run = JobRun(job, self.name, self._records, self._scorer, self._limits, slots, self._pace, self._judge_away)
            await run.run()
        except StoreUnavailable as fault:
            _LOG.warning("job %s waits until the store answers: %s", job.id, fault)
        except Exception:  # noqa: BLE001 - a failed job must not stop the others
            _LOG.exception("job %s stopped; a worker resumes it when its lease expires", job.id)

    async def _forget(self) -> None:
        await self._records.forget_expired()
