"""The figures of a part of the labels, such as one person's or one kind of items, without what takes long."""

from functools import partial

import numpy as np

from judge_server.agreement.judge import Measurement
from judge_server.agreement.metric import Estimate
from judge_server.calibration.bias import BiasPanel, bias_panel
from judge_server.calibration.headline import ALONE, ceiling, estimates, headline_metric
from judge_server.calibration.label_part import LabelPart, selected
from judge_server.calibration.panels import View, pooled, views
from judge_server.calibration.readings import readings
from judge_server.core.model import Frozen
from judge_server.labels.label_set import LabelSet
from judge_server.report.detail import judge_detail
from judge_server.report.model import Detail
from judge_server.report.tables import pairwise_name


class ExcerptRow(Frozen):
    """The judge against each person on one criterion, and people against each other on the items that two of them and
    the judge rated. ``gap``: the judge less people, there."""

    metric: str
    judge: Estimate
    people: Estimate
    gap: Estimate


class Excerpt(Frozen):
    """``criteria`` and ``details`` by criterion; ``whole``: all of them together, None if they have several scales or
    there is one. ``items`` and ``clusters``: those that people labelled here."""

    items: int
    clusters: int
    criteria: dict[str, ExcerptRow]
    details: dict[str, Detail]
    whole: Detail | None
    bias: BiasPanel


def excerpt(labels: LabelSet, judge: str, selection: LabelPart, how: Measurement | None = None) -> Excerpt:
    """Raises BadInput for a criterion, person or kind that the labels do not have."""
    how = how or Measurement()
    part = selected(readings(labels).judged, selection)
    single = [view for view in views(part) if judge in view.panel.judges]
    together = [view for view in pooled(part) if judge in view.panel.judges]
    table = part.table
    human = table.people
    one = len(together) == 1 and len(single) > 1
    return Excerpt(
        items=len(np.unique(table.items.codes[human])),
        clusters=len(np.unique(table.clusters.codes[human])),
        criteria={view.criteria[0]: row_of(view, judge, how) for view in single},
        details={view.criteria[0]: judge_detail(view, judge, how.bins) for view in single},
        whole=judge_detail(together[0], judge, how.bins) if one else None,
        bias=bias_panel(part, together, judge, {}, how.resampling),
    )


def row_of(view: View, judge: str, how: Measurement) -> ExcerptRow:
    metric = headline_metric(view)
    name = pairwise_name(metric)
    own = partial(estimates, view, judge, {name}, how.resampling)
    found = None if metric == "pearson" else ceiling(view, judge, metric, how.resampling)
    nothing = Estimate(note=ALONE)
    return ExcerptRow(
        metric=metric,
        judge=own().get(name, Estimate(note="there is no figure")),
        people=nothing if found is None else found.humans,
        gap=nothing if found is None else found.gap,
    )
