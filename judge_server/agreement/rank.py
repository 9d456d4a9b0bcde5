"""Rank correlations from the table of levels: Spearman's ρ, Kendall's τ-b and Stuart's τ-c.

ρ is Pearson's r of midranks; τ-b and τ-c as in Kendall & Gibbons (1990), Rank Correlation Methods, ch. 3. With a table
of levels, a replicate's ranks are a cumulative sum. With very many levels the value is exact, and the interval is
resampled on quantile groups, whose error is small against the width of the interval.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from judge_server.agreement.array import Floats, Ints, floats, ratio
from judge_server.agreement.evidence import Evidence, cells
from judge_server.agreement.metric import Metric, Value

EXACT_CELLS = 65_536
GROUPED_CELLS = 4_096
CONSTANT = "one side is constant"


def spearman(table: Floats) -> Floats:
    """ρ of (replicates, judge levels, reference levels) counts."""
    first, second = centred_ranks(table.sum(axis=-1)), centred_ranks(table.sum(axis=-2))
    joint = (first * (table @ second[..., np.newaxis])[..., 0]).sum(axis=-1)
    squares = (table.sum(axis=-1) * first**2).sum(axis=-1) * (table.sum(axis=-2) * second**2).sum(axis=-1)
    return np.clip(ratio(joint, np.sqrt(squares)), -1, 1)


def centred_ranks(counts: Floats) -> Floats:
    """Midranks of each level less the mean rank: (replicates, levels)."""
    return floats(np.cumsum(counts, axis=-1) - counts / 2 - counts.sum(axis=-1, keepdims=True) / 2)


def surplus(table: Floats) -> Floats:
    """Concordant less discordant pairs of items: (replicates,)."""
    below = np.cumsum(table[:, ::-1], axis=1)[:, ::-1] - table
    running = np.cumsum(below, axis=2)
    after, before = running[:, :, -1:] - running, running - below
    return floats(np.einsum("bij,bij->b", table, after - before))


def kendall_tau_b(table: Floats) -> Floats:
    total = table.sum(axis=(-2, -1)) ** 2
    untied = (total - (table.sum(axis=-1) ** 2).sum(axis=-1)) * (total - (table.sum(axis=-2) ** 2).sum(axis=-1))
    return ratio(2 * surplus(table), np.sqrt(untied))


def kendall_tau_c(table: Floats) -> Floats:
    levels = np.minimum((table.sum(axis=-1) > 0).sum(axis=-1), (table.sum(axis=-2) > 0).sum(axis=-1))
    return ratio(2 * surplus(table) * levels, table.sum(axis=(-2, -1)) ** 2 * (levels - 1))


def rank_evidence(judge: Floats, reference: Floats, cluster: Ints) -> tuple[Evidence, list[Metric]]:
    """The table of levels within each cluster, and the metrics that read it; an item with nan on either side is left
    out."""
    rated = np.isfinite(judge) & np.isfinite(reference)
    x, y = judge[rated], reference[rated]
    first, second = levels(x), levels(y)
    shape = (int(first.max(initial=0)) + 1, int(second.max(initial=0)) + 1)
    if shape[0] * shape[1] <= EXACT_CELLS:
        return cells(first * shape[1] + second, cluster[rated], shape), list(RANK_METRICS)
    first, second = grouped(first, second, shape)
    shape = (int(first.max()) + 1, int(second.max()) + 1)
    evidence = cells(first * shape[1] + second, cluster[rated], shape)
    return evidence, shifted(evidence, x, y)


def levels(values: Floats) -> Ints:
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def grouped(first: Ints, second: Ints, shape: tuple[int, int]) -> tuple[Ints, Ints]:
    """Levels merged into quantile groups of about equal size until the table is small."""
    side = int(GROUPED_CELLS**0.5)
    wide = GROUPED_CELLS // min(*shape, side)
    return quantiles(first, wide), quantiles(second, wide)


def quantiles(level: Ints, groups: int) -> Ints:
    counts = np.bincount(level)
    if len(counts) <= groups:
        return level
    place = np.cumsum(counts) - counts / 2
    return levels(np.floor(place / len(level) * groups))[level]


def shifted(evidence: Evidence, x: Floats, y: Floats) -> list[Metric]:
    """The grouped metrics shifted to the exact values."""
    exact = {
        "spearman": float(stats.spearmanr(x, y).statistic),
        "kendall_tau_b": float(stats.kendalltau(x, y).statistic),
        "kendall_tau_c": float(stats.kendalltau(x, y, variant="c").statistic),
    }
    total = evidence.total()
    return [
        replace(m, value=partial(moved, value=m.value, by=exact[m.name] - float(m.value(total)[0])))
        for m in RANK_METRICS
    ]


def moved(table: Floats, value: Value, by: float) -> Floats:
    return np.clip(value(table) + by, -1, 1)


RANK_METRICS = (
    Metric("spearman", spearman, CONSTANT, "correlation"),
    Metric("kendall_tau_b", kendall_tau_b, CONSTANT, "correlation"),
    Metric("kendall_tau_c", kendall_tau_c, CONSTANT, "correlation"),
)
