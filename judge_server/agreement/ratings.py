"""Single ratings (item, rater, label), not aggregated."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints, floats, numbered
from judge_server.agreement.scale import LabelScale, written
from judge_server.core.errors import BadInput


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings in long form: ``item``, ``rater`` and ``code`` have shape (ratings,) and index ``items``, ``raters``
    and the scale's labels.
    """

    item: Ints
    rater: Ints
    code: Ints
    raters: tuple[str, ...]
    items: int
    scale: LabelScale

    @classmethod
    def of(
        cls,
        items: Iterable[Hashable],
        raters: Iterable[Hashable],
        labels: Sequence[object],
        scale: LabelScale | None = None,
    ) -> Self:
        """From three parallel columns; items are numbered in order of first appearance.

        Raises ``BadInput`` for a label that is not on the scale and for a rater who rated an item twice.
        """
        item, known = numbered(items)
        rater, names = numbered(raters)
        texts = [written(label) for label in labels]
        scale = scale or LabelScale.of(texts)
        return cls(item, rater, coded(texts, scale), tuple(str(name) for name in names), len(known), scale).checked()

    def checked(self) -> Self:
        place = self.item * max(1, len(self.raters)) + self.rater
        order = np.sort(place)
        twice = order[1:][np.diff(order) == 0]
        if len(twice):
            row = int(np.flatnonzero(place == twice[0])[1])
            who = self.raters[int(self.rater[row])]
            raise BadInput(
                f"rating {row}: {who!r} rated this item before.",
                remedy="Keep one rating for each rater, item and criterion.",
            )
        return self

    @property
    def values(self) -> Floats:
        """The numeric value of each rating's label: (ratings,)."""
        return self.scale.numbers[self.code]

    def counts(self) -> Floats:
        """(items, labels): the number of raters for each label."""
        flat = np.bincount(self.item * self.scale.size + self.code, minlength=self.items * self.scale.size)
        return flat.reshape(self.items, self.scale.size).astype(np.float64)

    def totals(self) -> tuple[Floats, Floats]:
        """(items,) each: the number of an item's ratings, and the sum of their values."""
        number = np.bincount(self.item, minlength=self.items)
        return floats(number), floats(np.bincount(self.item, weights=self.values, minlength=self.items))

    def only(self, keep: Flags) -> Self:
        """The ratings where ``keep`` is true; items and raters keep their numbers."""
        return type(self)(self.item[keep], self.rater[keep], self.code[keep], self.raters, self.items, self.scale)

    def without(self, rater: str) -> Self:
        return self.only(self.rater != self.raters.index(rater))

    def codes(self, rater: str) -> Ints:
        """(items,): one rater's labels, −1 if there is none."""
        mine = self.rater == self.raters.index(rater)
        column = np.full(self.items, -1, dtype=np.int64)
        column[self.item[mine]] = self.code[mine]
        return column

    def matrix(self) -> Floats:
        """(items, raters) values, nan if missing; for a panel of few raters."""
        table = np.full((self.items, len(self.raters)), np.nan)
        table[self.item, self.rater] = self.values
        return table


def coded(labels: Sequence[str], scale: LabelScale) -> Ints:
    codes = {label: code for code, label in enumerate(scale.labels)}
    for row, label in enumerate(labels):
        if label not in codes:
            raise BadInput(
                f"rating {row}: {label!r} is not on the scale {', '.join(scale.labels)}.",
                remedy="Correct the label, add it to the scale, or leave the rating out as invalid.",
            )
    return np.fromiter((codes[label] for label in labels), dtype=np.int64, count=len(labels))


def majority(counts: Floats) -> Ints:
    """(items,): the label most raters gave, −1 for a tie or no rating."""
    most = counts.max(axis=1, initial=0)
    settled = (most > 0) & ((counts == most[:, np.newaxis]).sum(axis=1) == 1)
    return np.where(settled, counts.argmax(axis=1), -1)


def mean_value(ratings: Floats, sums: Floats) -> Floats:
    """(items,): the mean of an item's ratings from their number and sum, nan without one."""
    mean: Floats = np.divide(sums, ratings, out=np.full(len(sums), np.nan), where=ratings > 0)
    return mean
