"""Proportions: Wilson's interval, and how many trials a given half-width takes."""

from math import ceil

from judge_server.agreement.distribution import two_sided, wilson
from judge_server.agreement.estimate import Estimate


def proportion(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """A share of independent trials with Wilson's interval (Wilson 1927); undefined without trials."""
    if not 0 <= successes <= trials:
        raise ValueError(f"successes: {successes} of {trials} trials is no proportion")
    if not trials:
        return Estimate(note="there were no trials")
    low, high = wilson(successes, trials, confidence)
    return Estimate(value=successes / trials, low=low, high=high, n=trials, clusters=trials)


def trials_for(half_width: float, rate: float = 0.5, confidence: float = 0.95) -> int:
    """Trials that narrow a proportion near ``rate`` to ± ``half_width``; the default rate is the worst case."""
    return ceil(two_sided(confidence) ** 2 * rate * (1 - rate) / half_width**2)
