"""Judges measured on labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from judge_client.judgment import Failure, JudgeReference, RubricReference


@dataclass(frozen=True)
class LabelsReference:
    id: str
    version: str
    digest: str


@dataclass(frozen=True)
class Calibration:
    """``summary``: metrics by criterion, and ``overall``. ``failures`` counts verdicts without a value by cause.
    ``mapping``: how each criterion's labels were read, in a line."""

    id: str
    judge: JudgeReference
    rubric: RubricReference
    labels: LabelsReference
    split: str
    items: int
    created_at: datetime
    rows: str = ""
    statuses: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    mapping: tuple[str, ...] = ()


@dataclass(frozen=True)
class CalibrationList:
    """Newest first; ``next_cursor`` is None on the last page."""

    calibrations: tuple[Calibration, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Certificate:
    """What the gate decided; ``findings`` say why."""

    id: str
    decision: str
    judge: str
    fingerprint: str
    rubric: RubricReference
    findings: tuple[dict[str, Any], ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True)
class CalibrationProgress:
    """``status`` is ``running``, ``done`` or ``failed``; ``done`` of ``items`` are judged."""

    id: str
    status: str
    created_at: datetime
    done: int = 0
    items: int | None = None
    calibration: Calibration | None = None
    fits: tuple[dict[str, Any], ...] = ()
    maps: str | None = None
    certificate: Certificate | None = None
    error: Failure | None = None
    mapping: tuple[str, ...] = ()
