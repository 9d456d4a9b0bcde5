"""From a label table to panels: a single criterion, or all criteria of one scale pooled, with indices back to names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.agreement.panel import RatingPanel, RatingRows, on_scale
from judge_server.agreement.scale import LabelScale, number
from judge_server.labels.label import CriterionScale, Kind
from judge_server.labels.label_set import LabelSet
from judge_server.labels.table import LabelTable

MOST_LEVELS = 101  # most distinct numbers; finer scores are grouped into this many equal steps


@dataclass(frozen=True, eq=False)
class View:
    """Criteria on one scale. ``item`` and ``criterion``, (units,), index the table's names: a unit is an item on a
    criterion. ``rows`` are the table's rows they came from, ``unit`` the unit of each of these rows.
    """

    criteria: tuple[str, ...]
    kind: Kind
    panel: RatingPanel
    table: LabelTable
    item: Ints
    criterion: Ints
    rows: Ints
    unit: Ints
    note: str | None = None

    @property
    def scale(self) -> LabelScale:
        return self.panel.scale

    @property
    def numbered(self) -> bool:
        """Whether labels can be rescaled to 0 to 1: they are ordered, or one of them is positive."""
        return self.scale.values is not None or self.scale.positive is not None

    @property
    def strata(self) -> tuple[Flags, ...]:
        """The units of each criterion; empty for a single criterion."""
        if len(self.criteria) < 2:
            return ()
        return tuple(self.criterion == place for place in np.unique(self.criterion))

    def fractions(self, values: Floats) -> Floats:
        """Numbers of this scale rescaled to 0 (worst) … 1 (best)."""
        low, high = float(self.scale.numbers.min()), float(self.scale.numbers.max())
        return (values - low) / (high - low) if high > low else values - low

    def judged(self, judge: str) -> Floats:
        """(units,): the judge's rating in [0, 1]; nan if missing."""
        own = self.panel.judges[judge]
        if self.scale.values is not None:
            return self.fractions(own.values)
        return np.where(own.codes < 0, np.nan, own.codes == self.scale.positive_code)

    def mean_human(self) -> Floats:
        """(units,): the humans' mean rating in [0, 1]; nan if there is none."""
        if self.scale.values is not None:
            return self.fractions(self.panel.mean())
        counts = self.panel.humans.counts()
        rated = counts.sum(axis=1)
        share = counts[:, self.scale.positive_code or 0] / np.maximum(rated, 1)
        return np.where(rated > 0, share, np.nan)


@dataclass(frozen=True)
class Scaled:
    """A criterion's scale and, for every label name of the table, its code on it (−1 off it)."""

    criterion: str
    kind: Kind
    scale: LabelScale
    codes: Ints
    note: str | None = None


def scaled(labels: LabelSet) -> list[Scaled]:
    """The scale of each criterion that has rows, in the table's order."""
    table = labels.table
    known = {scale.criterion: scale for scale in labels.scales}
    size = len(table.labels.names)
    human, counted = table.people, table.counted
    found = []
    for place in np.unique(table.criteria.codes):
        name = table.criteria.names[place]
        mine = (table.criteria.codes == place) & (table.labels.codes >= 0) & counted
        people = mine & human
        used = np.bincount(table.labels.codes[people], minlength=size) > 0
        judged = np.bincount(table.labels.codes[mine & ~people], minlength=size) > 0
        found.append(scale_of(name, known.get(name), table.labels.names, used, judged))
    return found


def scale_of(
    criterion: str, declared: CriterionScale | None, names: Sequence[str], human: Flags, judge: Flags
) -> Scaled:
    """``human`` and ``judge``: which of the label ``names`` each side used."""
    used = [names[place] for place in np.flatnonzero(human)]
    numbers = [number(name) for name in used]
    if declared is None or not declared.classes:
        if used and len(used) > MOST_LEVELS and all(value is not None for value in numbers):
            return grouped(criterion, names, human)
        scale = LabelScale.between(used, [names[place] for place in np.flatnonzero(judge)])
        kind = declared.kind if declared else kind_of(scale)
    else:
        scale, kind = declared_scale(declared), declared.kind
    return Scaled(criterion, kind, scale, on_scale(names, scale)[0])


def kind_of(scale: LabelScale) -> Kind:
    if scale.size == 2:
        return "binary"
    return "nominal" if scale.values is None else "ordinal"


def declared_scale(declared: CriterionScale) -> LabelScale:
    numbers = [number(name) for name in declared.classes]
    values = tuple(value for value in numbers if value is not None)
    if len(values) < len(numbers) or len(set(values)) < len(values) or list(values) != sorted(values):
        values = tuple(float(place) for place in range(len(numbers)))
    ordered = declared.kind != "nominal" or len(numbers) == 2
    positive = declared.positive
    if positive is None and len(numbers) == 2:
        positive = declared.classes[1] if declared.kind == "binary" else LabelScale.of(declared.classes).positive
    if len(numbers) == 2 and positive == declared.classes[0]:
        return LabelScale(labels=declared.classes[::-1], values=(0.0, 1.0), positive=positive)
    return LabelScale(labels=declared.classes, values=values if ordered else None, positive=positive)


def grouped(criterion: str, names: Sequence[str], human: Flags) -> Scaled:
    """Group fine scores into ``MOST_LEVELS`` equal steps; a judge's scores are unchanged."""
    values = np.array([np.nan if (value := number(name)) is None else value for name in names])
    low, high = float(values[human].min()), float(values[human].max())
    steps = np.linspace(low, high, MOST_LEVELS)
    nearest = np.rint((values - low) / (high - low) * (MOST_LEVELS - 1))
    codes = np.where(human & np.isfinite(nearest), nearest, -1).astype(np.int64)
    scale = LabelScale(labels=tuple(f"{step:.6g}" for step in steps), values=tuple(float(step) for step in steps))
    return Scaled(
        criterion, "continuous", scale, codes, f"{int(human.sum())} distinct scores, read in {MOST_LEVELS} steps"
    )


def groups(scales: Sequence[Scaled]) -> list[list[Scaled]]:
    """Criteria with compatible scales, grouped: one scale, or steps of the longest of them."""
    found: list[list[Scaled]] = []
    for own in sorted(scales, key=lambda each: -each.scale.size):
        home = next((group for group in found if comparable(own, group[0])), None)
        if home is None:
            found.append([own])
        else:
            home.append(own)
    return found


def comparable(own: Scaled, other: Scaled) -> bool:
    if own.kind != other.kind:
        return False
    if own.kind == "ordinal" and own.scale.values and other.scale.values:
        steps = dict(zip(other.scale.labels, other.scale.values, strict=True))
        return all(steps.get(label) == value for label, value in zip(own.scale.labels, own.scale.values, strict=True))
    return own.scale == other.scale or (own.kind == "nominal" and set(own.scale.labels) <= set(other.scale.labels))


def view(labels: LabelSet, scales: Sequence[Scaled]) -> View:
    """These criteria, pooled on the first one's scale, without the labels of people who had seen what a judge said.
    Raises ``BadInput`` if an annotator rated an item twice."""
    table, scale = labels.table, scales[0].scale
    items, size, names = len(table.items.names), scale.size, table.labels.names
    wanted = np.zeros(len(table.criteria.names), dtype=np.bool_)
    chart = np.full((len(table.criteria.names), len(names)), -1, dtype=np.int64)
    for own in scales:
        place = table.criteria.index(own.criterion)
        onto = np.array([scale.labels.index(label) for label in own.scale.labels], dtype=np.int64)
        wanted[place] = True
        chart[place] = np.where(own.codes >= 0, onto[own.codes], size + np.arange(len(names)))
    rows = np.flatnonzero(wanted[table.criteria.codes] & table.counted)
    criterion = table.criteria.codes[rows].astype(np.int64)
    cluster = table.clusters.codes[rows].astype(np.int64)
    code = table.labels.codes[rows].astype(np.int64)
    unit = criterion * items + table.items.codes[rows]
    ratings = RatingRows(
        unit,
        table.annotators.codes[rows].astype(np.int64),
        np.where(code >= 0, chart[criterion, code], code),
        annotators=table.annotators.names,
        roles=table.roles,
        labels=[*scale.labels, *names],
        cluster=cluster,
        probability=table.probabilities[rows],
        group=criterion * len(table.clusters.names) + cluster,
    )
    panel = RatingPanel.of(ratings, scale)
    seen, place_of = np.unique(unit, return_inverse=True)
    if table.distributions:
        panel = expected(panel, table, rows, place_of.astype(np.int64))
    return View(
        criteria=tuple(own.criterion for own in scales),
        kind=scales[0].kind,
        panel=panel,
        table=table,
        item=seen % items,
        criterion=seen // items,
        rows=rows,
        unit=place_of.astype(np.int64),
        note=next((own.note for own in scales if own.note), None),
    )


def expected(panel: RatingPanel, table: LabelTable, rows: Ints, unit: Ints) -> RatingPanel:
    """The panel with a judge's expected score under its class probabilities, if it gave them."""
    given = np.zeros(len(table), dtype=np.bool_)
    given[list(table.distributions)] = True
    if panel.scale.values is None or not (spread := given[rows]).any():
        return panel
    scores = table.expected_scores(panel.scale.labels)[rows[spread]]
    annotator, place = table.annotators.codes[rows[spread]], unit[spread]
    judges = {}
    for name, own in panel.judges.items():
        values = own.values.copy()
        mine = annotator == table.annotators.index(name)
        values[place[mine]] = scores[mine]
        judges[name] = replace(own, values=values)
    return replace(panel, judges=judges)


def views(labels: LabelSet) -> Iterator[View]:
    """One view for each criterion."""
    for own in scaled(labels):
        yield view(labels, [own])


def pooled(labels: LabelSet) -> list[View]:
    """One view for each scale, the one with most criteria first."""
    return [view(labels, group) for group in sorted(groups(scaled(labels)), key=len, reverse=True)]
