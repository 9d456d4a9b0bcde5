"""Means and differences of means that account for the correlation of rollouts of one prompt.

Naive intervals are too narrow if rows share a prompt. Here the prompt is the unit: the variance of a ratio of sums is
the sum over prompts of the squared sum of residuals (the linearised variance of a ratio estimator, as in survey
sampling).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, log1p, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from judge_server.util.clustered_share import share_bounds

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
    """Rows summed by prompt: ``total`` and ``weight``, whose ratio is the mean; ``n``: the number of rows."""

    total: Numbers
    weight: Numbers
    n: int

    @property
    def clusters(self) -> int:
        return len(self.total)

    @property
    def mean(self) -> float:
        """nan if the weights sum to 0."""
        weight = float(self.weight.sum())
        return float(self.total.sum()) / weight if weight else float("nan")


def sample(
    values: Sequence[float] | Numbers, clusters: Sequence[str], weights: Sequence[float] | None = None
) -> Sample:
    """``values`` are numerators if ``weights`` (denominators) are given, else each has weight 1."""
    _, places = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    count = int(places.max()) + 1 if len(places) else 0
    given = np.ones(len(places)) if weights is None else np.asarray(weights, dtype=np.float64)
    total, weight = np.zeros(count), np.zeros(count)
    np.add.at(total, places, np.asarray(values, dtype=np.float64))
    np.add.at(weight, places, given)
    return Sample(total, weight, len(places))


def above(of: Sample, limit: float, level: float, *, bounded: bool) -> bool:
    """Whether the mean is above ``limit``. The false-positive probability for a mean at the limit is at most ``level``
    a look; over several looks, at most ``level`` times their number."""
    quantile = _NORMAL.inv_cdf(1 - level)
    found = share(of, quantile) if bounded else estimate(of, quantile)
    return found.low > limit


def estimate(of: Sample, quantile: float = _CONFIDENT) -> MeanEstimate:
    """The mean with an interval; the interval is infinite for fewer than two prompts."""
    mean = of.mean
    spread = quantile * _wider(of.clusters, quantile) * sqrt(_variance(of, mean))
    return MeanEstimate(mean, mean - spread, mean + spread, of.n, of.clusters)


def share(of: Sample, quantile: float = _CONFIDENT) -> MeanEstimate:
    """A mean that lies in [0, 1], with the interval of ``util.clustered_share``."""
    mean = of.mean
    if isnan(mean) or of.clusters < 2:
        return MeanEstimate(mean, 0.0, 1.0, of.n, of.clusters)
    used = of.weight > 0
    low, high = share_bounds(of.total[used], of.weight[used], lambda degrees: quantile * _wider(degrees + 1, quantile))
    return MeanEstimate(mean, low, high, of.n, of.clusters)


def stratified_share(strata: Sequence[Sample], populations: Sequence[float]) -> tuple[float, float, float]:
    """The share over all strata, each weighted by its population, with its interval: the strata's score intervals
    combined by the method of variance estimates recovery (Zou & Donner 2008, Stat. Med. 27:1693). A stratum with
    constant values still adds its uncertainty."""
    whole = sum(populations)
    shares = [(share(one), weight / whole) for one, weight in zip(strata, populations, strict=True)]
    value = sum(weight * one.value for one, weight in shares)
    below = sqrt(sum((weight * (one.value - one.low)) ** 2 for one, weight in shares))
    above = sqrt(sum((weight * (one.high - one.value)) ** 2 for one, weight in shares))
    return value, max(value - below, 0.0), min(value + above, 1.0)


def probability_of_change(before: Sample, after: Sample) -> float:
    """Two-sided p of a difference at least this large if both have the same mean: a score test, whose variance around
    the common mean is never 0 if the two differ. 1 if there is too little data."""
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
    """The probability of Student's t beyond ``|t|``, by Wallace's normal approximation (1959), with a relative error
    below 6 % from 10 degrees of freedom on, also in the tails."""
    z = (8 * degrees + 1) / (8 * degrees + 3) * sqrt(degrees * log1p(t * t / degrees))
    return 2 * _NORMAL.cdf(-z)


def _variance(of: Sample, around: float) -> float:
    """Variance of the mean, from the prompts' residuals around a given mean."""
    if of.clusters < 2 or isnan(around):
        return inf if of.clusters < 2 else 0.0
    residuals = of.total - around * of.weight
    return float(residuals @ residuals) / float(of.weight.sum()) ** 2 * of.clusters / (of.clusters - 1)


def _wider(clusters: float, quantile: float = _CONFIDENT) -> float:
    """Ratio of Student's quantile to the normal one (first terms of the Cornish–Fisher expansion)."""
    degrees = max(clusters - 1, 1)
    z2 = quantile**2
    return 1 + (z2 + 1) / (4 * degrees) + (5 * z2**2 + 16 * z2 + 3) / (96 * degrees**2)
