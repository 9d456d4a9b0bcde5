"""Exams of judges: contrast pairs with known answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from judge_client.judgment import Failure


@dataclass(frozen=True)
class ExamProgress:
    """``status`` is ``running``, ``done`` or ``failed``; ``done`` of ``questions`` are answered. ``result``: by family,
    with intervals and the failing pairs."""

    id: str
    status: str
    created_at: datetime
    judge: str
    done: int = 0
    questions: int | None = None
    result: dict[str, Any] | None = None
    error: Failure | None = None


@dataclass(frozen=True)
class ExamList:
    """Newest first. ``next_cursor`` is None on the last page."""

    exams: tuple[ExamProgress, ...]
    next_cursor: str | None = None
