"""The possible labels of a criterion, their order and distances."""

from collections.abc import Iterable
from itertools import pairwise
from math import isfinite
from typing import Self

from pydantic import model_validator

from judge_server.agreement.array import Floats, floats
from judge_server.core.model import Frozen

MOST_STEPS = 11  # 0 to 10
MOST_LABELS = 32  # more are treated as measurements, without tables
NO, YES = {"false", "no", "n", "not met", "unmet", "0"}, {"true", "yes", "y", "met", "1"}


class LabelScale(Frozen):
    """``labels`` from worst to best with one number each; ``values`` is None if the labels have no order.

    Weighted coefficients use distances of ``values``, so an unused step still counts. ``positive`` is the positive
    label for false-positive rate and Youden's J.
    """

    labels: tuple[str, ...]
    values: tuple[float, ...] | None = None
    positive: str | None = None

    @model_validator(mode="after")
    def consistent(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels: each label must appear once")
        if self.values is not None and (
            len(self.values) != len(self.labels) or len(set(self.values)) != len(self.values)
        ):
            raise ValueError("values: one number for each label, all different")
        if self.positive is not None and self.positive not in self.labels:
            raise ValueError(f"positive: {self.positive!r} is not one of the labels {', '.join(self.labels)}")
        return self

    @classmethod
    def of(cls, labels: Iterable[object], positive: str | None = None) -> Self:
        """The scale inferred from these labels: numbers in their order, yes and no, any two names, or names without an
        order.
        """
        seen = sorted({written(label) for label in labels})
        numbers = [number(label) for label in seen]
        if seen and all(value is not None for value in numbers):
            known = {value: label for value, label in zip(numbers, seen, strict=True) if value is not None}
            values = tuple(sorted(known))
            ordered = tuple(known[value] for value in values)
            return cls(labels=ordered, values=values, positive=positive or (ordered[1] if len(ordered) == 2 else None))
        if len(seen) == 2:
            return cls.pair(seen, positive)
        return cls(labels=tuple(seen), positive=positive)

    @classmethod
    def ordered(cls, labels: Iterable[object], positive: str | None = None) -> Self:
        """A scale from worst to best: the labels' numbers if all have one and they rise, else their positions."""
        texts = tuple(written(label) for label in labels)
        numbers = [value for label in texts if (value := number(label)) is not None]
        rising = len(numbers) == len(texts) and all(low < high for low, high in pairwise(numbers))
        values = numbers if rising else range(len(texts))
        return cls(labels=texts, values=tuple(float(value) for value in values), positive=positive)

    @classmethod
    def between(cls, human: Iterable[object], judge: Iterable[object]) -> Self:
        """The scale of humans and judges together.

        A judge's own names join the humans'. A judge's whole numbers extend a whole-number scale as steps that no human
        used, unless they belong to another scale (0 to 100 against 1 to 5); other numbers stay scores off the scale.
        """
        people, others = {written(label) for label in human}, {written(label) for label in judge}
        known = [number(label) for label in people]
        if any(value is None for value in known):
            return cls.of(people | others)
        if not all(value is not None and value.is_integer() for value in known):
            return cls.of(people)
        whole = {label for label in others if (value := number(label)) is not None and value.is_integer()}
        together = cls.of(people | whole)
        return together if whole == others and together.size <= MOST_STEPS else cls.of(people)

    @classmethod
    def pair(cls, labels: list[str], positive: str | None) -> Self:
        """Two names: yes comes after no, a named positive after the other. Every coefficient is the same for 0, 1 in
        either order.
        """
        best = positive or next((label for label in labels if label.lower() in YES), None)
        if best is None and (no := next((label for label in labels if label.lower() in NO), None)) is not None:
            best = next(label for label in labels if label != no)
        ordered = sorted(labels, key=lambda label: label == best)
        return cls(labels=tuple(ordered), values=(0.0, 1.0), positive=best)

    @property
    def size(self) -> int:
        return len(self.labels)

    @property
    def has_tables(self) -> bool:
        """Whether there are few enough labels for confusion matrices and their coefficients."""
        return self.size <= MOST_LABELS

    @property
    def numbers(self) -> Floats:
        """One number per label; its position if labels are names, for metrics that do not depend on distance."""
        return floats(self.values if self.values is not None else range(self.size))

    @property
    def positive_code(self) -> int | None:
        return None if self.positive is None else self.labels.index(self.positive)


def written(label: object) -> str:
    """A label as text: 1 and 1.0 are the same step of a scale."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def number(label: str) -> float | None:
    try:
        value = float(label)
    except ValueError:
        return None
    return value if isfinite(value) else None
