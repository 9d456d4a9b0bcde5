"""Jobs put into a store by hand, and a worker with short patience."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from judge_server.core.job import Job, JobTerms
from judge_server.server.job_intake import Intake, JobSize, listed
from judge_server.workers.job_run import JobLimits
from judge_server.workers.job_worker import JobWorker
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS

QUICK = JobLimits(items_at_once=8, lease_seconds=0.4, attempts=3, first_wait_seconds=0.02, retention_seconds=60)
LIMITS = JobSize(items=10_000, total_bytes=10_000_000, item_bytes=100_000)


async def begun(store, items: list[Any], key: str | None = None, **terms: Any) -> Job:
    intake = Intake(store.jobs, LIMITS, JobTerms(**terms), key)
    job, _ = await intake.take(listed(items))
    return job


def items(count: int) -> list[dict[str, Any]]:
    return [submission(response=f"Answer number {number}: call for help.", id=str(number)) for number in range(count)]


@asynccontextmanager
async def working(store, scorer, limits: JobLimits = QUICK) -> AsyncIterator[JobWorker]:
    worker = JobWorker(store.jobs, scorer, limits)
    worker.start()
    try:
        yield worker
    finally:
        await worker.close()


async def ended(store, job_id: str, seconds: float = PATIENCE_SECONDS) -> Job:
    return await reached(store, job_id, lambda job: job.ended, seconds)


async def reached(store, job_id: str, condition, seconds: float = PATIENCE_SECONDS) -> Job:
    give_up = time.monotonic() + seconds
    while not condition(job := await store.jobs.find(job_id)):
        assert time.monotonic() < give_up, job
        await asyncio.sleep(0.01)
    return job


async def results(store, job_id: str) -> list[Any]:
    page = await store.jobs.results(job_id, after=-1, limit=10_000)
    return [(position, json.loads(judgment.model_dump_json())) for position, judgment in page]
