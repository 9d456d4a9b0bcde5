"""What was judged before, and what it is worth under another aggregation."""

from __future__ import annotations

from dataclasses import dataclass, field

from judge_client.judgment import Failure, GateFired, Judgment, RubricReference, StepReward


@dataclass(frozen=True)
class JudgmentPage:
    """Newest first; ``next_cursor`` asks for the page after this one."""

    judgments: tuple[Judgment, ...]
    next_cursor: str | None = None


@dataclass(frozen=True)
class Outcome:
    """``reward`` is None exactly where ``error`` says why."""

    reward: float | None
    status: str
    coverage: float
    judged_coverage: float | None = None
    components: dict[str, float | None] = field(default_factory=dict)
    step_rewards: tuple[StepReward, ...] = ()
    gates: tuple[GateFired, ...] = ()
    error: Failure | None = None


@dataclass(frozen=True)
class Rescored:
    """``difference``: the new reward minus the old one, None if either is."""

    judgment: str
    rubric: RubricReference
    outcome: Outcome
    rubric_before: RubricReference | None = None
    reward_before: float | None = None
    difference: float | None = None


@dataclass(frozen=True)
class RescoreResult:
    """Exactly one of ``rescored`` and ``error`` is there."""

    judgment: str
    rescored: Rescored | None = None
    error: Failure | None = None


@dataclass(frozen=True)
class RescoreList:
    results: tuple[RescoreResult, ...]
