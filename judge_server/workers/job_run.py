"""Run one job: judge its unfinished items and commit each result."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from judge_server.core.caller import ANYONE, Allowance, Caller, current_caller
from judge_server.core.coordinates import Coordinates
from judge_server.core.errors import BadSubmission, DeadlineExceeded, ModelUnavailable, Overloaded, StoreUnavailable
from judge_server.core.job import Job
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scheduling.processor_share import TimeShare, current_share
from judge_server.scheduling.scheduler import Scheduler
from judge_server.scheduling.single_flight import Waiter
from judge_server.scoring.batch import failed_judgment, score_item
from judge_server.scoring.scorer import Scorer
from judge_server.store.held_judgment import HeldJudgment
from judge_server.store.job_records import JobRecords
from judge_server.store.job_writing import Finished
from judge_server.util.concurrency import for_each
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.parsing import parse_json
from judge_server.workers.pace import SlotPace

_LOG = logging.getLogger(__name__)
_PAGE = 1_000
_LONGEST_WAIT_SECONDS = 120.0
_PASSING = frozenset(fault.type for fault in (DeadlineExceeded, ModelUnavailable, Overloaded, StoreUnavailable))


@dataclass(frozen=True, slots=True)
class JobLimits:
    """How much a worker does at once.

    ``items_at_once``: per priority class, over all jobs of this process. ``jobs_at_once``: jobs claimed at a time per
    class; ``jobs_each``: per caller in a class. After ``lease_seconds`` without a renewal another worker takes a job
    over. ``attempts`` at an item whose judge, store or deadline failed; ``first_wait_seconds`` before the second one,
    and twice as long before each that follows. ``retention_seconds``: how long an ended job's results can be fetched.
    """

    items_at_once: int = 64
    jobs_at_once: int = 64
    jobs_each: int = 2
    lease_seconds: float = 15.0
    attempts: int = 4
    first_wait_seconds: float = 5.0
    retention_seconds: float = 7 * 86_400.0


@dataclass
class JobRun:
    """``slots`` of the job's class are shared with the worker's other jobs: callers take turns item by item. ``pace``
    is told how long results take to be kept. Attempts while
    ``judge_away`` do not count: a judge that was away at the start is waited for."""

    job: Job
    worker: str
    records: JobRecords
    scorer: Scorer
    limits: JobLimits
    slots: Scheduler
    pace: SlotPace
    judge_away: Callable[[], bool] = lambda: False
    _throttle: LogThrottle = field(default_factory=LogThrottle)

    @property
    def priority(self) -> Priority:
        return Priority[self.job.terms.priority.upper()]

    async def run(self) -> None:
        """Returns when every item has its result. Raises StoreUnavailable."""
        allowance = Allowance(judges=self.job.terms.judges)
        current_caller.set(Caller(self.job.terms.caller, ANYONE.scopes, allowance))  # the task belongs to the job alone
        current_share.set(TimeShare(self.job.terms.caller, background=True))
        try:
            await for_each(self._positions(), self._judge, self.limits.items_at_once)
            await self.records.complete(self.job.id, self.worker, retention_seconds=self.limits.retention_seconds)
        finally:
            await self.records.release(self.job.id, self.worker)

    async def _positions(self) -> AsyncIterator[int]:
        after = -1
        while page := await self.records.unfinished(self.job.id, after=after, limit=_PAGE):
            for position in page:
                yield position
            after = page[-1]

    async def _judge(self, position: int) -> None:
        """Judge one item and store the result. Transient failures are retried first; the item holds no slot between
        attempts."""
        waiter, wait = Waiter(self.priority, self.job.terms.caller), self.limits.first_wait_seconds
        attempts = 0
        while True:
            attempts += not self.judge_away()
            async with self.slots.slot_for(waiter, (self.job.id,)):
                finished = await self._attempt(position)
                if self.pace.rest_seconds:
                    await asyncio.sleep(self.pace.rest_seconds)
            error = finished.judgment.error
            passing = finished.judgment.reward is None and error is not None and error.type in _PASSING
            if not passing or attempts >= self.limits.attempts:
                return await self._keep(finished)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    async def _keep(self, finished: Finished) -> None:
        """Commit the result, with retries while the store is unavailable. A result that cannot be written at all is
        replaced by a failure. Raises StoreUnavailable."""
        refusal = StoreUnavailable("The result could not be kept.")
        for attempt in range(max(self.limits.attempts, 2)):
            if attempt:
                await asyncio.sleep(self.limits.first_wait_seconds)
            begun = time.monotonic()
            try:
                await self.records.finish(finished)
                return self.pace.wrote(time.monotonic() - begun)
            except StoreUnavailable as fault:
                more = self._throttle.of(fault.type)
                if more is not None:
                    _LOG.warning("a result of job %s is not kept yet: %s%s", self.job.id, fault, more)
                refusal = fault
        if finished.submission is not None:
            judgment = failed_judgment(refusal, finished.judgment.submission)
            finished = Finished(finished.job_id, finished.position, judgment)
        return await self.records.finish(finished)

    async def _attempt(self, position: int) -> Finished:
        terms = self.job.terms
        text = await self.records.item(self.job.id, position)
        try:
            given = parse_json(text)
        except ValueError as fault:
            unreadable = BadSubmission(f"The item is not JSON: {fault}.", remedy="Correct it and send it again.")
            return Finished(self.job.id, position, failed_judgment(unreadable, Coordinates()))
        held = HeldJudgment()
        defaults: dict[str, Any] = {"rubric": terms.rubric, "judge": terms.judge}
        asked = Terms.within(terms.deadline_seconds, self.priority)
        judgment = await score_item(self.scorer.keeping(held), given, asked, defaults)
        finished = Finished(self.job.id, position, judgment)
        judged = held.judged
        return finished if judged is None else replace(finished, submission=judged.submission, rubric=judged.rubric)
