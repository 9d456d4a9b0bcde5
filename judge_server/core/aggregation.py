"""How verdicts become one number: the specifications and their arithmetic on plain numbers.

``core.reward`` applies them to a rubric. Every sum uses ``fsum``, so the order of the criteria does not change it.
"""

from collections.abc import Sequence
from math import fsum
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from judge_server.core.expression import Expression
from judge_server.core.model import BoundedNumber, Frozen, Number

Range = tuple[BoundedNumber, BoundedNumber]


class LengthAdjustment(Frozen):
    """HealthBench's length adjustment: ``s - penalty * (characters - center) / unit``.

    Source: HealthBench Professional (OpenAI, 2026); penalty .0299 for all, .0392 for hard, .0020 for consensus.
    """

    penalty: Number = Field(ge=0, le=1e9)
    center: BoundedNumber = 2_000.0
    unit: Number = Field(default=500.0, ge=1e-9, le=1e9)

    def adjust(self, score: float, characters: int) -> float:
        return score - self.penalty * (characters - self.center) / self.unit


class AggregationBase(Frozen):
    """Order of application: base value, length adjustment, clip, scale (which maps 0..1 linearly onto its range)."""

    length_adjustment: LengthAdjustment | None = None
    clip: Range | None = None
    scale: Range | None = None

    @field_validator("clip", "scale")
    @classmethod
    def _ordered(cls, bounds: Range | None) -> Range | None:
        if bounds is not None and bounds[0] >= bounds[1]:
            raise ValueError(f"the lower bound {bounds[0]} must be smaller than the upper bound {bounds[1]}")
        return bounds

    @model_serializer(mode="wrap")
    def _named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # the canonical form omits defaults, but aggregations of different kinds with the same clip must differ
        return {"kind": getattr(self, "kind", None), **handler(self)}

    def finish(self, value: float, characters: int) -> float:
        """Length adjustment, clip and scale of a base value; ``characters`` is the length of the response."""
        if self.length_adjustment is not None:
            value = self.length_adjustment.adjust(value, characters)
        if self.clip is not None:
            value = min(max(value, self.clip[0]), self.clip[1])
        return self._scaled(value)

    @property
    def floor(self) -> float | None:
        """A bound that no reward can fall below; None if there is none."""
        lowest = self.clip[0] if self.clip else self._natural_floor()
        return None if lowest is None else self._scaled(lowest)

    @property
    def ceiling(self) -> float | None:
        """A bound that no reward can exceed; None if there is none."""
        highest = self.clip[1] if self.clip else self._natural_ceiling()
        return None if highest is None else self._scaled(highest)

    def _scaled(self, value: float) -> float:
        if self.scale is None:
            return value
        low, high = self.scale
        # maps both ends exactly, stays in the range despite rounding, and is monotonic
        return high + (high - low) * (value - 1) if value >= 1 else min(low + (high - low) * value, high)

    def _natural_floor(self) -> float | None:
        return None if self.length_adjustment else 0.0

    def _natural_ceiling(self) -> float | None:
        return 1.0 if self.length_adjustment is None else self.length_adjustment.adjust(1.0, 0)


class Points(AggregationBase):
    """HealthBench: sum(points * value) / sum(max(points, 0))."""

    def _natural_floor(self) -> float | None:
        return None

    kind: Literal["points"] = "points"


class WeightedMean(AggregationBase):
    """Rubrics as Rewards and PaperBench: sum(points * value) / sum(points); no negative points."""

    kind: Literal["weighted_mean"] = "weighted_mean"


class AllOf(AggregationBase):
    """The satisfaction of the least satisfied criterion (a negative criterion is satisfied when it is not met)."""

    kind: Literal["all"]


class AnyOf(AggregationBase):
    """The satisfaction of the most satisfied criterion."""

    kind: Literal["any"]


class Formula(AggregationBase):
    """Arithmetic over named components: ids of direct children, or tags."""

    kind: Literal["expression"]
    expression: str = Field(min_length=1, max_length=1_000)
    parameters: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], BoundedNumber] = Field(default_factory=dict)

    def _natural_floor(self) -> float | None:
        return None

    def _natural_ceiling(self) -> float | None:
        return None

    @model_validator(mode="after")
    def _parses(self) -> "Formula":
        Expression.parse(self.expression)
        return self

    @property
    def parsed(self) -> Expression:
        return Expression.parse(self.expression)


Aggregation = Annotated[Points | WeightedMean | AllOf | AnyOf | Formula, Field(discriminator="kind")]


class CriterionValue(NamedTuple):
    """A criterion or group: whether it applies, and its value in [0, 1], or None if undecided."""

    applicable: bool
    value: float | None


NOT_APPLICABLE = CriterionValue(False, None)
UNDECIDED = CriterionValue(True, None)

PointsAndValues = Sequence[tuple[float, float]]


def combine(aggregate: Points | WeightedMean | AllOf | AnyOf, decided: PointsAndValues) -> float | None:
    """The base value of one or more (points, value) pairs; None if the arithmetic is undefined for them."""
    match aggregate:
        case Points():
            return points_score(decided)
        case WeightedMean():
            return weighted_mean(decided)
        case AllOf():
            return min(_satisfaction(points, value) for points, value in decided)
        case AnyOf():
            return max(_satisfaction(points, value) for points, value in decided)


def score(aggregate: Points | WeightedMean | AllOf | AnyOf, decided: PointsAndValues, characters: int) -> float | None:
    """``combine``, then adjusted for length, scaled and clamped as ``finish`` does."""
    value = combine(aggregate, decided)
    return None if value is None else aggregate.finish(value, characters)


def points_score(decided: PointsAndValues) -> float | None:
    """HealthBench (2505.08775): sum(points * value) / sum(max(points, 0)); None without positive points."""
    possible = fsum(max(points, 0.0) for points, _ in decided)
    return fsum(points * value for points, value in decided) / possible if possible > 0 else None


def weighted_mean(decided: PointsAndValues) -> float | None:
    """sum(|points| * value) / sum(|points|); the plain mean if all points are 0."""
    if not decided:
        return None
    total = fsum(abs(points) for points, _ in decided)
    if total == 0:
        return fsum(value for _, value in decided) / len(decided)
    return min(fsum(abs(points) * value for points, value in decided) / total, 1.0)


def component(parts: Sequence[tuple[float, CriterionValue]]) -> float | None:
    """The score of a tag: the mean value, weighted by absolute points, over the decided applicable criteria."""
    return weighted_mean([(points, part.value) for points, part in parts if part.applicable and part.value is not None])


def _satisfaction(points: float, value: float) -> float:
    return value if points >= 0 else 1 - value
