"""The arithmetic of aggregation on plain numbers. ``fsum`` makes every sum independent of the criteria's order."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum

from judge_server.core.aggregation import AllOf, AnyOf, Points, WeightedMean


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of a criterion or group: whether it applies, and its value in [0, 1] if decided."""

    applicable: bool
    value: float | None


NOT_APPLICABLE = Part(False, None)
UNDECIDED = Part(True, None)

PointsAndValues = Sequence[tuple[float, float]]


def combine(aggregate: Points | WeightedMean | AllOf | AnyOf, decided: PointsAndValues) -> float | None:
    """The base value over one or more (points, value) pairs; None where the arithmetic is undefined."""
    match aggregate:
        case Points():
            return points_score(decided)
        case WeightedMean():
            return weighted_mean(decided)
        case AllOf():
            return min(_satisfaction(points, value) for points, value in decided)
        case AnyOf():
            return max(_satisfaction(points, value) for points, value in decided)


def points_score(decided: PointsAndValues) -> float | None:
    """HealthBench (2505.08775): sum(points * value) / sum(max(points, 0)); None without positive points."""
    possible = fsum(max(points, 0.0) for points, _ in decided)
    return fsum(points * value for points, value in decided) / possible if possible > 0 else None


def weighted_mean(decided: PointsAndValues) -> float | None:
    """sum(|points| * value) / sum(|points|); the plain mean where all points are 0."""
    if not decided:
        return None
    total = fsum(abs(points) for points, _ in decided)
    if total == 0:
        return fsum(value for _, value in decided) / len(decided)
    return min(fsum(abs(points) * value for points, value in decided) / total, 1.0)


def component(parts: Sequence[tuple[float, Part]]) -> float | None:
    """How much of a tag is met: the mean value by absolute points over the decided applicable parts."""
    return weighted_mean([(points, part.value) for points, part in parts if part.applicable and part.value is not None])


def _satisfaction(points: float, value: float) -> float:
    return value if points >= 0 else 1 - value
