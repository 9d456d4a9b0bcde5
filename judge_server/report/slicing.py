"""The headline metrics by tag, by band of the judge's rating, and by person."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.agreement.catalogue import judge_metrics
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.interval import estimate_all
from judge_server.agreement.judge import Measurement
from judge_server.agreement.panel import RatingPanel
from judge_server.agreement.resampling import Task
from judge_server.agreement.stratified import stratified_tasks
from judge_server.calibration.headline import headline_metric
from judge_server.calibration.panels import View
from judge_server.labels.label_set import LabelSet
from judge_server.report.model import Metrics

MOST_TAGS = 40
MOST_PEOPLE = 12
SHOWN = ("accuracy", "balanced_accuracy", "f1_macro", "false_positive_rate")


def by_tag(labels: LabelSet, pooled: Sequence[View], judge: str, how: Measurement) -> dict[str, Metrics]:
    """Against the majority, on the items of each tag, for the most frequent tags. Empty if the criteria have several
    scales.
    """
    if len(pooled) != 1 or judge not in pooled[0].panel.judges or not pooled[0].scale.has_tables:
        return {}
    view = pooled[0]
    return {tag: shown(view.panel.restricted(units), judge, view, how) for tag, units in tagged(labels, view)}


def tagged(labels: LabelSet, view: View) -> Iterator[tuple[str, Flags]]:
    homes: dict[str, list[int]] = {}
    for place, name in enumerate(labels.table.items.names):
        for tag in labels.items[name].tags if name in labels.items else ():
            homes.setdefault(tag, []).append(place)
    for tag in sorted(homes, key=lambda each: (-len(homes[each]), each))[:MOST_TAGS]:
        yield tag, np.isin(view.item, homes[tag])


BANDS = (0.0, 0.25, 0.5, 0.75, 1.0)  # a policy in training moves to what the judge rates highly


def by_band(pooled: Sequence[View], judge: str, how: Measurement) -> dict[str, Metrics]:
    """Against the majority, on items within a band of the judge's own mean rating over the criteria, rescaled to 0
    (worst) … 1 (best). Empty if the criteria have several scales, or labels without an order.
    """
    if len(pooled) != 1 or judge not in pooled[0].panel.judges or not pooled[0].scale.has_tables:
        return {}
    view = pooled[0]
    if not view.numbered:
        return {}
    rating = view.judged(judge)
    given = np.isfinite(rating)
    size = int(view.item.max(initial=-1)) + 1
    count = np.bincount(view.item[given], minlength=size)
    mean = np.bincount(view.item[given], weights=rating[given], minlength=size) / np.maximum(count, 1)
    place = np.clip(np.searchsorted(BANDS, mean[view.item], side="right") - 1, 0, len(BANDS) - 2)
    found: dict[str, Metrics] = {}
    for band, (low, high) in enumerate(pairwise(BANDS)):
        units = given & (place == band)
        if units.any():
            found[f"{low:g} to {high:g}"] = shown(view.panel.restricted(units), judge, view, how)
    return found


def by_annotator(pooled: Sequence[View], judge: str | None, how: Measurement) -> dict[str, Metrics]:
    """Each human against the majority of the others, or (with a ``judge``) the judge against each human, on the scale
    with most criteria and for the humans with most labels.
    """
    view = pooled[0]
    if not view.scale.has_tables or (judge is not None and judge not in view.panel.judges):
        return {}
    humans = view.panel.humans
    ratings = np.bincount(humans.rater, minlength=len(humans.raters))
    busiest = sorted(range(len(humans.raters)), key=lambda place: (-ratings[place], humans.raters[place]))[:MOST_PEOPLE]
    found = {}
    for place in sorted(busiest):
        person = humans.raters[place]
        if judge is None:
            if len(humans.raters) > 1:
                found[person] = shown(view.panel.promoted(person), person, view, how)
        else:
            found[person] = against(view, person, judge, how)
    return found


def against(view: View, person: str, judge: str, how: Measurement) -> Metrics:
    mine = view.panel.humans.rater == view.panel.humans.raters.index(person)
    return shown(replace(view.panel, humans=view.panel.humans.only(mine)), judge, view, how)


def shown(panel: RatingPanel, judge: str, view: View, how: Measurement) -> Metrics:
    """The headline metrics against the majority, averaged over criteria."""
    wanted = (headline_metric(view), *SHOWN)
    metrics = [metric for metric in judge_metrics(view.scale) if metric.name in wanted]

    def task(part: RatingPanel) -> Task:
        return pair_table(part.majority(), part.judges[judge].codes, part.cluster, view.scale.size), metrics

    tasks: list[Task] = [task(panel)]
    if view.strata:
        tasks = list(stratified_tasks(tasks, [[task(panel.restricted(units))] for units in view.strata]))
    return estimate_all(tasks, how.resampling)
