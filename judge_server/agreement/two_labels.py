"""Intervals of every figure of a table of two labels, a reference and a judge: κ, α, AC1, J, F1, precision and more.

Such a figure is a function of three shares: of the reference's labels that are positive, of the positives that the
judge misses, and of the negatives that it calls positive. Each has the interval of ``util.clustered_share``. The bounds
are the least and the largest value of the figure over the ellipsoid that these intervals span, which for a linear
figure is the combination of Zou & Donner (2008, Stat. Med. 27:1693). Misses and inventions may come together in a
prompt; their correlation is that of a fixed intraclass correlation, so it depends on the reference alone.

One more error never improves a bound: every point of the ellipsoid is a weighted mean of a share and its bound, neither
of which falls with one more error, the points are the same before and after, and the figures fall with either share.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from judge_server.agreement.array import Floats, floats
from judge_server.agreement.distribution import student_quantile
from judge_server.agreement.evidence import Evidence
from judge_server.agreement.metric import Metric, Value
from judge_server.util.clustered_share import share_bounds

TOGETHER = 0.5  # intraclass correlation assumed between misses and inventions of a prompt
DIRECTIONS = 13  # of misses against inventions
TILTS = 17  # of both against the share of positives
_EDGE = 1e-9


def least_and_largest(
    evidence: Evidence, metrics: Sequence[Metric], confidence: float
) -> dict[str, tuple[float, float]]:
    """The bounds of each metric with ``two_labels``, by name."""
    found: dict[str, tuple[float, float]] = {}
    known: dict[Value, tuple[Floats, Floats]] = {}
    for metric in metrics:
        if (own := metric.two_labels) is not None:
            if own.tables not in known:
                known[own.tables] = moved(own.tables(evidence.dense()), confidence)
            more, fewer = known[own.tables]
            found[metric.name] = float(own.figure(more).min()), float(own.figure(fewer).max())
    return found


def moved(rows: Floats, confidence: float) -> tuple[Floats, Floats]:
    """(points, 2, 2) tables each, from those of the (clusters, 2, 2): with more errors, whose least figure is the lower
    bound, and with fewer, whose largest is the upper one."""
    negatives, positives = rows[:, 0].sum(axis=-1), rows[:, 1].sum(axis=-1)
    missed = bounds(rows[:, 1, 0], positives, confidence)
    invented = bounds(rows[:, 0, 1], negatives, confidence)
    share = bounds(positives, positives + negatives, confidence)
    misses, inventions, tilt = directions(together(positives, negatives))
    count = float(rows.sum())
    rate = share[1] + np.where(tilt > 0, share[2] - share[1], share[1] - share[0]) * tilt
    more, fewer = (
        table(
            count,
            rate,
            missed[1] + (missed[end] - missed[1]) * misses,
            invented[1] + (invented[end] - invented[1]) * inventions,
        )
        for end in (2, 0)
    )
    return more, fewer


def bounds(hits: Floats, trials: Floats, confidence: float) -> tuple[float, float, float]:
    """The lower bound of Σ hits / Σ trials over the (clusters,), the share, and the upper bound."""
    used = trials > 0
    if not used.any():
        return 0.0, 0.0, 1.0
    low, high = share_bounds(floats(hits[used]), floats(trials[used]), partial(student_quantile, 0.5 + confidence / 2))
    share = float(hits.sum() / trials.sum())
    return min(low, share), share, max(high, share)


def together(positives: Floats, negatives: Floats) -> float:
    """The correlation of the shares of misses and of inventions at the assumed intraclass correlation."""
    spread = [float((own * (1 + np.maximum(own - 1, 0) * TOGETHER)).sum()) for own in (positives, negatives)]
    if not min(spread):
        return 0.0
    return TOGETHER * float(positives @ negatives) / float(np.sqrt(spread[0] * spread[1]))


def directions(correlation: float) -> tuple[Floats, Floats, Floats]:
    """(points,) each: how far misses, inventions and the share of positives go towards their bounds, on the surface of
    the ellipsoid; 0 to 1, the last −1 to 1."""
    angle = np.linspace(0, np.pi / 2, DIRECTIONS)
    first, second = np.cos(angle), np.sin(angle)
    length = np.sqrt(1 + 2 * correlation * first * second)
    tilt = np.linspace(-np.pi / 2, np.pi / 2, TILTS)
    level = np.cos(tilt)
    misses = np.outer((first + correlation * second) / length, level)
    inventions = np.outer((second + correlation * first) / length, level)
    return misses.ravel(), inventions.ravel(), np.tile(np.sin(tilt), DIRECTIONS)


def table(count: float, rate: Floats, missed: Floats, invented: Floats) -> Floats:
    """(points, 2, 2) tables of ``count`` items from (points,) shares, none of them exactly 0 or 1."""
    rate, missed, invented = (np.clip(own, _EDGE, 1 - _EDGE) for own in (rate, missed, invented))
    negative = np.stack([1 - invented, invented], axis=-1) * (1 - rate)[:, np.newaxis]
    positive = np.stack([missed, 1 - missed], axis=-1) * rate[:, np.newaxis]
    return floats(count * np.stack([negative, positive], axis=1))
