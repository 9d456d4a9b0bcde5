"""One job, seen through: its unfinished items are judged, and each result is kept before the next sign of life."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from typing import Any

from judge_server.core.caller import ANYONE, Caller, current_caller
from judge_server.core.errors import BadSubmission, DeadlineExceeded, ModelUnavailable, Overloaded, StoreUnavailable
from judge_server.core.job import Job
from judge_server.core.submission import Coordinates
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import failed_judgment, score_item
from judge_server.scoring.scorer import Scorer
from judge_server.store.job_records import JobItem, JobRecords
from judge_server.store.job_writing import Finished
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.parsing import parse_json
from judge_server.workers.held_judgment import Held
from judge_server.workers.job_limits import Bounds

_LOG = logging.getLogger(__name__)
_PAGE = 256
_SIGNS_PER_LEASE = 3
_LONGEST_WAIT_SECONDS = 120.0
_PASSING = frozenset(fault.type for fault in (DeadlineExceeded, ModelUnavailable, Overloaded, StoreUnavailable))


@dataclass
class JobRun:
    """``room`` is shared with the worker's other jobs."""

    job: Job
    worker: str
    records: JobRecords
    scorer: Scorer
    bounds: Bounds
    room: asyncio.Semaphore
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _faults: list[BaseException] = field(default_factory=list)
    _news: LogThrottle = field(default_factory=LogThrottle)

    async def carry_out(self) -> None:
        """Returns when the job is done, cancelled or another worker's. Raises StoreUnavailable."""
        current_caller.set(Caller(self.job.terms.caller, ANYONE.scopes))  # of this task, which is the job's own
        judging = asyncio.create_task(self._judge_all(), name=f"{self.job.id}-items")
        living = asyncio.create_task(self._give_signs_of_life(), name=f"{self.job.id}-lease")
        try:
            await asyncio.wait({judging, living}, return_when=asyncio.FIRST_COMPLETED)
            if judging.done():
                judging.result()
                await self.records.complete(self.job.id, self.worker, retention_seconds=self.bounds.retention_seconds)
        finally:
            await _end(judging, living, *self._tasks)
            await self.records.release(self.job.id, self.worker)

    async def _give_signs_of_life(self) -> None:
        """Until the job is no longer ours. A store that fails may answer again before the lease has passed."""
        while True:
            await asyncio.sleep(self.bounds.lease_seconds / _SIGNS_PER_LEASE)
            try:
                if not await self.records.renew(self.job.id, self.worker, lease_seconds=self.bounds.lease_seconds):
                    return
            except StoreUnavailable as fault:
                _LOG.warning("job %s cannot renew its lease: %s", self.job.id, fault)

    async def _judge_all(self) -> None:
        after = -1
        while items := await self.records.unfinished(self.job.id, after=after, limit=_PAGE):
            for item in items:
                await self._take_room()
                task = asyncio.create_task(self._judge(item))
                self._tasks.add(task)
                task.add_done_callback(self._leave)
            after = items[-1].position
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._raise_fault()

    async def _take_room(self) -> None:
        """Raises the fault of an item before this one, and takes nothing then."""
        await self.room.acquire()
        if self._faults:
            self.room.release()
            self._raise_fault()

    def _leave(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.room.release()
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._faults.append(fault)

    def _raise_fault(self) -> None:
        if self._faults:
            raise self._faults[0]

    async def _judge(self, item: JobItem) -> None:
        """Judge one item and keep the result; what may pass is tried again before it becomes the result."""
        wait = self.bounds.first_wait_seconds
        for _ in range(self.bounds.attempts - 1):
            finished = await self._attempt(item)
            error = finished.judgment.error
            if finished.judgment.reward is not None or error is None or error.type not in _PASSING:
                break
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        else:
            finished = await self._attempt(item)
        await self._keep(finished)

    async def _keep(self, finished: Finished) -> None:
        """A result that alone cannot be written becomes a failure that can, in the same moment: a store that was away
        for a while costs no result. Raises StoreUnavailable."""
        refusal = StoreUnavailable("The result could not be kept.")
        for attempt in range(max(self.bounds.attempts, 2)):
            if attempt:
                await asyncio.sleep(self.bounds.first_wait_seconds)
            try:
                return await self.records.finish(finished)
            except StoreUnavailable as fault:
                more = self._news.of(fault.type)
                if more is not None:
                    _LOG.warning("a result of job %s is not kept yet: %s%s", self.job.id, fault, more)
                refusal = fault
        if finished.submission is not None:
            judgment = failed_judgment(refusal, finished.judgment.submission)
            finished = Finished(finished.job_id, finished.position, judgment)
        return await self.records.finish(finished)

    async def _attempt(self, item: JobItem) -> Finished:
        held = Held()
        terms = self.job.terms
        asked = Terms.within(terms.deadline_seconds, Priority[terms.priority.upper()])
        try:
            given = parse_json(item.text)
        except ValueError as fault:
            unreadable = BadSubmission(f"The item is not JSON: {fault}.", remedy="Correct it and send it again.")
            return Finished(self.job.id, item.position, failed_judgment(unreadable, Coordinates()))
        defaults: dict[str, Any] = {"rubric": terms.rubric, "judge": terms.judge}
        judgment = await score_item(self.scorer.keeping(held), given, asked, defaults)
        finished = Finished(self.job.id, item.position, judgment)
        judged = held.judged
        return finished if judged is None else replace(finished, submission=judged.submission, rubric=judged.rubric)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
