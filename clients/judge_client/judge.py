"""Judges as the server lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from judge_client.judgment import RubricReference


@dataclass(frozen=True)
class Fitted:
    """Maps in use; ``id`` is what ``judge.calibration`` of a judgment names."""

    id: str
    rubric: RubricReference
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class Gated:
    """What the gate last decided."""

    id: str
    rubric: RubricReference
    decision: str


@dataclass(frozen=True)
class Canary:
    """A question with a known answer; ``passed`` is None if the judge gave no answer."""

    canary: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class JudgeStatus:
    """A configured judge; ``default`` answers where a sample names none."""

    name: str
    model: str
    mode: str
    fingerprint: str
    default: bool
    healthy: bool
    calibration: str | None = None
    notice: str | None = None
    fitted: tuple[Fitted, ...] = ()
    gated: tuple[Gated, ...] = ()
    canaries: tuple[Canary, ...] = ()
    canaries_at: datetime | None = None


@dataclass(frozen=True)
class EngineStatus:
    """A model's engine; ``level``, ``waiting`` and ``since`` of its sleep. ``held_by``: who keeps it awake."""

    model: str
    can_sleep: bool
    asleep: bool
    level: int | None = None
    waiting: str | None = None
    since: datetime | None = None
    held_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineList:
    engines: tuple[EngineStatus, ...]


@dataclass(frozen=True)
class JudgeList:
    judges: tuple[JudgeStatus, ...]


@dataclass(frozen=True)
class Ready:
    """The server can judge now, by default with this judge. ``rubric_faults``: rubrics that are not served as their
    files say now, each with the reason. ``judge_changes``: models that another one has replaced since the start."""

    status: str
    judge: str
    model: str
    rubric_faults: tuple[str, ...] = ()
    judge_changes: tuple[str, ...] = ()
