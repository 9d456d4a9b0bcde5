"""A durable batch: submissions that are judged even if the process that started is killed."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from judge_server.core.caller import ANYONE
from judge_server.core.model import Frozen


class JobStatus(StrEnum):
    """``receiving``: its items are still coming in, and it can be lost; from ``queued`` on it cannot."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


ENDED = frozenset({JobStatus.DONE, JobStatus.CANCELLED})


class JobTerms(Frozen):
    """What holds for every item of a job. ``rubric`` and ``judge`` for items that name none (a rubric as plain data or
    a name), ``priority`` a class of the schedule, ``deadline_seconds`` for each try of one item, ``caller`` the name of
    whoever sent it, among whose questions its own are."""

    rubric: dict[str, Any] | str | None = None
    judge: str | None = None
    priority: str = "batch"
    deadline_seconds: float | None = None
    caller: str = ANYONE.name


class Job(Frozen):
    """Where a job stands. Of its ``total`` items ``finished`` have a result; ``ok``, ``partial`` and ``failed`` count
    those by the status of their judgments. ``expires_at``: when job and results are forgotten (judgments stay)."""

    id: str
    status: JobStatus
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    terms: JobTerms = JobTerms()
    total: int = Field(default=0, ge=0)
    ok: int = Field(default=0, ge=0)
    partial: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)

    @property
    def finished(self) -> int:
        return self.ok + self.partial + self.failed

    @property
    def ended(self) -> bool:
        return self.status in ENDED
