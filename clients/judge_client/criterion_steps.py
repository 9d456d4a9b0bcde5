"""What each criterion of scope ``step`` adds to the reward of each step: process rewards criterion by criterion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from math import fsum

from .judgment import Judgment, StepReward, Verdict


def criterion_step_rewards(judgment: Judgment) -> dict[str, tuple[StepReward, ...]]:
    """For each criterion that was judged on steps, one ``StepReward`` for each of ``judgment.step_rewards``.

    Its value is the criterion's points times its value over the points possible on that step; the sum over all criteria
    is the step's reward. A criterion that does not apply to a step adds 0; a step without a reward has none for any
    criterion. Each list goes where ``judgment.step_rewards`` goes, such as to ``token_rewards``.
    """
    verdicts: dict[int, list[Verdict]] = defaultdict(list)
    parts: dict[str, list[StepReward]] = {}
    for verdict in judgment.verdicts:
        if verdict.step is not None:
            verdicts[verdict.step].append(verdict)
            parts.setdefault(verdict.criterion, [])
    for step in judgment.step_rewards:
        shares = _shares(verdicts[step.index])
        for name, own in parts.items():
            own.append(replace(step, value=None if step.value is None else shares.get(name, 0.0)))
    return {name: tuple(own) for name, own in parts.items()}


def _shares(found: Sequence[Verdict]) -> dict[str, float]:
    """Points earned over the points possible (over their absolute sum, if none are positive), as the server reckons."""
    decided = [(one.criterion, one.points, one.value) for one in found if one.value is not None]
    possible = fsum(max(points, 0.0) for _, points, _ in decided) or fsum(abs(points) for _, points, _ in decided)
    return {name: points * value / possible for name, points, value in decided} if possible else {}
