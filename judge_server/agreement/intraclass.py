"""The six intraclass correlations of Shrout & Fleiss (1979), Psychol. Bull. 86:420.

``icc`` is ICC(2,1): two-way random effects, absolute agreement of single raters. A judge that ranks like the humans but
one point higher scores lower. It needs every rater on every item; ``icc_1_1`` allows raters that change from item to
item.
"""

from collections.abc import Callable

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats, ratio, where_defined
from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.metric import Metric
from judge_server.agreement.moment import COUNT, ROUNDING, XX, XY, YY, X, Y

CONSTANT = "all ratings are the same, or there are fewer than two items"
FORMS = ("icc_1_1", "icc_2_1", "icc_3_1", "icc_1_k", "icc_2_k", "icc_3_k")


def crossed(ratings: Floats, cluster: Ints) -> Evidence:
    """Evidence from an (items, raters) matrix; items with a nan are left out, since two-way effects need complete rows.

    Statistics: items, Σ of squared row sums, Σ of squares, then each rater's sum.
    """
    complete = np.isfinite(ratings).all(axis=1)
    matrix = ratings[complete]
    if len(matrix):
        matrix = matrix - np.partition(matrix.ravel(), matrix.size // 2)[matrix.size // 2]
    columns = [np.ones(len(matrix)), matrix.sum(axis=1) ** 2, (matrix**2).sum(axis=1), *matrix.T]
    return sums(columns, cluster[complete])


def from_moments(totals: Floats) -> Floats:
    """The statistics of ``crossed`` for two raters, from the sums of ``moment.moments``."""
    rows = totals[:, XX] + totals[:, YY] + 2 * totals[:, XY]
    return np.stack([totals[:, COUNT], rows, totals[:, XX] + totals[:, YY], totals[:, X], totals[:, Y]], axis=-1)


def intraclass(totals: Floats, form: str) -> Floats:
    """One of ``FORMS`` from (replicates, 3 + raters) totals."""
    items, rows, squares, raters = totals[:, 0], totals[:, 1], totals[:, 2], totals[:, 3:]
    k = raters.shape[1]
    correction = ratio(raters.sum(axis=-1) ** 2, items * k)
    between = ratio(rows / k - correction, items - 1)
    judges = (ratio((raters**2).sum(axis=-1), items) - correction) / (k - 1)
    whole = squares - correction
    error = ratio(whole - between * (items - 1) - judges * (k - 1), (items - 1) * (k - 1))
    within = ratio(whole - between * (items - 1), items * (k - 1))
    noise = within if form.startswith("icc_1") else error
    bias = ratio(judges - error, items) if form.startswith("icc_2") else 0.0
    below = between + bias if form.endswith("_k") else between + (k - 1) * noise + k * bias
    return where_defined(ratio(between - noise, below), (items >= 2) & (whole > ROUNDING * squares))


def unbalanced(values: Floats, item: Ints, cluster: Ints) -> Evidence:
    """Evidence for ICC(1,1) from single ratings: (ratings,) values with their item; ``cluster`` has one entry an
    item.

    Statistics: items, ratings, Σ of squared numbers of ratings, Σ of values, Σ over items of squared sum / ratings, Σ
    of squares.
    """
    shifted = values - np.partition(values, len(values) // 2)[len(values) // 2] if len(values) else values
    ratings = floats(np.bincount(item, minlength=len(cluster)))
    plain = floats(np.bincount(item, weights=shifted, minlength=len(cluster)))
    square = floats(np.bincount(item, weights=shifted**2, minlength=len(cluster)))
    kept = ratings >= 2
    number, total = ratings[kept], plain[kept]
    return sums([np.ones(len(number)), number, number**2, total, total**2 / number, square[kept]], cluster[kept])


def intraclass_unbalanced(totals: Floats) -> Floats:
    """ICC(1,1) from one-way analysis of variance with unequal group sizes (Donner 1986, Int. Stat. Rev. 54:67)."""
    items, ratings, sizes, plain, rows, squares = np.moveaxis(totals, -1, 0)
    correction = ratio(plain**2, ratings)
    between = ratio(rows - correction, items - 1)
    within = ratio(squares - rows, ratings - items)
    size = ratio(ratings - ratio(sizes, ratings), items - 1)
    value = ratio(between - within, between + (size - 1) * within)
    return where_defined(value, (items >= 2) & (squares - correction > ROUNDING * squares))


def form_metric(name: str, form: str, prepare: Callable[[Floats], Floats] | None = None) -> Metric:
    if prepare is None:
        return Metric(name, lambda totals: intraclass(totals, form), CONSTANT, "disagreement", nominal=False)
    return form_metric(name, form).over(prepare)


CROSSED_METRICS = [form_metric("icc", "icc_2_1"), *(form_metric(form, form) for form in FORMS)]
PAIR_METRICS = [form_metric("icc", "icc_2_1", from_moments), *(form_metric(form, form, from_moments) for form in FORMS)]
ONE_WAY_METRICS = [Metric("icc_1_1", intraclass_unbalanced, CONSTANT, "disagreement", nominal=False)]
