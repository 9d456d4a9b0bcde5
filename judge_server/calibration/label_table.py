"""Labels by column: millions of them fit in memory, and statistics read them as arrays."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from judge_server.calibration.label import Label, Role

ABSTAINED = -1
INVALID = -2

Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Column:
    """Names and, for every row, the index of its name."""

    names: tuple[str, ...]
    codes: Codes

    def index(self, name: str) -> int:
        """Raises ValueError for an unknown name."""
        return self.names.index(name)


@dataclass(frozen=True)
class LabelTable:
    """One row a label. ``labels.codes`` are ABSTAINED or INVALID where there is no label; ``probabilities`` are nan where
    none was given; ``roles`` stand in the order of ``annotators.names``; ``rationales`` and ``invalid`` (what was written
    instead of a label) by row index; ``rows``: row numbers in the file, from 1."""

    items: Column
    criteria: Column
    annotators: Column
    clusters: Column
    labels: Column
    roles: tuple[Role, ...]
    probabilities: NDArray[np.float64]
    rows: Codes
    rationales: Mapping[int, str] = field(default_factory=dict)
    invalid: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, rows: NDArray[np.bool_]) -> "LabelTable":
        """The rows where the mask is true; names stay as they are."""
        places = np.flatnonzero(rows)
        moved = {int(old): new for new, old in enumerate(places)}

        def cut(column: Column) -> Column:
            return Column(column.names, column.codes[places])

        return LabelTable(
            items=cut(self.items),
            criteria=cut(self.criteria),
            annotators=cut(self.annotators),
            clusters=cut(self.clusters),
            labels=cut(self.labels),
            roles=self.roles,
            probabilities=self.probabilities[places],
            rows=self.rows[places],
            rationales={moved[row]: text for row, text in self.rationales.items() if row in moved},
            invalid={moved[row]: text for row, text in self.invalid.items() if row in moved},
        )

    def of_criterion(self, criterion: str) -> "LabelTable":
        return self.select(self.criteria.codes == self.criteria.index(criterion))

    def annotators_of(self, role: Role) -> tuple[str, ...]:
        return tuple(name for name, own in zip(self.annotators.names, self.roles, strict=True) if own == role)

    def __iter__(self) -> Iterator[Label]:
        """Row by row, for reports and files; statistics read the columns."""
        for place in range(len(self)):
            yield self.row(place)

    def row(self, place: int) -> Label:
        code = int(self.labels.codes[place])
        probability = float(self.probabilities[place])
        annotator = int(self.annotators.codes[place])
        return Label(
            item=self.items.names[self.items.codes[place]],
            criterion=self.criteria.names[self.criteria.codes[place]],
            annotator=self.annotators.names[annotator],
            role=self.roles[annotator],
            label=self.labels.names[code] if code >= 0 else None,
            status="ok" if code >= 0 else "abstained" if code == ABSTAINED else "invalid",
            probability=None if np.isnan(probability) else probability,
            cluster=self.clusters.names[self.clusters.codes[place]],
            rationale=self.rationales.get(place),
            row=int(self.rows[place]),
        )


class _Coder:
    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.codes: list[int] = []

    def add(self, name: str) -> int:
        code = self.known.setdefault(name, len(self.known))
        self.codes.append(code)
        return code

    def column(self) -> Column:
        return Column(tuple(self.known), np.asarray(self.codes, dtype=np.int32))


class TableBuilder:
    """Gathers labels row by row into columns."""

    def __init__(self) -> None:
        self._items, self._criteria, self._annotators, self._clusters = _Coder(), _Coder(), _Coder(), _Coder()
        self._labels: dict[str, int] = {}
        self._label_codes: list[int] = []
        self._roles: dict[str, Role] = {}
        self._probabilities: list[float] = []
        self._rows: list[int] = []
        self._rationales: dict[int, str] = {}
        self._invalid: dict[int, str] = {}

    def add(
        self,
        item: str,
        criterion: str,
        annotator: str,
        role: Role,
        label: str | None,
        *,
        cluster: str | None = None,
        probability: float | None = None,
        rationale: str | None = None,
        invalid: str | None = None,
        row: int = 0,
    ) -> None:
        """One label. ``invalid``: what was written where no class was recognised. Raises ValueError for an annotator who
        is a human in one row and a judge in another."""
        if self._roles.setdefault(annotator, role) != role:
            raise ValueError(f"annotator {annotator!r} is {self._roles[annotator]} in one row and {role} in another")
        place = len(self._rows)
        self._items.add(item)
        self._criteria.add(criterion)
        self._annotators.add(annotator)
        self._clusters.add(cluster or item)
        if invalid is not None:
            self._invalid[place] = invalid
            self._label_codes.append(INVALID)
        elif label is None:
            self._label_codes.append(ABSTAINED)
        else:
            self._label_codes.append(self._labels.setdefault(label, len(self._labels)))
        self._probabilities.append(float("nan") if probability is None else probability)
        self._rows.append(row)
        if rationale:
            self._rationales[place] = rationale

    def build(self) -> LabelTable:
        annotators = self._annotators.column()
        return LabelTable(
            items=self._items.column(),
            criteria=self._criteria.column(),
            annotators=annotators,
            clusters=self._clusters.column(),
            labels=Column(tuple(self._labels), np.asarray(self._label_codes, dtype=np.int32)),
            roles=tuple(self._roles[name] for name in annotators.names),
            probabilities=np.asarray(self._probabilities, dtype=np.float64),
            rows=np.asarray(self._rows, dtype=np.int32),
            rationales=self._rationales,
            invalid=self._invalid,
        )


def table_of(labels: Iterable[Label]) -> LabelTable:
    """Columns of labels that already are objects."""
    builder = TableBuilder()
    for label in labels:
        builder.add(
            label.item,
            label.criterion,
            label.annotator,
            label.role,
            label.label,
            cluster=label.cluster,
            probability=label.probability,
            rationale=label.rationale,
            invalid="" if label.status == "invalid" else None,
            row=label.row,
        )
    return builder.build()
