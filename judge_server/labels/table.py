"""Labels as arrays by column, for statistics on millions of rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from judge_server.labels.label import Label, Role

ABSTAINED = -1
INVALID = -2

Codes = NDArray[np.int32]
Value = TypeVar("Value")


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
    """One row a label. ``labels.codes`` are ABSTAINED or INVALID if there is no label; ``probabilities`` are nan if
    none was given; ``roles`` are in the order of ``annotators.names``; ``rows``: row numbers in the file. By row index:
    ``rationales``, ``invalid`` (the text written instead of a label) and ``distributions`` (a probability for each
    class). ``saw_judge``: the rows whose annotator had seen what a judge said."""

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
    distributions: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    saw_judge: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.rows)

    def select(self, rows: NDArray[np.bool_]) -> "LabelTable":
        """The rows where the mask is true; the names are unchanged."""
        places = np.flatnonzero(rows)
        moved = np.full(len(self), -1, dtype=np.int64)
        moved[places] = np.arange(len(places))

        def cut(column: Column) -> Column:
            return Column(column.names, column.codes[places])

        def move(by_row: Mapping[int, Value]) -> dict[int, Value]:
            return {int(moved[row]): value for row, value in by_row.items() if moved[row] >= 0}

        return LabelTable(
            items=cut(self.items),
            criteria=cut(self.criteria),
            annotators=cut(self.annotators),
            clusters=cut(self.clusters),
            labels=cut(self.labels),
            roles=self.roles,
            probabilities=self.probabilities[places],
            rows=self.rows[places],
            rationales=move(self.rationales),
            invalid=move(self.invalid),
            distributions=move(self.distributions),
            saw_judge=frozenset(int(moved[row]) for row in self.saw_judge if moved[row] >= 0),
        )

    @property
    def counted(self) -> NDArray[np.bool_]:
        """(rows,): what measures count: all but labels of people who had seen what a judge said."""
        found = np.ones(len(self), dtype=np.bool_)
        found[list(self.saw_judge)] = False
        return found

    @property
    def people(self) -> NDArray[np.bool_]:
        """(rows,): labels of people that measures count."""
        human = np.asarray([role == "human" for role in self.roles], dtype=np.bool_)
        found: NDArray[np.bool_] = human[self.annotators.codes] & self.counted
        return found

    def annotators_of(self, role: Role) -> tuple[str, ...]:
        return tuple(name for name, own in zip(self.annotators.names, self.roles, strict=True) if own == role)

    def expected_scores(self, classes: Sequence[str] | None = None) -> NDArray[np.float64]:
        """(rows,): the label as a number, or its expectation if a row has a probability for each class; nan if it has
        neither. A class counts as its number if it is numeric, else as its index in ``classes``."""
        places = {name: float(place) for place, name in enumerate(classes or ())}
        values = np.array([_number(name, places) for name in self.labels.names] + [np.nan, np.nan])
        scores: NDArray[np.float64] = values[
            self.labels.codes
        ]  # ABSTAINED and INVALID are the indices of the two nans at the end
        for row, shares in self.distributions.items():
            total = sum(shares.values())
            if total > 0:
                scores[row] = sum(share * _number(name, places) for name, share in shares.items()) / total
        return scores

    def __iter__(self) -> Iterator[Label]:
        """Row by row, for reports and files; statistics read the columns."""
        for place in range(len(self)):
            yield self.row(place)

    def row(self, place: int) -> Label:
        code = int(self.labels.codes[place])
        probability = float(self.probabilities[place])
        annotator = int(self.annotators.codes[place])
        shares = self.distributions.get(place)
        return Label(
            item=self.items.names[self.items.codes[place]],
            criterion=self.criteria.names[self.criteria.codes[place]],
            annotator=self.annotators.names[annotator],
            role=self.roles[annotator],
            label=self.labels.names[code] if code >= 0 else None,
            status="ok" if code >= 0 else "abstained" if code == ABSTAINED else "invalid",
            written=self.invalid.get(place),
            probability=None if np.isnan(probability) else probability,
            probabilities=None if shares is None else dict(shares),
            cluster=self.clusters.names[self.clusters.codes[place]],
            rationale=self.rationales.get(place),
            saw_judge=place in self.saw_judge,
            row=int(self.rows[place]),
        )


def _number(name: str, places: Mapping[str, float]) -> float:
    try:
        return float(name)
    except ValueError:
        return places.get(name, float("nan"))
