"""A metric (a name and a formula over summed statistics) and an estimate (a value with an interval or a reason)."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from judge_server.agreement.array import Floats
from judge_server.core.model import Frozen

Value = Callable[[Floats], Floats]
Bounds = Callable[[Floats, float], tuple[float, float] | None]
Shape = Literal[
    "proportion", "disagreement", "bounded", "correlation", "positive", "difference", "resampled", "described"
]


@dataclass(frozen=True)
class TwoLabels:
    """A figure of a table of two labels, reference in the rows, that falls with every further error: ``figure`` maps
    (replicates, 2, 2) tables to (replicates,), and ``tables`` makes them of the evidence's totals."""

    figure: Value
    tables: Value


@dataclass(frozen=True)
class Metric:
    """``value`` maps totals of shape (replicates, *statistics) to (replicates,), with nan where the metric is
    undefined; ``undefined`` is the reason in words.

    ``shape`` chooses the interval (see ``interval``). A ``proportion`` needs ``trials``, its denominator, linear in the
    totals. A ``disagreement`` is 1 − observed / expected: ``trials`` counts the observations, ``observed`` is the
    observed disagreement per trial and ``expected`` the one by chance, both in [0, 1]; ``nominal``: two labels either
    agree or not. ``parts``: metrics whose weighted sum is the metric; if every weight is positive, the mean of those
    that are defined. ``base``: a proportion of which the metric is the increasing function ``increasing``. ``rarer``:
    the number of labels other than the most common one; with too few there is no interval. ``bounds``: an interval of
    its own, from (1, *statistics) totals and the confidence; None without one. A ``described`` metric has no interval.
    ``expected_range``: the smallest and the largest ``expected`` of any judge on these reference labels.
    ``two_labels``: the interval is that of ``two_labels``.
    """

    name: str
    value: Value
    undefined: str
    shape: Shape = "difference"
    trials: Value | None = None
    observed: Value | None = None
    expected: Value | None = None
    nominal: bool = True
    parts: "tuple[tuple[float, Metric], ...]" = ()
    base: "Metric | None" = None
    increasing: Callable[[float], float] = float
    rarer: Value | None = None
    bounds: Bounds | None = None
    expected_range: Callable[[Floats], tuple[float, float]] | None = None
    two_labels: TwoLabels | None = None

    def renamed(self, name: str) -> "Metric":
        return replace(self, name=name)

    def over(self, prepare: Callable[[Floats], Floats]) -> "Metric":
        """The metric on totals that ``prepare`` makes of another form of the statistics."""

        def composed(function: Value | None) -> Value | None:
            return None if function is None else lambda totals: function(prepare(totals))

        value, bounds, labels = self.value, self.bounds, self.two_labels
        return replace(
            self,
            value=lambda totals: value(prepare(totals)),
            trials=composed(self.trials),
            observed=composed(self.observed),
            expected=composed(self.expected),
            rarer=composed(self.rarer),
            expected_range=None,  # it is of a table with the reference in its rows
            parts=tuple((weight, part.over(prepare)) for weight, part in self.parts),
            base=None if self.base is None else self.base.over(prepare),
            bounds=None if bounds is None else lambda total, confidence: bounds(prepare(total), confidence),
            two_labels=None
            if labels is None
            else replace(labels, tables=lambda totals: labels.tables(prepare(totals))),
        )


class Estimate(Frozen):
    """One metric.

    ``value`` is None if the metric is undefined (a constant column, no shared item); ``low`` and ``high`` are None if
    there is too little data for an interval. ``note`` then says why, and ``needed`` how many clusters or items are
    needed.
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
        """The approximate number of such clusters for an interval of ``value ± half_width``; None without an interval.

        The standard error falls with the square root of the number of clusters.
        """
        if self.low is None or self.high is None:
            return None
        return max(1, math.ceil(self.clusters * ((self.high - self.low) / (2 * half_width)) ** 2))
