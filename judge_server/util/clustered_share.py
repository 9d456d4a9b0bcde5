"""The interval of a share whose trials come in clusters: the only one, for agreement, dangers, cascades and monitors.

Wilson's score interval with the effective number of trials (Korn & Graubard 1998, Surv. Methodol. 24:193). The variance
in the design effect is that of leaving out one cluster (Bell & McCaffrey 2002, Surv. Methodol. 28:169), because the
linearised one is too small if there are few clusters or their sizes differ. It is raised towards that of an
intraclass correlation of .3 if few events were seen, so that the bound changes smoothly from 0 events on, and never
lowered: with a plain estimate of it, intervals of this kind are too narrow (Franco, Little, Louis & Slud 2019, J. Surv.
Stat. Methodol. 7:334).

One more event never lowers a bound. The estimated effect alone would break that: after three events in one cluster, a
fourth elsewhere makes them look less alike. So the upper bound is the largest of those of every number of events up to
the observed one, each with the largest variance that so many of the observed events can have; more events leave both
maxima no smaller. The lower bound is that of what is no event.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Quantile = Callable[[float], float]  # of the degrees of freedom

ASSUMED_CORRELATION = 0.3  # correlation assumed among the items of one cluster if too few events show it
ASSUMED_EVENTS = 5.0  # weight of that assumption, in events
RATES = 8  # parts of the range of rates, within each of which the largest variance is bounded by a chord


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
    """The largest upper bound of 0, 1, 2, … of the events and of all of them."""
    count, clusters, events = float(trials.sum()), len(trials), float(hits.sum())
    steps = np.append(0.0, events - np.arange(int(events), -1, -1))
    rate = np.minimum(steps / count, 1.0)
    variance = _largest_squares(hits, trials, steps, rate) / count**2 * (clusters - 1) / clusters
    inside = (rate > 1e-12) & (rate < 1 - 1e-12) & (clusters > 1)
    assumed = assumed_effect(trials)
    effect = np.where(inside, variance / np.where(inside, rate * (1 - rate) / count, 1.0), assumed)
    rarer = np.minimum(steps, count - steps)
    raised = np.maximum(effect, (rarer * effect + ASSUMED_EVENTS * assumed) / (rarer + ASSUMED_EVENTS))
    return float(_score_upper(rate, count / np.maximum(raised, 1.0), reach).max())


def _largest_squares(hits: Numbers, trials: Numbers, steps: Numbers, rate: Numbers) -> Numbers:
    """(steps,): the largest weighted sum of squares Σ w (x − rate · trials)² over the ways to choose ``steps`` events x
    among the clusters' ``hits``, or slightly more: a cluster of which some are chosen counts by the chord of its
    square, which makes it a fractional knapsack (Dantzig 1957, Oper. Res. 5:266). For so many events the part that
    depends on the choice is convex in the rate, so between two rates the chord bounds it; for all events it is exact.
    """
    count = float(trials.sum())
    kinds, number = np.unique(hits + 1j * trials, return_counts=True)  # equal clusters fill one after the other
    own, size = kinds.real, kinds.imag
    weight = 1 / np.maximum(1 - size / count, 1e-9) ** 2
    largest = rate**2 * float((number * weight * size**2).sum())
    parts = 1 if len(np.unique(size)) == 1 else RATES  # with equal sizes the order is the same at every rate
    edges = np.searchsorted(np.minimum(rate * parts, parts - 1).astype(np.int64), np.arange(parts + 1))
    for part, (first, last) in enumerate(pairwise(edges.tolist())):
        if first == last:
            continue
        chosen = steps[first:last]
        low, high = (_filled(own, weight * (own - 2 * at / parts * size), number, chosen) for at in (part, part + 1))
        share = rate[first:last] * parts - part
        largest[first:last] += (1 - share) * low + share * high
    return np.maximum(largest, 0.0)


def _filled(own: Numbers, worth: Numbers, number: NDArray[np.int64], steps: Numbers) -> Numbers:
    """(steps,): what so many events are worth, the most valuable first; there are ``number`` · ``own`` of each
    ``worth``."""
    order = np.argsort(-worth)
    room = np.append(0.0, np.cumsum((number * own)[order]))
    filled = np.append(0.0, np.cumsum((number * own * worth)[order]))
    return np.asarray(np.interp(steps, room, filled), np.float64)


def _score_upper(rate: Numbers, trials: Numbers, reach: float) -> Numbers:
    """The upper end of ``wilson.score_interval``, elementwise."""
    spread = reach * reach / trials
    half = reach / (1 + spread) * np.sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    return np.asarray(np.where(rate >= 1, 1.0, np.minimum((rate + spread / 2) / (1 + spread) + half, 1.0)), np.float64)
