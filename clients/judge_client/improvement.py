"""Attempts to make a judge agree better with people, tested on labels that chose nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from judge_client.judgment import Failure, RubricReference


@dataclass(frozen=True)
class ImprovementProgress:
    """``status`` is ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``. ``parts``: what the labels can
    show; ``rung``: the one that is tried; ``done`` of ``of`` items are judged in the measurement under way.
    ``result``: the whole record, whose ``outcome`` is ``improved``, ``not confirmed`` or ``nothing better was found``;
    ``files`` of it are read with ``improvement_file``."""

    id: str
    status: str
    created_at: datetime
    labels: str
    rubric: RubricReference
    judge: str
    proposer: str | None = None
    second: str | None = None
    tuned: str | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    spent: dict[str, Any] = field(default_factory=dict)
    parts: tuple[dict[str, Any], ...] = ()
    rung: str | None = None
    done: int = 0
    of: int = 0
    steps: tuple[str, ...] = ()
    candidates: tuple[dict[str, Any], ...] = ()
    result: dict[str, Any] | None = None
    files: tuple[str, ...] = ()
    error: Failure | None = None


@dataclass(frozen=True)
class ImprovementList:
    """Newest first. ``next_cursor`` is None on the last page."""

    improvements: tuple[ImprovementProgress, ...]
    next_cursor: str | None = None
