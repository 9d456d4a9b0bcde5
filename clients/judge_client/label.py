"""Human labels in and out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Added:
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Collected:
    """What a post of labels changed, and what the set now holds."""

    label_set: str
    added: Added
    counts: dict[str, int]


@dataclass(frozen=True)
class LabelSetSummary:
    """``digest`` and ``version`` are None for a set that is still being collected."""

    id: str
    created_at: datetime
    description: dict[str, Any]
    version: str | None = None
    digest: str | None = None
    collected: bool = False


@dataclass(frozen=True)
class LabelSetList:
    label_sets: tuple[LabelSetSummary, ...]


@dataclass(frozen=True)
class LockedReading:
    """Who read the locked test split, and why."""

    reader: str
    reason: str
    read_at: datetime


@dataclass(frozen=True)
class LabelSet:
    """One page of a set's ``labels`` in the long format; ``total`` counts all of the split."""

    id: str
    version: str
    digest: str
    description: dict[str, Any]
    readings: tuple[LockedReading, ...]
    total: int
    labels: tuple[dict[str, Any], ...]
