"""One criterion's humans and judges on the same items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.agreement.ratings import Ratings, majority, mean_value
from judge_server.agreement.scale import LabelScale, number, written
from judge_server.core.errors import BadInput

Role = Literal["human", "judge", "check"]


@dataclass(frozen=True, eq=False)
class RatingRows:
    """A long table, one row per rating: (ratings,) columns of indices into ``annotators`` and ``labels``.

    ``code`` below 0 is an abstention or an invalid answer: missing, never a label. ``cluster`` is the prompt (default:
    the item), ``group`` the unit within which per-item correlations are taken (default: the cluster). ``probability``
    is a judge's, of the positive label, nan if not given. ``roles`` has one entry per annotator.
    """

    item: Ints
    annotator: Ints
    code: Ints
    annotators: Sequence[str]
    roles: Sequence[Role]
    labels: Sequence[str]
    cluster: Ints | None = None
    probability: Floats | None = None
    group: Ints | None = None


@dataclass(frozen=True, eq=False)
class JudgeColumn:
    """A judge's outcome on each item, all of shape (items,).

    ``codes``: the label, −1 if it is missing or a score off the humans' scale. ``values``: the label's number, or the
    score itself; nan if missing. ``probabilities``: of the positive label, nan if not given.
    """

    codes: Ints
    values: Floats
    probabilities: Floats

    @property
    def is_score(self) -> bool:
        """Whether this judge gives numbers off the humans' scale."""
        return bool(np.isfinite(self.values).any() and (self.codes < 0).all())


@dataclass(frozen=True, eq=False)
class RatingPanel:
    """``cluster`` (the prompt) and ``group`` (the unit of per-item correlations, by default the prompt): (items,)."""

    humans: Ratings
    judges: Mapping[str, JudgeColumn]
    cluster: Ints
    group: Ints

    @classmethod
    def of(cls, rows: RatingRows, scale: LabelScale | None = None) -> Self:
        """``scale`` is the humans' (default: inferred from the labels); a judge may also give numbers off it.

        Raises ``BadInput`` for a human label off the scale, a rater who rated an item twice, an item in two clusters.
        """
        item = np.unique(rows.item, return_inverse=True)[1].astype(np.int64)
        texts = [written(label) for label in rows.labels]
        human = np.array([role == "human" for role in rows.roles], dtype=np.bool_)[rows.annotator]
        spoken = np.unique(rows.code[human & (rows.code >= 0)])
        if scale is None:
            judged = np.unique(rows.code[~human & (rows.code >= 0)])
            scale = LabelScale.between([texts[place] for place in spoken], [texts[place] for place in judged])
        codes, values = on_scale(texts, scale)
        if len(off := spoken[codes[spoken] < 0]):
            raise BadInput(
                f"label {texts[int(off[0])]!r} of a human is not on the scale {', '.join(scale.labels)}.",
                remedy="Correct the label, add it to the scale, or mark the rating as invalid.",
            )
        humans = people(rows, item, human & (rows.code >= 0), codes, scale)
        judges = {
            rows.annotators[place]: column(rows, item, rows.annotator == place, codes, values)
            for place in np.unique(rows.annotator[~human])
        }
        cluster = first_of(item, rows.item if rows.cluster is None else rows.cluster)
        return cls(humans, judges, cluster, cluster if rows.group is None else first_of(item, rows.group))

    @property
    def scale(self) -> LabelScale:
        return self.humans.scale

    def majority(self) -> Ints:
        """(items,): the humans' majority label, −1 for a tie or none."""
        return majority(self.humans.counts())

    def mean(self) -> Floats:
        """(items,): the mean of the humans' values."""
        return mean_value(*self.humans.totals())

    def restricted(self, units: Flags) -> Self:
        """The panel restricted to these items; they keep their numbers."""

        def cut(own: JudgeColumn) -> JudgeColumn:
            return JudgeColumn(
                np.where(units, own.codes, -1),
                np.where(units, own.values, np.nan),
                np.where(units, own.probabilities, np.nan),
            )

        judges = {name: cut(own) for name, own in self.judges.items()}
        return replace(self, humans=self.humans.only(units[self.humans.item]), judges=judges)

    def promoted(self, human: str) -> Self:
        """The panel with one human as a judge of the others, which measures the human ceiling by human."""
        codes = self.humans.codes(human)
        values = np.where(codes >= 0, self.scale.numbers[codes], np.nan)
        own = JudgeColumn(codes, values, np.full(len(codes), np.nan))
        return replace(self, humans=self.humans.without(human), judges={human: own})


def on_scale(texts: Sequence[str], scale: LabelScale) -> tuple[Ints, Floats]:
    """Each label's code on the scale (−1 off it) and its number (nan without one)."""
    place = {label: code for code, label in enumerate(scale.labels)}
    step = {number(label): code for label, code in place.items()}  # so that 3.0 is 3
    found = [place.get(text, step.get(number(text), -1) if number(text) is not None else -1) for text in texts]
    codes = np.array(found, dtype=np.int64)
    numbers = [scale.numbers[code] if code >= 0 else number(text) for text, code in zip(texts, found, strict=True)]
    return codes, np.array([np.nan if value is None else value for value in numbers], dtype=np.float64)


def people(rows: RatingRows, item: Ints, used: Flags, codes: Ints, scale: LabelScale) -> Ratings:
    places, person = np.unique(rows.annotator[used], return_inverse=True)
    names = tuple(rows.annotators[place] for place in places)
    items = int(item.max(initial=-1)) + 1
    return Ratings(item[used], person.astype(np.int64), codes[rows.code[used]], names, items, scale).checked()


def column(rows: RatingRows, item: Ints, mine: Flags, codes: Ints, values: Floats) -> JudgeColumn:
    """One judge's rows as (items,) columns; a judge that gives any score off the scale gives scores, not labels."""
    items, where = int(item.max(initial=-1)) + 1, item[mine]
    if len(np.unique(where)) < len(where):
        judge, twice = rows.annotators[int(rows.annotator[mine][0])], int(np.bincount(where).argmax())
        row = int(np.flatnonzero(mine & (item == twice))[1])
        raise BadInput(
            f"row {row}: {judge!r} judged this item before.", remedy="Keep one outcome for each judge and item."
        )
    own = JudgeColumn(np.full(items, -1, dtype=np.int64), np.full(items, np.nan), np.full(items, np.nan))
    given = rows.code[mine] >= 0
    own.values[where[given]] = values[rows.code[mine][given]]
    on = codes[rows.code[mine][given]]
    if not np.any((on < 0) & np.isfinite(own.values[where[given]])):
        own.codes[where[given]] = on
    if rows.probability is not None:
        own.probabilities[where] = rows.probability[mine]
    return own


def first_of(item: Ints, entries: Ints) -> Ints:
    """(items,): the entry of each item's first row. Raises ``BadInput`` if an item's rows differ."""
    entry = np.zeros(int(item.max(initial=-1)) + 1, dtype=np.int64)
    entry[item[::-1]] = entries[::-1]
    if len(strays := np.flatnonzero(entry[item] != entries)):
        raise BadInput(
            f"row {int(strays[0])}: this item was in another cluster before.",
            remedy="Give all ratings of an item the same cluster.",
        )
    return entry
