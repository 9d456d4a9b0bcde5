"""A metric (a name and a formula over summed statistics) and an estimate (a value with its interval or its reason)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from judge_server.agreement.array import Floats
from judge_server.core.model import Frozen

Value = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Metric:
    """``value`` maps totals of shape (replicates, *statistics) to (replicates,), with nan where the metric is
    undefined.

    ``undefined`` says in words when that is. ``trials`` gives a proportion's denominator, so that 0 of n and n of n
    get Wilson's bound where resampling can show no spread. ``interval`` is ``"reflected"`` for statistics that
    resampling biases upwards, such as ECE.
    """

    name: str
    value: Value
    undefined: str
    trials: Value | None = None
    interval: Literal["percentile", "reflected"] = "percentile"

    def renamed(self, name: str) -> "Metric":
        return Metric(name, self.value, self.undefined, self.trials, self.interval)


class Estimate(Frozen):
    """One metric.

    ``value`` is None where the metric is undefined (a constant column, no shared item); ``low`` and ``high`` are None
    where the value stands but too little was seen to say how sure it is. ``note`` then says why, and ``needed`` how
    many clusters or items it would take.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = Field(default=0, description="items, or pairs of ratings where the metric is pairwise")
    clusters: int = 0
    note: str | None = None
    needed: int | None = Field(
        default=None, description="clusters (or items, the note says which) an interval would need"
    )

    @property
    def has_interval(self) -> bool:
        return self.low is not None and self.high is not None

    def clusters_for(self, half_width: float) -> int | None:
        """About how many clusters like these narrow the interval to ``value ± half_width``; None without an interval.

        A standard error shrinks with the square root of the number of clusters.
        """
        if self.low is None or self.high is None:
            return None
        return max(1, math.ceil(self.clusters * ((self.high - self.low) / (2 * half_width)) ** 2))
