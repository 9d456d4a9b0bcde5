"""Disagreements of judge and humans, clearest first, for improving the rubric."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from judge_server.agreement.array import Floats, floats
from judge_server.calibration.panels import View
from judge_server.core.model import Frozen
from judge_server.labels.label import Item
from judge_server.labels.label_set import LabelSet


class AnnotatorLabel(Frozen):
    """One annotator's label with the reason given for it."""

    annotator: str
    label: str | None
    rationale: str | None = None


class Disagreement(Frozen):
    """An item on which the judge differs from the humans. ``severity``: the mean distance to a human's label, as a
    share of the
    scale (1: from one end to the other; for names without an order, the share of humans who chose another).
    ``unanimity``: the share of the humans on their most frequent label.
    """

    item: str
    criterion: str
    cluster: str
    severity: float
    unanimity: float
    judge: AnnotatorLabel
    probability: float | None = None
    humans: tuple[AnnotatorLabel, ...]
    prompt: str | None = None
    response: str | None = None
    reference: str | None = None


def disagreements(labels: LabelSet, views: Sequence[View], judge: str, limit: int) -> tuple[Disagreement, ...]:
    """At most ``limit``, ranked by severity, then by agreement among the humans, their number, and the judge's
    certainty. ``views``: criteria pooled by scale, or single ones.
    """
    ranked: list[tuple[tuple[float, ...], int, View]] = []
    for view in views:
        if judge not in view.panel.judges:
            continue
        severity, unanimity, raters = contrasts(view, judge)
        sure = confidence(view, judge)
        for unit in candidates(severity, unanimity, raters, limit):
            order = (-severity[unit], -unanimity[unit], -raters[unit], -sure[unit])
            ranked.append((tuple(float(part) for part in order), int(unit), view))
    ranked.sort(key=lambda each: (each[0], each[2].criteria, each[1]))
    return tuple(told(labels, view, unit, judge, order) for order, unit, view in ranked[:limit])


def candidates(severity: Floats, unanimity: Floats, raters: Floats, limit: int) -> Sequence[int]:
    """The units that can rank among the first, without a full sort."""
    parted = np.flatnonzero(severity > 0)
    order = np.lexsort((-raters[parted], -unanimity[parted], -severity[parted]))
    return [int(unit) for unit in parted[order][: 4 * limit]]


def contrasts(view: View, judge: str) -> tuple[Floats, Floats, Floats]:
    """(units,): severity, unanimity of the humans, and their number; severity 0 if a side is missing."""
    counts, own = view.panel.humans.counts(), view.panel.judges[judge]
    raters = counts.sum(axis=1)
    several = np.maximum(raters, 1)
    unanimity = counts.max(axis=1, initial=0) / several
    if view.scale.values is not None:
        scale, mine = view.fractions(view.scale.numbers), view.judged(judge)
        distance = np.abs(scale[np.newaxis, :] - mine[:, np.newaxis])
        severity = (counts * np.nan_to_num(distance)).sum(axis=1) / several
    else:
        same = counts[np.arange(len(counts)), np.maximum(own.codes, 0)]
        severity = np.where(own.codes >= 0, (raters - same) / several, 0)
    return np.where(raters > 0, severity, 0), unanimity, raters


def confidence(view: View, judge: str) -> Floats:
    """(units,): the distance of the judge's probability from one half; 0 if it gave none."""
    return floats(np.nan_to_num(np.abs(view.panel.judges[judge].probabilities - 0.5)))


def told(labels: LabelSet, view: View, unit: int, judge: str, order: tuple[float, ...]) -> Disagreement:
    """One unit with all labels and reasons."""
    table = labels.table
    opinions: dict[str, list[AnnotatorLabel]] = defaultdict(list)
    probability = None
    cluster = ""
    for place in view.rows[view.unit == unit]:
        label = table.row(int(place))
        cluster = label.cluster
        if label.role == "judge" and label.annotator != judge:
            continue
        opinions[label.role].append(
            AnnotatorLabel(annotator=label.annotator, label=label.label, rationale=label.rationale)
        )
        if label.role == "judge":
            probability = label.probability
    name = table.items.names[int(view.item[unit])]
    text = labels.items.get(name) or Item(id=name)
    return Disagreement(
        item=name,
        criterion=table.criteria.names[int(view.criterion[unit])],
        cluster=cluster,
        severity=round(-order[0], 6),
        unanimity=round(-order[1], 6),
        judge=opinions["judge"][0],
        probability=probability,
        humans=tuple(opinions["human"]),
        prompt=text.prompt,
        response=text.response,
        reference=text.reference,
    )
