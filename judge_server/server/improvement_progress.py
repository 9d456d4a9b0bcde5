"""One attempt to improve a judge on this server: what was asked for, and how far it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from judge_server.calibration.improvement import (
    NO_LIMITS,
    NOTHING,
    Improvement,
    Limits,
    PartSize,
    Rung,
    Search,
    Spend,
    TriedChange,
)
from judge_server.core.caller import ANYONE
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric, RubricReference
from judge_server.core.verdict import Failure
from judge_server.store.improvement_records import ImprovementStatus


class ImprovementTerms(Frozen):
    """What was asked for. ``digest``: of the labels as they were then; ``caller``: who asked; ``judges``: the only ones
    that its key allows, empty for all."""

    labels: str
    digest: str
    rubric: Rubric
    judge: str
    proposer: str | None = None
    second: str | None = None
    tuned: str | None = None
    second_share: float = 0.5
    examples: tuple[int, ...] = (4,)
    tries: int = 3
    search: Search = "once"
    seed: int = 0
    limits: Limits = NO_LIMITS
    positives: dict[str, str] = Field(default_factory=dict)
    reason: str = ""
    caller: str = ANYONE.name
    judges: tuple[str, ...] = ()


class ImprovementProgress(Frozen):
    """How far an attempt is. ``parts``: what the labels can show, known before the first question; ``rung``: the one
    that is tried; ``done`` of ``of`` items are judged in the measurement under way; ``steps``: what was done, in words;
    ``candidates``: those of the rungs that are over; ``files`` of the result, by name."""

    id: str
    status: ImprovementStatus = "queued"
    created_at: datetime
    labels: str
    rubric: RubricReference
    judge: str
    proposer: str | None = None
    second: str | None = None
    tuned: str | None = None
    limits: Limits = NO_LIMITS
    spent: Spend = NOTHING
    parts: tuple[PartSize, ...] = ()
    rung: Rung | None = None
    done: int = 0
    of: int = 0
    steps: tuple[str, ...] = ()
    candidates: tuple[TriedChange, ...] = ()
    result: Improvement | None = None
    files: tuple[str, ...] = ()
    error: Failure | None = None

    @property
    def over(self) -> bool:
        return self.status not in ("queued", "running")


class ImprovementList(Frozen):
    """Newest first. ``next_cursor`` is null on the last page."""

    improvements: list[ImprovementProgress]
    next_cursor: str | None = None


@dataclass
class ImprovementRun:
    """One that runs here. What it writes into ``progress`` is kept every second."""

    terms: ImprovementTerms
    progress: ImprovementProgress

    def note(self, **changes: Any) -> None:
        self.progress = self.progress.model_copy(update=changes)
