"""The reward on the steps that hold its evidence: process rewards from criteria that are judged once a response.

A criterion with ``evidence: quote`` has verdicts that say in which steps the passages stand which decided it. What the
criterion adds to the reward is divided among these steps by their weights.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from math import fsum

from .judgment import Judgment, QuotedStep, StepReward


@dataclass(frozen=True)
class EvidenceSteps:
    """``by_criterion``: what each criterion adds to the steps that hold its evidence; ``rest``: the reward without
    that, for the end of the response: criteria without evidence, and what gates, bounds and scales change. None if the
    judgment has no reward."""

    by_criterion: dict[str, tuple[StepReward, ...]]
    rest: float | None

    @property
    def steps(self) -> tuple[StepReward, ...]:
        """What all criteria add to each step, in order; it goes where ``judgment.step_rewards`` goes."""
        same: dict[int, list[StepReward]] = defaultdict(list)
        for own in self.by_criterion.values():
            for step in own:
                same[step.index].append(step)
        return tuple(
            replace(same[index][0], value=fsum(one.value or 0.0 for one in same[index])) for index in sorted(same)
        )


def evidence_steps(judgment: Judgment) -> EvidenceSteps:
    """A criterion adds its points times its value over the points possible (over their absolute sum, if none are
    positive), as under a rubric that adds points. All that is placed and ``rest`` add up to the reward."""
    if judgment.reward is None:
        return EvidenceSteps({}, None)
    added = _added(judgment)
    parts = {
        verdict.criterion: tuple(_step(one, added[verdict.criterion]) for one in verdict.evidence)
        for verdict in judgment.verdicts
        if verdict.evidence and verdict.criterion in added
    }
    placed = fsum(step.value or 0.0 for own in parts.values() for step in own)
    return EvidenceSteps(parts, judgment.reward - placed)


def _added(judgment: Judgment) -> dict[str, float]:
    """What each decided criterion adds; one that was judged on steps counts with the mean of its steps."""
    values: dict[str, list[float]] = defaultdict(list)
    points: dict[str, float] = {}
    for verdict in judgment.verdicts:
        if verdict.value is not None:
            values[verdict.criterion].append(verdict.value)
            points[verdict.criterion] = verdict.points
    possible = fsum(max(one, 0.0) for one in points.values()) or fsum(map(abs, points.values()))
    return {name: points[name] * fsum(own) / len(own) / possible for name, own in values.items()} if possible else {}


def _step(found: QuotedStep, added: float) -> StepReward:
    return StepReward(found.step, added * found.weight, found.span, found.message, found.field)
