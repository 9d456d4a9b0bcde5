"""A part of measured labels: one criterion, one person or one kind of items; and the items behind one number."""

from dataclasses import replace

import numpy as np

from judge_server.agreement.array import Flags
from judge_server.calibration.disagreement import Disagreement, contrasts, told
from judge_server.calibration.panels import View, pooled
from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.labels.label import Item
from judge_server.labels.label_set import LabelSet

KINDS = ("tag", "language", "writer")


class LabelPart(Frozen):
    """An empty field takes all. ``annotator``: one person, against whom the judge then stands alone. ``kind``: items of
    one kind, such as ``tag: dosing`` or ``language: de``."""

    criterion: str = ""
    annotator: str = ""
    kind: str = ""

    @property
    def whole(self) -> bool:
        return not (self.criterion or self.annotator or self.kind)


class Cell(Frozen):
    """What one number of a figure counts. ``people`` and ``judge``: a cell of the confusion table, by people's majority
    and the judge's label. ``bin``: a bin of the reliability diagram, from 0, of ``bins``. Empty: all labelled items."""

    people: str = ""
    judge: str = ""
    bin: int | None = None
    bins: int = 10


def selected(labels: LabelSet, selection: LabelPart) -> LabelSet:
    """The labels of a part. Raises BadInput for a criterion, person or kind that the labels do not have."""
    table = labels.table
    keep = np.ones(len(table), dtype=np.bool_)
    if selection.criterion:
        _known("criterion", selection.criterion, table.criteria.names)
        keep &= table.criteria.codes == table.criteria.index(selection.criterion)
    if selection.annotator:
        people = table.annotators_of("human")
        _known("person", selection.annotator, people)
        others = [table.annotators.index(name) for name in people if name != selection.annotator]
        keep &= ~np.isin(table.annotators.codes, others)
    if selection.kind:
        found = kinds_of(labels)
        _known("kind of items", selection.kind, tuple(found))
        keep &= np.isin(table.items.codes, found[selection.kind])
    return labels if keep.all() else replace(labels, table=table.select(keep))


def kinds_of(labels: LabelSet) -> dict[str, list[int]]:
    """The indices of the items of each kind, by its name; the largest first."""
    homes: dict[str, list[int]] = {}
    for place, name in enumerate(labels.table.items.names):
        for kind in _kinds(labels.items.get(name)):
            homes.setdefault(kind, []).append(place)
    return dict(sorted(homes.items(), key=lambda each: (-len(each[1]), each[0])))


def _kinds(item: Item | None) -> list[str]:
    if item is None:
        return []
    own = {"tag": item.tags, "language": (item.language,), "writer": (item.writer,)}
    return [f"{trait}: {name}" for trait in KINDS for name in own[trait] if name]


def _known(what: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise BadInput(
            f"There is no {what} {name[:60]!r} in these labels.", remedy=f"There is {', '.join(names[:20]) or 'none'}."
        )


def listed(labels: LabelSet, judge: str, cell: Cell, limit: int) -> tuple[int, tuple[Disagreement, ...]]:
    """How many items the cell counts, once for each criterion, and the first ``limit`` of them: those on which judge
    and people are furthest apart. Raises BadInput for a label that no scale has."""
    if cell.bin is not None and not 0 <= cell.bin < cell.bins:
        raise BadInput(f"The diagram has bins 0 to {cell.bins - 1}, and not {cell.bin}.")
    ranked: list[tuple[tuple[float, ...], int, View]] = []
    views = [view for view in pooled(labels) if judge in view.panel.judges]
    for name in filter(None, (cell.people, cell.judge)):
        every = tuple(dict.fromkeys(label for view in views for label in view.scale.labels))
        _known("label", name, every)
    for view in views:
        severity, unanimity, raters = contrasts(view, judge)
        for unit in np.flatnonzero(_counted(view, judge, cell)):
            order = (-severity[unit], -unanimity[unit], -raters[unit])
            ranked.append((tuple(float(part) for part in order), int(unit), view))
    ranked.sort(key=lambda each: (each[0], each[2].criteria, each[1]))
    return len(ranked), tuple(told(labels, view, unit, judge, order) for order, unit, view in ranked[:limit])


def _counted(view: View, judge: str, cell: Cell) -> Flags:
    """(units,): what the figures of the report count."""
    own, people = view.panel.judges[judge], view.panel.majority()
    counted: Flags = people >= 0
    if cell.people or cell.judge:
        counted &= own.codes >= 0
        for name, codes in ((cell.people, people), (cell.judge, own.codes)):
            if name:
                labels = view.scale.labels
                counted &= codes == (labels.index(name) if name in labels else len(labels))
    if cell.bin is not None:
        given = np.isfinite(own.probabilities)
        place = np.minimum((np.where(given, own.probabilities, 0) * cell.bins).astype(np.int64), cell.bins - 1)
        counted &= given & (place == cell.bin)
    return counted
