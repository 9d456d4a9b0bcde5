"""Agreement of a panel's humans with each other: the ceiling for a judge.

``raw_agreement``, κ of Fleiss, α, AC and ICC are of the whole panel. Other plain names are each human against the
majority (or the mean) of the others, all humans pooled; ``…_pairwise`` is each human against each other human, in both
orders, comparable with a judge's ``…_pairwise``. A judge's plain metrics compare with one human more than a human's do,
which makes them slightly easier.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints, where_defined
from judge_server.agreement.catalogue import PROBABILITY, absent, multi_rater_metrics, pairwise_metrics
from judge_server.agreement.classification import classification_metrics
from judge_server.agreement.contingency import item_coincidences, pair_counts, pair_table, rating_coincidences
from judge_server.agreement.interval import estimate_all
from judge_server.agreement.intraclass import CROSSED_METRICS, ONE_WAY_METRICS, crossed, unbalanced
from judge_server.agreement.judge import Measurement
from judge_server.agreement.kappa import cohen_metrics
from judge_server.agreement.krippendorff import MEASURED_ALPHA, krippendorff_metrics, measured_ratings
from judge_server.agreement.metric import Estimate
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.rank import rank_evidence
from judge_server.agreement.ratings import majority
from judge_server.agreement.resampling import Task
from judge_server.agreement.stratified import stratified_tasks

ALONE = "no item was rated by two humans: agreement among humans is undefined"
MOST_CROSSED = 100  # raters; a panel that shares all its items is small


def human_agreement(
    panel: RatingPanel, measurement: Measurement | None = None, strata: Sequence[Flags] = ()
) -> dict[str, Estimate]:
    """All metrics among the humans by name; undefined ones have a reason. ``strata``: the items of each of several
    criteria, whose coefficients are averaged."""
    how = measurement or Measurement()
    alone = not (panel.humans.totals()[0] >= 2).any()
    tasks = list(evidence_of(panel))
    if strata:
        tasks = list(stratified_tasks(tasks, [list(evidence_of(panel.restricted(units))) for units in strata]))
    if alone:
        found = {metric.name: Estimate(note=ALONE) for _, metrics in tasks for metric in metrics}
    else:
        found = estimate_all(tasks, how.resampling)
    if "icc" not in found and panel.scale.values is not None:
        found["icc"] = Estimate(note="no two items were rated by every human; icc_1_1 does not need that")
    kept = absent(panel.scale, found)
    return {name: value for name, value in kept.items() if name not in PROBABILITY and not name.endswith("_per_item")}


def evidence_of(panel: RatingPanel) -> Iterator[Task]:
    if panel.scale.has_tables:
        yield from label_evidence(panel)
    if panel.scale.values is not None:
        yield from number_evidence(panel)


def label_evidence(panel: RatingPanel) -> Iterator[Task]:
    humans, counts = panel.humans, panel.humans.counts()
    yield item_coincidences(counts, panel.cluster), multi_rater_metrics(panel.scale)
    yield rating_coincidences(counts, panel.cluster), krippendorff_metrics(panel.scale)
    yield pair_counts(counts, panel.cluster), pairwise_metrics(panel.scale)
    others = majority_of_others(counts, humans.item, humans.code)
    table = pair_table(others, humans.code, panel.cluster[humans.item], panel.scale.size)
    yield table, [*classification_metrics(panel.scale), *cohen_metrics(panel.scale)]


def number_evidence(panel: RatingPanel) -> Iterator[Task]:
    humans = panel.humans
    cluster = panel.cluster[humans.item]
    others = mean_of_others(*humans.totals(), humans.item, humans.values)
    yield moments(humans.values, others, cluster), MOMENT_METRICS
    yield rank_evidence(humans.values, others, cluster)
    yield unbalanced(humans.values, humans.item, panel.cluster), ONE_WAY_METRICS
    if not panel.scale.has_tables:
        yield measured_ratings(humans.values, humans.item, panel.cluster), [MEASURED_ALPHA]
    if len(humans.raters) <= MOST_CROSSED:
        matrix = humans.matrix()
        if np.isfinite(matrix).all(axis=1).sum() >= 2:
            yield crossed(matrix, panel.cluster), [m for m in CROSSED_METRICS if m.name != "icc_1_1"]


def majority_of_others(counts: Floats, item: Ints, code: Ints) -> Ints:
    """(ratings,): the majority label of an item's other raters, −1 for a tie or none."""
    others = counts[item]
    others[np.arange(len(item)), code] -= 1
    return majority(others)


def mean_of_others(number: Floats, plain: Floats, item: Ints, value: Floats) -> Floats:
    """(ratings,): the mean of an item's other ratings, nan without any."""
    others = number[item] - 1
    return where_defined((plain[item] - value) / np.maximum(others, 1), others > 0)
