"""Tail probabilities and quantiles of the distributions that the tests use."""

from functools import lru_cache

import numpy as np
from scipy import stats

from judge_server.agreement.array import Floats, Ints, ratio


@lru_cache
def normal_quantile(probability: float) -> float:
    return float(stats.norm.ppf(probability))


@lru_cache(maxsize=4096)
def student_quantile(probability: float, degrees: float) -> float:
    return float(stats.t.ppf(probability, degrees))


def two_sided(confidence: float) -> float:
    """The z with probability ``confidence`` between −z and z: 1.96 for 0.95."""
    return normal_quantile(0.5 + confidence / 2)


def normal_cumulative(value: Floats) -> Floats:
    return np.asarray(stats.norm.cdf(value), dtype=np.float64)


def chi_square_tail(statistic: float, degrees: int) -> float:
    return float(stats.chi2.sf(statistic, degrees))


def binomial_two_sided(successes: int, trials: int) -> float:
    """Exact two-sided p of ``successes`` in ``trials`` under one half."""
    return float(stats.binomtest(successes, trials).pvalue)


def binomial_tail(successes: Ints, trials: int, rate: float) -> Floats:
    """P(at least this many successes in ``trials``)."""
    return np.asarray(stats.binom.sf(successes - 1, trials, rate), dtype=np.float64)


def student_below(mean: Floats, error: Floats, degrees: Floats, bound: float) -> Floats:
    """One-sided p of "the mean is below ``bound``" from mean, its standard error and degrees of freedom; arrays of one
    shape.

    A sample without variance has p 0 below the bound and 1 at or above it, the limit of Student's t. nan without
    degrees of freedom.
    """
    spread = error > 1e-12
    tail = stats.t.cdf(np.where(spread, ratio(mean - bound, np.where(spread, error, 1)), 0), np.maximum(degrees, 1))
    settled = np.where(mean < bound, 0.0, 1.0)
    return np.where(degrees < 1, np.nan, np.where(spread, tail, settled))
