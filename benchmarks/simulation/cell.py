"""A cell of the simulation: label sets with known truth, and what is counted over them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from judge_server.agreement.array import Floats, floats

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Outcome:
    """``value`` in one label set: 1 or 0 for yes or no, or a number; None if the figure says nothing about this set.
    ``width``: of the interval, if there is one."""

    value: float | None
    width: float | None = None

    @classmethod
    def of(cls, happened: bool) -> "Outcome":
        return cls(float(happened))


@dataclass(frozen=True, slots=True)
class Demand:
    """``at least`` or ``at most`` a share of the label sets, up to the error of the simulation; None: only reported."""

    least: float | None = None
    most: float | None = None

    @property
    def described(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:g}"
        return "–" if self.most is None else f"≤ {self.most:g}"

    def met(self, share: float, error: float) -> bool:
        below = self.least is not None and share + error < self.least
        return not below and not (self.most is not None and share - error > self.most)


COVERED = Demand(least=0.93)
REPORTED = Demand()


@dataclass(frozen=True)
class Cell:
    """``draw`` makes one label set and returns an outcome for each of ``demands``."""

    name: str
    demands: Mapping[str, Demand]
    draw: Callable[[Random], Mapping[str, Outcome]]

    def drawn(self, seed: int, first: int, last: int) -> list[dict[str, Outcome]]:
        """The outcomes of the sets ``first`` to ``last``: each has its own seed, so that a run can be continued."""
        key = list(self.name.encode())
        return [dict(self.draw(np.random.default_rng([seed, each, *key]))) for each in range(first, last)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. ``error``: two standard errors of the simulation. ``counted``: sets that had a value."""

    cell: str
    figure: str
    demand: Demand
    share: float | None
    error: float
    counted: int
    sets: int
    width: float | None

    @property
    def met(self) -> bool:
        return self.share is None or self.demand.met(self.share, self.error)

    def __str__(self) -> str:
        width = "–" if self.width is None else f"{self.width:.3f}"
        if self.share is None:
            return f"| {self.cell} | {self.figure} | {self.demand.described} | none in any set | {self.sets} | – |"
        measured = f"{self.share:.3f} ± {self.error:.3f}" + ("" if self.met else " **missed**")
        without = f" ({self.sets - self.counted} without)" if self.counted < self.sets else ""
        return (
            f"| {self.cell} | {self.figure} | {self.demand.described} | {measured} | {self.sets}{without} | {width} |"
        )


HEAD = "| cell | figure | demanded | measured | sets | mean width |\n|---|---|---|---|---|---|"


def lines(cell: Cell, outcomes: Iterable[Mapping[str, Outcome]]) -> list[Line]:
    """One for each figure of the cell."""
    drawn = list(outcomes)
    found = []
    for figure, demand in cell.demands.items():
        own = [one[figure] for one in drawn if figure in one]
        values = floats([one.value for one in own if one.value is not None])
        widths = [one.width for one in own if one.width is not None]
        width = float(np.mean(widths)) if widths else None
        share = float(values.mean()) if len(values) else None
        found.append(Line(cell.name, figure, demand, share, _error(values), len(values), len(drawn), width))
    return found


def _error(values: Floats) -> float:
    """Two standard errors of the mean; of a share of 0 or 1, those of one set more that differs."""
    count = len(values)
    if not count:
        return 0.0
    if set(values.tolist()) <= {0.0, 1.0}:
        share = float(values.mean())
        return 2 * sqrt(max(share * (1 - share), (1 - 1 / count) / count) / count)
    return 2 * float(values.std()) / sqrt(count)
