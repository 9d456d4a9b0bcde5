"""Means and differences of means, with what rollouts of one prompt share taken into account.

Naive intervals lie where rows share a prompt. Here the prompt is the unit: the variance of a ratio of sums is the sum
over prompts of the squared sum of residuals (the linearised variance of a ratio estimator, as in survey sampling).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, log1p, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_NORMAL: Final = NormalDist()
_CONFIDENT: Final = _NORMAL.inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """``low`` and ``high``: the 95 % interval. ``n`` rows in ``clusters`` prompts."""

    value: float
    low: float
    high: float
    n: int
    clusters: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows as sums over their prompt: of ``total``, of ``weight``; their ratio is the mean. ``n``: rows."""

    total: Numbers
    weight: Numbers
    n: int

    @property
    def clusters(self) -> int:
        return len(self.total)

    @property
    def mean(self) -> float:
        """nan where there is no weight."""
        weight = float(self.weight.sum())
        return float(self.total.sum()) / weight if weight else float("nan")


def sample(
    values: Sequence[float] | Numbers, clusters: Sequence[str], weights: Sequence[float] | None = None
) -> Sample:
    """``values`` are numerators where ``weights`` (denominators) are given, else each counts once."""
    _, places = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    count = int(places.max()) + 1 if len(places) else 0
    given = np.ones(len(places)) if weights is None else np.asarray(weights, dtype=np.float64)
    total, weight = np.zeros(count), np.zeros(count)
    np.add.at(total, places, np.asarray(values, dtype=np.float64))
    np.add.at(weight, places, given)
    return Sample(total, weight, len(places))


def estimate(of: Sample) -> MeanEstimate:
    """The mean with an interval; the interval is everything where there are fewer than two prompts."""
    mean = of.mean
    spread = _CONFIDENT * _wider(of.clusters) * sqrt(_variance(of, mean))
    return MeanEstimate(mean, mean - spread, mean + spread, of.n, of.clusters)


def share(of: Sample) -> MeanEstimate:
    """A mean that lies in [0, 1]. Where every row says the same, the variance says nothing: the interval is then
    Wilson's, with the prompts as the number of trials."""
    found = estimate(of)
    if isnan(found.value) or 0 < found.value < 1:
        return MeanEstimate(found.value, max(found.low, 0.0), min(found.high, 1.0), of.n, of.clusters)
    edge = _CONFIDENT**2 / (of.clusters + _CONFIDENT**2)
    low, high = (0.0, edge) if found.value == 0 else (1 - edge, 1.0)
    return MeanEstimate(found.value, low, high, of.n, of.clusters)


def probability_of_change(before: Sample, after: Sample) -> float:
    """Two-sided, of a difference at least this great where both have one mean: a score test, whose variance is taken
    around the common mean, so that it never is 0 where the two differ. 1 where nothing can be said."""
    fewest = min(before.clusters, after.clusters)
    weight = float(before.weight.sum() + after.weight.sum())
    if fewest < 2 or not before.weight.sum() or not after.weight.sum():
        return 1.0
    common = float(before.total.sum() + after.total.sum()) / weight
    variance = _variance(before, common) + _variance(after, common)
    if variance <= 0:
        return 1.0
    return two_sided((after.mean - before.mean) / sqrt(variance), fewest - 1)


def two_sided(t: float, degrees: int) -> float:
    """The probability of Student's t beyond ``|t|``, by Wallace's normal approximation (1959), which is
    off by less than 6 % of itself from 10 degrees of freedom on, also far out."""
    z = (8 * degrees + 1) / (8 * degrees + 3) * sqrt(degrees * log1p(t * t / degrees))
    return 2 * _NORMAL.cdf(-z)


def _variance(of: Sample, around: float) -> float:
    """Of the mean, from the prompts' residuals around a given mean."""
    if of.clusters < 2 or isnan(around):
        return inf if of.clusters < 2 else 0.0
    residuals = of.total - around * of.weight
    return float(residuals @ residuals) / float(of.weight.sum()) ** 2 * of.clusters / (of.clusters - 1)


def _wider(clusters: int) -> float:
    """Student's 97.5 % quantile over the normal one (the first terms of Cornish and Fisher's expansion)."""
    degrees = max(clusters - 1, 1)
    z2 = _CONFIDENT**2
    return 1 + (z2 + 1) / (4 * degrees) + (5 * z2**2 + 16 * z2 + 3) / (96 * degrees**2)
