"""Builds a label table row by row."""

from collections.abc import Iterable

import numpy as np

from judge_server.labels.label import Label, Role
from judge_server.labels.table import ABSTAINED, INVALID, Column, LabelTable


class _Coder:
    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.codes: list[int] = []

    def add(self, name: str) -> None:
        self.codes.append(self.known.setdefault(name, len(self.known)))

    def column(self) -> Column:
        return Column(tuple(self.known), np.asarray(self.codes, dtype=np.int32))


class TableBuilder:
    """Collects labels row by row into columns."""

    def __init__(self) -> None:
        self._items, self._criteria, self._annotators, self._clusters = _Coder(), _Coder(), _Coder(), _Coder()
        self._labels = _Coder()
        self._roles: dict[str, Role] = {}
        self._probabilities: list[float] = []
        self._rows: list[int] = []
        self._rationales: dict[int, str] = {}
        self._invalid: dict[int, str] = {}
        self._distributions: dict[int, dict[str, float]] = {}
        self._saw_judge: set[int] = set()

    def add(self, label: Label) -> None:
        """Raises ValueError for an annotator who is a human in one row and a judge in another."""
        known = self._roles.setdefault(label.annotator, label.role)
        if known != label.role:
            raise ValueError(f"annotator {label.annotator!r} is {known} in one row and {label.role} in another")
        place = len(self._rows)
        self._items.add(label.item)
        self._criteria.add(label.criterion)
        self._annotators.add(label.annotator)
        self._clusters.add(label.cluster)
        self._add_label(label, place)
        self._probabilities.append(float("nan") if label.probability is None else label.probability)
        self._rows.append(label.row)
        if label.rationale:
            self._rationales[place] = label.rationale
        if label.saw_judge:
            self._saw_judge.add(place)
        if label.probabilities is not None:
            self._distributions[place] = label.probabilities

    def _add_label(self, label: Label, place: int) -> None:
        if label.status == "invalid":
            self._invalid[place] = label.written or ""
            self._labels.codes.append(INVALID)
        elif label.label is None:
            self._labels.codes.append(ABSTAINED)
        else:
            self._labels.add(label.label)

    def build(self) -> LabelTable:
        annotators = self._annotators.column()
        return LabelTable(
            items=self._items.column(),
            criteria=self._criteria.column(),
            annotators=annotators,
            clusters=self._clusters.column(),
            labels=self._labels.column(),
            roles=tuple(self._roles[name] for name in annotators.names),
            probabilities=np.asarray(self._probabilities, dtype=np.float64),
            rows=np.asarray(self._rows, dtype=np.int32),
            rationales=self._rationales,
            invalid=self._invalid,
            distributions=self._distributions,
            saw_judge=frozenset(self._saw_judge),
        )


def table_of(labels: Iterable[Label]) -> LabelTable:
    """A table from label objects."""
    builder = TableBuilder()
    for label in labels:
        builder.add(label)
    return builder.build()
