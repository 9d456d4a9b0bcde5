"""A metric: its name, and its value from summed statistics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from judge_server.agreement.array import Floats

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
