"""Does a higher probability mean a more likely yes? The area under the ROC curve, with prompts as clusters.

The area is the share of pairs of a positive and a negative item in which the positive one has the higher probability,
a tie counting half (Hanley & McNeil 1982, Radiology 143:29). Items of one prompt are not independent: the variance is
that of leaving out one cluster, to first order the one of Obuchowski (1997), "Nonparametric analysis of clustered ROC
curve data", Biometrics 53:567.
"""

from dataclasses import replace

import numpy as np
from scipy import stats

from judge_server.agreement.array import Floats, Ints, floats, ratio
from judge_server.agreement.evidence import cells
from judge_server.agreement.metric import Metric
from judge_server.agreement.probability import EMPTY
from judge_server.agreement.rank import levels, quantiles
from judge_server.agreement.resampling import Task

MOST_LEVELS = 512  # finer probabilities are merged for the interval alone


def area(table: Floats) -> Floats:
    """Of (replicates, probability levels, 2) counts of negative and positive items; nan without one of the two."""
    negative, positive = table[..., 0], table[..., 1]
    below = np.cumsum(negative, axis=-1) - negative / 2
    return ratio((positive * below).sum(axis=-1), negative.sum(axis=-1) * positive.sum(axis=-1))


def exact_area(probability: Floats, positive: Ints) -> float:
    """The same from the ranks of (items,) columns; nan without a positive or a negative item."""
    yes = int(positive.sum())
    no = len(positive) - yes
    if not yes or not no:
        return float("nan")
    ranks = stats.rankdata(probability)[positive == 1].sum()
    return float((ranks - yes * (yes + 1) / 2) / (yes * no))


def discrimination_task(probability: Floats, outcome: Floats, cluster: Ints) -> Task:
    """The table of levels within each cluster, and the metric that reads it.

    (items,) columns; ``outcome`` is 0 or 1; nan leaves the item out. The interval counts the items of the rarer outcome
    as trials, because they bound what is known of the area.
    """
    known = np.isfinite(probability) & np.isfinite(outcome)
    p, positive = probability[known], outcome[known].astype(np.int64)
    found = levels(p)
    merged = quantiles(found, MOST_LEVELS) if len(p) else found
    shape = (int(merged.max(initial=0)) + 1, 2)
    evidence = replace(cells(merged * 2 + positive, cluster[known], shape), empty=EMPTY)
    rarer = int(2 * positive.sum() < len(positive))
    total = evidence.total()
    moved_by = exact_area(p, positive) - float(area(total)[0])
    return evidence, [
        Metric(
            "auc",
            lambda totals: floats(np.clip(area(totals) + moved_by, 0, 1)),
            "people gave only one of the two labels",
            "bounded",
            trials=lambda totals: totals[..., rarer].sum(axis=-1),
            rarer=lambda totals: totals.sum(axis=-2).min(axis=-1),
        )
    ]
