"""A reward as a sum: what each criterion adds to it, and what clipping, gates and scales change.

NeMo-RL requires that the components sum to the reward. Every number here is a multiple of 2**-40, so that they do
exactly, in whichever order they are added.
"""

from collections import defaultdict
from math import fsum

from judge_server.core.aggregation import Points, WeightedMean
from judge_server.core.criterion import Group
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict

ADJUSTMENT = "_adjustment"
_STEPS = 2.0**40
_LARGEST = 2.0**11


def rounded(value: float) -> float:
    """The nearest multiple of 2**-40, which differs from ``value`` by less than 1e-12."""
    return round(value * _STEPS) / _STEPS if abs(value) < _LARGEST else value


def reward_components(rubric: Rubric, verdicts: tuple[Verdict, ...], reward: float) -> dict[str, float] | None:
    """By criterion, the same names for every judgment under ``rubric``, summing to ``rounded(reward)``; None where the
    aggregation is no sum (nested groups, all, any, expressions)."""
    additive = isinstance(rubric.aggregate, Points | WeightedMean)
    if not additive or any(isinstance(criterion, Group) for criterion in rubric.criteria):
        return None
    values = _values(verdicts)
    decided = [leaf for leaf in rubric.leaves if leaf.id in values]
    signed = isinstance(rubric.aggregate, Points)
    weight = fsum(max(leaf.points, 0.0) if signed else abs(leaf.points) for leaf in decided)
    if weight <= 0:
        return None
    parts = {
        leaf.id: rounded((leaf.points if signed else abs(leaf.points)) * values.get(leaf.id, 0.0) / weight)
        for leaf in rubric.leaves
    }
    if fsum(abs(part) for part in parts.values()) + abs(reward) >= _LARGEST:
        return None
    return parts | {ADJUSTMENT: rounded(reward) - fsum(parts.values())}


def _values(verdicts: tuple[Verdict, ...]) -> dict[str, float]:
    """The value of each decided criterion: the mean over its steps."""
    found: dict[str, list[float]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.value is not None:
            found[verdict.criterion].append(verdict.value)
    return {criterion: fsum(values) / len(values) for criterion, values in found.items()}
