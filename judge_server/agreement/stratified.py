"""Stratified coefficients: the weighted mean over several criteria.

Pooling rows of criteria with different base rates rewards a judge for knowing the rates: a judge that is independent of
the truth within each of twelve criteria can reach a pooled κ of .79. A stratified coefficient is the mean of the
criteria's own, weighted by their numbers of ratings (Barlow, Lai & Azen 1991, "A comparison of methods for calculating
a stratified kappa", Stat. Med. 10:1465). Shares of correct ratings, and errors in units of the scale, are means over
ratings in either case and stay pooled.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from judge_server.agreement.array import Floats, floats, ratio
from judge_server.agreement.evidence import Evidence
from judge_server.agreement.metric import Metric, Value
from judge_server.agreement.resampling import Task

POOLED = (
    "accuracy", "raw_agreement", "sensitivity", "specificity", "false_positive_rate", "precision[", "recall[",
    "f1_pairwise_balanced", "rmse", "mae", "mean_difference", "brier", "ece", "calibration_", "alt_test_",
    "preference_", "judge_tie", "human_tie", "swap_", "first_shown",
)  # fmt: skip
Combined = Callable[..., Floats]  # of totals, and the function of each criterion
MOST_CELLS = 20_000  # statistics of all criteria together; finer rank tables are not stratified


def is_pooled(name: str) -> bool:
    return name.startswith(POOLED) or name.endswith("_per_item")


def stratified_tasks(whole: Sequence[Task], strata: Sequence[Sequence[Task]]) -> Iterator[Task]:
    """Tasks of all criteria together from those of the pooled rows and those of each criterion.

    Pooled metrics are taken from ``whole``; every other metric is the mean over criteria.
    """
    for evidence, metrics in whole:
        kept = [metric for metric in metrics if is_pooled(metric.name)]
        if kept:
            yield evidence, kept
        meant = [metric.name for metric in metrics if not is_pooled(metric.name)]
        parts = [found for tasks in strata if (found := _with(tasks, meant)) is not None and found[0].clusters]
        if meant and len(parts) == 1:  # one criterion is itself
            yield parts[0][0], [metric for metric in parts[0][1] if metric.name in meant]
        elif meant and parts:
            yield stacked(parts, meant)


def _with(tasks: Sequence[Task], names: Sequence[str]) -> Task | None:
    """The task that holds these metrics."""
    return next((task for task in tasks if {metric.name for metric in task[1]} >= set(names)), None)


def stacked(parts: Sequence[Task], names: Sequence[str]) -> Task:
    """Evidence of several criteria, concatenated over all their clusters, and the mean of each metric over criteria."""
    sizes = [prod(evidence.shape) for evidence, _ in parts]
    ids = np.unique(np.concatenate([cluster_ids(evidence) for evidence, _ in parts]))
    if sum(sizes) > MOST_CELLS:
        empty = "too many distinct values to average over criteria: see the single criteria"
        by_name = {metric.name: metric for metric in parts[0][1]}
        none = Evidence(np.empty((0, 1)), (1,), 0, empty=empty)
        return none, [by_name[name] for name in names]
    rows = np.zeros((len(ids), sum(sizes)))
    ends = np.cumsum(sizes)
    for (evidence, _), size, end in zip(parts, sizes, ends, strict=True):
        own = evidence.rows if isinstance(evidence.rows, np.ndarray) else evidence.rows.toarray()
        rows[np.searchsorted(ids, cluster_ids(evidence)), end - size : end] = own
    weights = floats([evidence.n for evidence, _ in parts])
    whole = Evidence(rows, (sum(sizes),), int(weights.sum()), ids)
    return whole, [mean_metric(name, parts, ends, weights) for name in names]


def cluster_ids(evidence: Evidence) -> Floats:
    return floats(np.arange(evidence.clusters) if evidence.ids is None else evidence.ids)


def mean_metric(name: str, parts: Sequence[Task], ends: Floats, weights: Floats) -> Metric:
    own = [next(metric for metric in metrics if metric.name == name) for _, metrics in parts]
    shapes = [evidence.shape for evidence, _ in parts]

    def columns(totals: Floats, function: Sequence[Value]) -> Floats:
        """(strata, replicates): a function of each criterion's statistics."""
        found = []
        for shape, end, one in zip(shapes, ends, function, strict=True):
            part = totals[:, int(end) - prod(shape) : int(end)]
            found.append(one(part.reshape(len(totals), *shape)))
        return np.stack(found)

    def mean(totals: Floats, function: Sequence[Value]) -> Floats:
        values = columns(totals, function)
        known = np.isfinite(values)
        above = (np.where(known, values, 0) * weights[:, np.newaxis]).sum(axis=0)
        return ratio(above, (known * weights[:, np.newaxis]).sum(axis=0))

    def total(totals: Floats, function: Sequence[Value]) -> Floats:
        return floats(columns(totals, function).sum(axis=0))

    return averaged(own, mean, total)


def averaged(own: Sequence[Metric], mean: Combined, total: Combined) -> Metric:
    """The mean of a metric over criteria; that of a difference is the difference of the means."""
    first = own[0]

    def whole(function: Sequence[Value | None], combine: Combined) -> Value | None:
        given = [one for one in function if one is not None]
        return partial(combine, function=given) if len(given) == len(function) else None

    value: Value = partial(mean, function=[one.value for one in own])
    parts: tuple[tuple[float, Metric], ...] = ()
    if any(weight < 0 for weight, _ in first.parts):
        columns = [[one.parts[place][1] for one in own] for place in range(len(first.parts))]
        parts = tuple(
            (weight, averaged(column, mean, total)) for (weight, _), column in zip(first.parts, columns, strict=True)
        )
    return replace(
        first,
        value=value,
        undefined=f"no criterion has a value: {first.undefined}",
        shape="bounded" if first.shape == "proportion" else first.shape,
        trials=whole([one.trials for one in own], total),
        observed=whole([one.observed for one in own], mean),
        expected=whole([one.expected for one in own], mean),
        parts=parts,
        base=None,
        rarer=None,
        expected_range=None,
        two_labels=None,
    )
