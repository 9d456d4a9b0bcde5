"""Wilson's score interval for a proportion (Wilson 1927, JASA 22:209), without dependencies."""

from math import sqrt
from statistics import NormalDist


def wilson(successes: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of ``successes`` in ``trials`` (above 0) independent trials."""
    return score_interval(successes / trials, trials, NormalDist().inv_cdf(0.5 + confidence / 2))


def score_interval(rate: float, trials: float, quantile: float) -> tuple[float, float]:
    """The interval from a rate, an effective number of trials and the two-sided quantile of a normal or t
    distribution."""
    spread = quantile * quantile / trials
    centre = (rate + spread / 2) / (1 + spread)
    half = quantile / (1 + spread) * sqrt(max(rate * (1 - rate), 0.0) / trials + spread / (4 * trials))
    return 0.0 if rate <= 0 else max(0.0, centre - half), 1.0 if rate >= 1 else min(1.0, centre + half)
