"""The interval of a share whose trials come in clusters: the only one, for agreement, dangers, cascades and monitors.

Wilson's score interval with the effective number of trials (Korn & Graubard 1998, Surv. Methodol. 24:193). The variance
in the design effect is that of leaving out one cluster (Bell & McCaffrey 2002, Surv. Methodol. 28:169), because the
linearised one is too small if there are few clusters or their sizes differ. It is raised towards that of an
intraclass correlation of .3 if few events were seen, so that the bound changes smoothly from 0 events on, and never
lowered: with a plain estimate of it, intervals of this kind are too narrow (Franco, Little, Louis & Slud 2019, J. Surv.
Stat. Methodol. 7:334).

One more event never lowers a bound. The estimated effect alone would break that: after three events in one cluster, a
fourth elsewhere makes them look less alike. So the upper bound is the largest of those of the observed events and of
their parts (the clusters with most events alone), and the lower bound the same of what is no event.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Quantile = Callable[[float], float]  # of the degrees of freedom

ASSUMED_CORRELATION = 0.3  # correlation assumed among the items of one cluster if too few events show it
ASSUMED_EVENTS = 5.0  # weight of that assumption, in events


def share_bounds(hits: Numbers, trials: Numbers, quantile: Quantile) -> tuple[float, float]:
    """The interval of Σ hits / Σ trials from (clusters,) columns with trials above 0. ``quantile``: the two-sided one
    of Student's t for degrees of freedom."""
    reach = quantile(effective_degrees(trials))
    return 1 - _upper(trials - hits, trials, reach), _upper(hits, trials, reach)


def effective_degrees(trials: Numbers) -> float:
    """The number of equally large clusters that weigh as much (Kish 1965), less one; at least 1."""
    return max(float(trials.sum()) ** 2 / float((trials**2).sum()) - 1, 1.0)


def assumed_effect(trials: Numbers) -> float:
    """The design effect of equally correlated items (Kish 1965) with the assumed correlation."""
    return 1 + (float((trials**2).sum() / trials.sum()) - 1) * ASSUMED_CORRELATION


def _upper(hits: Numbers, trials: Numbers, reach: float) -> float:
    """The largest upper bound of no events, of those of the cluster with most, of the two with most, … and of all."""
    weight = 1 / np.maximum(1 - trials / float(trials.sum()), 1e-9) ** 2
    alike = float(np.ptp(trials)) == 0  # then all three orders are one
    orders = (np.argsort(-of, kind="stable") for of in ((hits,) if alike else (hits, weight * hits, hits / trials)))
    return max(_largest(hits[order], trials[order], weight[order], reach) for order in orders)


def _largest(own: Numbers, size: Numbers, factor: Numbers, reach: float) -> float:
    """The largest upper bound of the events of the first clusters, for every number of clusters."""
    count, clusters = float(size.sum()), len(size)
    events = np.concatenate([[0.0], np.cumsum(own)])
    rate = np.minimum(events / count, 1.0)
    squares = np.concatenate([[0.0], np.cumsum(factor * own**2)])
    mixed = np.concatenate([[0.0], np.cumsum(factor * own * size)])
    residual = np.maximum(squares - 2 * rate * mixed + rate**2 * float((factor * size**2).sum()), 0.0)
    variance = residual / count**2 * (clusters - 1) / clusters
    inside = (rate > 1e-12) & (rate < 1 - 1e-12) & (clusters > 1)
    assumed = assumed_effect(size)
    effect = np.where(inside, variance / np.where(inside, rate * (1 - rate) / count, 1.0), assumed)
    rarer = np.minimum(events, count - events)
    raised = np.maximum(effect, (rarer * effect + ASSUMED_EVENTS * assumed) / (rarer + ASSUMED_EVENTS))
    return float(_score_upper(rate, count / np.maximum(raised, 1.0), reach).max())


def _score_upper(rate: Numbers, trials: Numbers, reach: float) -> Numbers:
    """The upper end of ``wilson.score_interval``, elementwise."""
    spread = reach * reach / trials
    half = reach / (1 + spread) * np.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    return np.asarray(np.where(rate >= 1, 1.0, np.minimum((rate + spread / 2) / (1 + spread) + half, 1.0)), np.float64)
