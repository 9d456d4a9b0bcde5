"""Correlations within a prompt, averaged over prompts: does the judge rank the answers to one question like people?

A pooled correlation also rewards knowing which questions are hard. Prompts with fewer than two answers, or if one side
gives all answers the same score, have no correlation and are left out of the mean; ``n`` counts the prompts that have
one.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats, ratio
from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.metric import Metric
from judge_server.agreement.moment import ROUNDING

CELLS = 4_000_000  # most comparisons in memory
NONE_DEFINED = "no prompt has two answers on which both sides vary"

Correlate = Callable[[Floats, Floats], Floats]


def within_evidence(judge: Floats, reference: Floats, group: Ints, cluster: Ints, correlate: Correlate) -> Evidence:
    """Σ of the groups' correlations and their number, within each cluster; (items,) columns, groups nested in
    clusters.
    """
    rated = np.isfinite(judge) & np.isfinite(reference)
    x, y, of = judge[rated], reference[rated], group[rated]
    order = np.argsort(of, kind="stable")
    start = np.flatnonzero(np.diff(of[order], prepend=-1))
    values = group_correlations(x[order], y[order], start, correlate)
    defined = np.isfinite(values)
    home = cluster[rated][order][start]
    return replace(sums([values[defined], np.ones(int(defined.sum()))], home[defined]), empty=NONE_DEFINED)


def group_correlations(x: Floats, y: Floats, start: Ints, correlate: Correlate) -> Floats:
    """One correlation per group of adjacent rows; groups of equal size are computed together."""
    size = np.diff(start, append=len(x))
    values = np.full(len(start), np.nan)
    for width in np.unique(size[size >= 2]):
        groups = np.flatnonzero(size == width)
        for few in np.array_split(groups, max(1, len(groups) * int(width) ** 2 // CELLS)):
            rows = start[few][:, np.newaxis] + np.arange(width)
            values[few] = correlate(x[rows], y[rows])
    return values


def pearson_rows(x: Floats, y: Floats) -> Floats:
    """Pearson's r of each row of two (groups, width) matrices."""
    x0, y0 = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    squares = [np.where((d := (c**2).sum(axis=1)) > ROUNDING * (v**2).sum(axis=1), d, 0) for c, v in ((x0, x), (y0, y))]
    return np.clip(ratio((x0 * y0).sum(axis=1), np.sqrt(squares[0] * squares[1])), -1, 1)


def spearman_rows(x: Floats, y: Floats) -> Floats:
    return pearson_rows(rank_rows(x), rank_rows(y))


def kendall_rows(x: Floats, y: Floats) -> Floats:
    """τ-b of each row."""
    first, second = signs(x), signs(y)
    untied = np.abs(first).sum(axis=(1, 2)) * np.abs(second).sum(axis=(1, 2))
    return ratio((first * second).sum(axis=(1, 2)), np.sqrt(untied))


def rank_rows(values: Floats) -> Floats:
    """Centred midranks within each row."""
    return floats(signs(values).sum(axis=2) / 2)


def signs(values: Floats) -> Floats:
    return floats(np.sign(values[:, :, np.newaxis] - values[:, np.newaxis, :]))


def mean_of_groups(totals: Floats) -> Floats:
    return ratio(totals[:, 0], totals[:, 1])


ROW_CORRELATIONS: dict[str, Correlate] = {
    "pearson": pearson_rows,
    "spearman": spearman_rows,
    "kendall_tau_b": kendall_rows,
}


def within_metric(name: str) -> Metric:
    return Metric(f"{name}_per_item", mean_of_groups, NONE_DEFINED, "difference")
