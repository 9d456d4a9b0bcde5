"""A durable batch: its submissions are judged even if the server process is killed."""

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from judge_server.core.caller import ANYONE
from judge_server.core.model import Frozen


class JobStatus(StrEnum):
    """``receiving``: the upload is under way, and the job can still be lost; from ``queued`` on it is durable."""

    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


ENDED = frozenset({JobStatus.DONE, JobStatus.CANCELLED})


class JobTerms(Frozen):
    """Terms for every item of a job. ``rubric`` (plain data or a name) and ``judge``: for items that name none;
    ``priority``: the scheduling class; ``deadline_seconds``: for each attempt at an item; ``caller``: name of the
    sender, whose share of the server the job uses; ``judges``: the only ones that its key allows, empty for all."""

    rubric: dict[str, Any] | str | None = None
    judge: str | None = None
    priority: str = "batch"
    deadline_seconds: float | None = None
    caller: str = ANYONE.name
    judges: tuple[str, ...] = ()


class Job(Frozen):
    """The state of a job. Of its ``total`` items ``finished`` have a result; ``ok``, ``partial`` and ``failed`` count
    those by the status of their judgments. ``expires_at``: when the job and its results are deleted (judgments
    stay)."""

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
