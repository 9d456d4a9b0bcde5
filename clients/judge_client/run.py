"""What the server keeps of a training run, as far as its reward may change on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RunChange:
    """``act``: ``repinned`` if the pin ``before`` was given up on purpose, by whom and why; other acts are of no
    matter here. ``kind``: ``rubric``, ``judge``, ``maps``, ``guard`` or ``server``."""

    act: str
    kind: str
    before: str
    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class RunSummary:
    """``changes`` in the order in which they came."""

    run: str
    changes: tuple[RunChange, ...] = ()
