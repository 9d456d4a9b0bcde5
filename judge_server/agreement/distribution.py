"""Tail probabilities and quantiles of the distributions the tests refer to."""

from functools import lru_cache
from math import sqrt

import numpy as np
from scipy import stats

from judge_server.agreement.array import Floats, ratio


@lru_cache
def normal_quantile(probability: float) -> float:
    return float(stats.norm.ppf(probability))


def two_sided(confidence: float) -> float:
    """The z that leaves ``confidence`` between −z and z: 1.96 for 0.95."""
    return normal_quantile(0.5 + confidence / 2)


def normal_cumulative(value: Floats) -> Floats:
    return np.asarray(stats.norm.cdf(value), dtype=np.float64)


def chi_square_tail(statistic: float, degrees: int) -> float:
    return float(stats.chi2.sf(statistic, degrees))


def binomial_two_sided(successes: int, trials: int) -> float:
    """Exact two-sided p of ``successes`` in ``trials`` under one half."""
    return float(stats.binomtest(successes, trials).pvalue)


def student_below(mean: Floats, square: Floats, count: Floats, bound: float) -> Floats:
    """One-sided p of "the mean is below ``bound``" from mean, mean of squares and count; arrays of one shape.

    A sample without any spread has p 0 below the bound and 1 at or above it, as the limit of Student's t.
    """
    variance = np.maximum(square - mean**2, 0) * ratio(count, count - 1)
    error = np.sqrt(ratio(variance, count))
    spread = error > 1e-12
    tail = stats.t.cdf(np.where(spread, ratio(mean - bound, np.where(spread, error, 1)), 0), np.maximum(count - 1, 1))
    settled = np.where(mean < bound, 0.0, 1.0)
    return np.where(count < 2, np.nan, np.where(spread, tail, settled))


def wilson(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a proportion (Wilson 1927, JASA 22:209)."""
    z = two_sided(confidence)
    rate, spread = successes / trials, z * z / trials
    centre = (rate + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    return max(0.0, centre - half), min(1.0, centre + half)
