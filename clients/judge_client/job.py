"""Durable batches: what the server took in, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from judge_client.backoff import Backoff
from judge_client.deadline import Deadline
from judge_client.errors import DeadlineExceeded
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow, Pause
from judge_client.judgment import Judgment

_LOOK_SECONDS = 0.5
_LONGEST_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class JobTerms:
    """What holds for every item. ``deadline_seconds``: of each try of one item; ``caller``: who sent it;
    ``judges``: the only ones that its key allows, empty for all."""

    rubric: Any = None
    judge: str | None = None
    priority: str = "batch"
    deadline_seconds: float | None = None
    caller: str = "anyone"
    judges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """``status``: ``receiving``, ``queued``, ``running``, ``done`` or ``cancelled``. ``ok``, ``partial`` and ``failed``
    count those of the ``total`` items that have a result. ``expires_at``: when job and results are forgotten."""

    id: str
    status: str
    created_at: datetime
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    terms: JobTerms = field(default_factory=JobTerms)
    total: int = 0
    ok: int = 0
    partial: int = 0
    failed: int = 0

    @property
    def finished(self) -> int:
        return self.ok + self.partial + self.failed

    @property
    def ended(self) -> bool:
        return self.status in ("done", "cancelled")


@dataclass(frozen=True)
class JobPage:
    """Newest first; ``next_cursor`` asks for the page after this one."""

    jobs: tuple[Job, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class JobResult:
    """``index``: the item's place in the job, from 0."""

    index: int
    judgment: Judgment


def until_ended(
    call: Call[Job], deadline: Deadline, backoff: Backoff, tell: Callable[[int, int], None] | None = None
) -> Flow[Job]:
    """The job when it has ended. ``tell`` hears how many of how many items have a result. Raises DeadlineExceeded."""
    wait = _LOOK_SECONDS
    while True:
        job = yield from exchange(call, deadline, backoff)
        if tell is not None:
            tell(job.finished, job.total)
        if job.ended:
            return job
        if not deadline.allows(wait):
            detail = f"Job {job.id} has {job.finished} of {job.total} results."
            raise DeadlineExceeded(detail, remedy="It goes on without us: ask again, or allow more time.")
        yield Pause(wait)
        wait = min(wait * 1.5, _LONGEST_LOOK_SECONDS)
