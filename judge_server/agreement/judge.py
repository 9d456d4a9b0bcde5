"""A judge against the humans of a panel.

A plain name (``cohen_kappa``) is against the reference: the humans' majority label (ties are left out), or their mean
for numbers. ``…_pairwise`` is against each human: each pair of a judge's and a human's rating of an item counts once,
and ``n`` counts pairs. ``…_per_item`` is averaged over prompts. With one human an item, plain and pairwise are the
same.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import numpy as np
from pydantic import Field

from judge_server.agreement.alternative_annotator import (
    AlternativeAnnotator,
    alternative_annotator,
    without_pass_by_chance,
)
from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.agreement.calibration_line import line_task
from judge_server.agreement.catalogue import absent, judge_metrics, pairwise, pairwise_metrics
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.discrimination import discrimination_task
from judge_server.agreement.evidence import joined
from judge_server.agreement.interval import estimate_all
from judge_server.agreement.intraclass import PAIR_METRICS
from judge_server.agreement.krippendorff import MOMENT_ALPHA
from judge_server.agreement.metric import Estimate, Metric
from judge_server.agreement.moment import MOMENT_METRICS, moments
from judge_server.agreement.panel import JudgeColumn, RatingPanel
from judge_server.agreement.probability import PROBABILITY_METRICS, probability_evidence
from judge_server.agreement.rank import rank_evidence
from judge_server.agreement.resampling import Resampling, Task
from judge_server.agreement.stratified import stratified_tasks
from judge_server.agreement.within import ROW_CORRELATIONS, within_evidence, within_metric
from judge_server.core.model import Frozen


class Measurement(Frozen):
    """How agreement is measured."""

    resampling: Resampling = Resampling()
    alternative: AlternativeAnnotator = AlternativeAnnotator()
    bins: int = Field(default=10, ge=2, le=100, description="bins of the reliability curve and of ECE")


def judge_agreement(
    panel: RatingPanel, judge: str, measurement: Measurement | None = None, strata: Sequence[Flags] = ()
) -> dict[str, Estimate]:
    """All metrics of one judge by name; undefined ones have a reason. ``strata``: the items of each of several
    criteria, whose coefficients are averaged."""
    how = measurement or Measurement()
    found = without_pass_by_chance(estimate_all(list(judge_tasks(panel, judge, how, strata)), how.resampling))
    return absent(panel.scale, found, scores=panel.judges[judge].is_score)


def judge_tasks(panel: RatingPanel, judge: str, how: Measurement, strata: Sequence[Flags] = ()) -> Iterator[Task]:
    """The evidence and metrics of one judge, stratified if ``strata`` are given."""
    whole = list(evidence_of(panel, panel.judges[judge], how))
    if not strata:
        yield from whole
        return
    parts = [panel.restricted(units) for units in strata]
    yield from stratified_tasks(whole, [list(evidence_of(part, part.judges[judge], how)) for part in parts])


def evidence_of(panel: RatingPanel, own: JudgeColumn, how: Measurement) -> Iterator[Task]:
    if panel.scale.has_tables and not own.is_score:
        yield from label_evidence(panel, own)
    if panel.scale.values is not None:
        yield from number_evidence(panel, own)
    yield from chance_evidence(panel, own, how)
    yield from alternative_annotator(own, panel.humans, panel.cluster, how.alternative)


def label_evidence(panel: RatingPanel, own: JudgeColumn) -> Iterator[Task]:
    humans, labels = panel.humans, panel.scale.size
    yield pair_table(panel.majority(), own.codes, panel.cluster, labels), judge_metrics(panel.scale)
    each = pair_table(humans.code, own.codes[humans.item], panel.cluster[humans.item], labels)
    alone = len(np.unique(humans.item)) == len(humans.item)
    yield each, pairwise_metrics(panel.scale, reference=alone)


def number_evidence(panel: RatingPanel, own: JudgeColumn) -> Iterator[Task]:
    item, mean = panel.humans.item, panel.mean()
    reference = (own.values, mean, panel.cluster)
    each = (own.values[item], panel.humans.values, panel.cluster[item])
    tabled = panel.scale.has_tables and not own.is_score
    metrics = [*MOMENT_METRICS, *PAIR_METRICS, *([] if tabled else [MOMENT_ALPHA])]
    yield moments(*reference), metrics
    yield moments(*each), pairwise(metrics)
    yield rank_evidence(*reference)
    evidence, ranks = rank_evidence(*each)
    yield evidence, pairwise(ranks)
    for name, correlate in ROW_CORRELATIONS.items():
        yield within_evidence(own.values, mean, panel.group, panel.cluster, correlate), [within_metric(name)]


def chance_evidence(panel: RatingPanel, own: JudgeColumn, how: Measurement) -> Iterator[Task]:
    positive = panel.scale.positive_code
    if positive is None or not np.isfinite(own.probabilities).any():
        return
    humans = panel.humans
    yield (
        probability_evidence(own.probabilities, outcome(panel.majority(), positive), panel.cluster, how.bins),
        PROBABILITY_METRICS,
    )
    yield discrimination_task(own.probabilities, outcome(panel.majority(), positive), panel.cluster)
    yield line_task(own.probabilities, outcome(panel.majority(), positive), panel.cluster)
    each = probability_evidence(
        own.probabilities[humans.item], outcome(humans.code, positive), panel.cluster[humans.item], how.bins
    )
    yield each, pairwise(PROBABILITY_METRICS)


def outcome(codes: Ints, positive: int) -> Floats:
    """1 for the positive label, 0 for another, nan for none."""
    return np.where(codes < 0, np.nan, codes == positive)


def judge_difference(
    panel: RatingPanel,
    first: str,
    second: str,
    measurement: Measurement | None = None,
    strata: Sequence[Flags] = (),
    names: Collection[str] = (),
) -> dict[str, Estimate]:
    """First less second judge against the reference, metric by metric, on the items that both judged; coefficients are
    averaged over ``strata``. ``names``: only these metrics."""
    how = measurement or Measurement()
    tasks = difference_tasks(panel, first, second)
    if strata:
        parts = [difference_tasks(panel.restricted(units), first, second) for units in strata]
        tasks = list(stratified_tasks(tasks, parts))
    if names:
        tasks = [(evidence, [metric for metric in metrics if metric.name in names]) for evidence, metrics in tasks]
    return estimate_all(tasks, how.resampling)


def difference_tasks(panel: RatingPanel, first: str, second: str) -> list[Task]:
    scale, one, other = panel.scale, panel.judges[first], panel.judges[second]
    tasks: list[Task] = []
    if scale.has_tables and not one.is_score and not other.is_score:
        shared = np.where((one.codes >= 0) & (other.codes >= 0), panel.majority(), -1)
        tables = [pair_table(shared, own.codes, panel.cluster, scale.size) for own in (one, other)]
        shape = (scale.size, scale.size)
        tasks.append((joined(*tables), [difference(metric, shape) for metric in judge_metrics(scale)]))
    if scale.values is not None:
        mean = np.where(np.isfinite(one.values) & np.isfinite(other.values), panel.mean(), np.nan)
        powers = [moments(own.values, mean, panel.cluster) for own in (one, other)]
        metrics = [difference(metric, powers[0].shape) for metric in (*MOMENT_METRICS, *PAIR_METRICS)]
        tasks.append((joined(*powers), metrics))
    return tasks


def difference(metric: Metric, shape: tuple[int, ...]) -> Metric:
    """The metric of the first half of joined statistics less that of the second."""

    def half(totals: Floats, place: int) -> Floats:
        return totals.reshape(len(totals), 2, *shape)[:, place]

    def value(totals: Floats) -> Floats:
        return metric.value(half(totals, 0)) - metric.value(half(totals, 1))

    parts = ((1.0, metric.over(partial(half, place=0))), (-1.0, metric.over(partial(half, place=1))))
    return Metric(metric.name, value, metric.undefined, parts=parts)
