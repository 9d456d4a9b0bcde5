"""Two columns of numbers on the same items: Pearson's r, RMSE and MAE from sums of powers."""

import numpy as np

from judge_server.agreement.array import Floats, Ints, ratio
from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.metric import Metric

CONSTANT = "one side is constant"
EMPTY = "no item was rated by both sides"
ROUNDING = 1e-12  # variance below this share of the sum of squares is rounding error

COUNT, X, Y, XX, YY, XY, SQUARED, ABSOLUTE = range(8)


def moments(judge: Floats, reference: Floats, cluster: Ints) -> Evidence:
    """Sums of powers within each cluster of (items,) columns; nan on either side leaves the item out.

    Both columns are first shifted by one observed value, which changes no metric here and keeps small variances exact.
    """
    rated = np.isfinite(judge) & np.isfinite(reference)
    if not rated.any():
        return sums([np.empty(0)] * 8, cluster[:0])
    x, y = judge[rated], reference[rated]
    middle = np.partition(y, len(y) // 2)[len(y) // 2]
    x, y = x - middle, y - middle
    return sums([np.ones(len(x)), x, y, x * x, y * y, x * y, (x - y) ** 2, np.abs(x - y)], cluster[rated])


def spread(square: Floats, plain: Floats, count: Floats) -> Floats:
    """count · Σx² − (Σx)², with rounding error set to 0."""
    value = count * square - plain**2
    return np.where(value > ROUNDING * count * square, value, 0)


def pearson(totals: Floats) -> Floats:
    """Pearson's r of (replicates, 8) totals."""
    t = np.moveaxis(totals, -1, 0)
    joint = t[COUNT] * t[XY] - t[X] * t[Y]
    both = spread(t[XX], t[X], t[COUNT]) * spread(t[YY], t[Y], t[COUNT])
    return np.clip(ratio(joint, np.sqrt(both)), -1, 1)


def rmse(totals: Floats) -> Floats:
    return np.sqrt(ratio(totals[:, SQUARED], totals[:, COUNT]))


def mae(totals: Floats) -> Floats:
    return ratio(totals[:, ABSOLUTE], totals[:, COUNT])


def mean_difference(totals: Floats) -> Floats:
    """Judge less reference: positive if the judge is generous."""
    return ratio(totals[:, X] - totals[:, Y], totals[:, COUNT])


MOMENT_METRICS = [
    Metric("pearson", pearson, CONSTANT, "correlation"),
    Metric("rmse", rmse, EMPTY, "positive"),
    Metric("mae", mae, EMPTY, "positive"),
    Metric("mean_difference", mean_difference, EMPTY),
]
