"""Curves that map a judge's raw value to a calibrated probability.

They are fitted elsewhere and applied here without any library: a few multiplications per verdict. A set of maps belongs
to one judge (its fingerprint) and one rubric (its digest); its id is the digest of its content.
"""

import json
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from math import exp, log
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from judge_server.core.calibration import stale
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json

Share = Annotated[float, Field(ge=0, le=1)]
NEAREST = 1e-6  # raw values this close to 0 and 1 have no finite logit


def logit(probability: float) -> float:
    """ln(p / (1 − p)), with p kept at least ``NEAREST`` away from 0 and 1."""
    held = min(max(probability, NEAREST), 1 - NEAREST)
    return log(held / (1 - held))


class Platt(Frozen):
    """σ(slope · logit(raw) + intercept): Platt (1999), "Probabilistic outputs for support vector machines", on
    log-odds. A slope of 0 or less would invert the judge and is refused."""

    kind: Literal["platt"]
    slope: float = Field(gt=0)
    intercept: float

    def apply(self, raw: float) -> float:
        score = self.slope * logit(raw) + self.intercept
        if score >= 0:
            return 1 / (1 + exp(-score))
        grown = exp(score)
        return grown / (1 + grown)


class Isotonic(Frozen):
    """Piecewise linear between ``knots`` (raw, value), constant outside them: an isotonic regression (Zadrozny & Elkan
    2002, KDD)."""

    kind: Literal["isotonic"]
    knots: Annotated[tuple[tuple[Share, Share], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if any(later[0] <= earlier[0] or later[1] < earlier[1] for earlier, later in pairwise(self.knots)):
            raise ValueError("knots: raw values rise from one to the next, and values never fall")
        return self

    @cached_property
    def _raws(self) -> tuple[float, ...]:
        return tuple(raw for raw, _ in self.knots)

    def apply(self, raw: float) -> float:
        place = bisect_right(self._raws, raw)
        if place == 0 or place == len(self.knots):
            return self.knots[max(place - 1, 0)][1]
        (left, low), (right, high) = self.knots[place - 1], self.knots[place]
        return low + (high - low) * (raw - left) / (right - left)


Curve = Annotated[Platt | Isotonic, Field(discriminator="kind")]


class Threshold(Frozen):
    """Calling a criterion met from ``value`` up keeps the false-positive rate at or below ``target`` with
    ``confidence``, on ``negatives`` labels outside the fit. Rates were measured on those labels."""

    target: Share
    value: Share
    false_positive_rate: Share
    true_positive_rate: Share
    confidence: Share = 0.95
    negatives: int = Field(ge=1)


class Quality(Frozen):
    """Brier score and expected calibration error (10 bins), before and after, over labels outside the fit."""

    labels: int
    items: int
    clusters: int
    folds: int
    brier_before: float
    brier_after: float
    ece_before: float
    ece_after: float


class FittedMap(Frozen):
    """``pool``: the labels it was fitted on: ``criterion`` (its own), ``tag NAME`` or ``rubric``."""

    curve: Curve
    pool: str
    quality: Quality
    thresholds: tuple[Threshold, ...] = ()

    def apply(self, raw: float) -> float:
        """The fitted value of a raw one, both in [0, 1]."""
        return self.curve.apply(raw)

    def threshold(self) -> float | None:
        """The lowest value at which the criterion counts as met; None if no threshold was chosen."""
        return self.thresholds[0].value if self.thresholds else None


class MapSet(Frozen):
    """The maps of one judge under one rubric, by criterion; criteria without one stay raw. ``judge`` is its name, for
    people; ``labels`` the digest of the label set, ``items`` the items used for the fit. ``rules``: the version of the
    statistical rules."""

    form: Literal[1] = 1
    judge: str
    fingerprint: str
    rubric: RubricReference
    labels: str
    maps: Annotated[dict[str, FittedMap], Field(min_length=1)]
    items: tuple[str, ...] = ()
    rules: int = 1
    created_at: AwareDatetime

    @property
    def stale(self) -> str | None:
        """Why they are no longer applied; None if they are."""
        return stale(self.rules)

    @cached_property
    def id(self) -> str:
        """Digest of everything except the time: the same fit of the same labels is the same set."""
        return digest(self.model_dump(mode="json", exclude={"created_at"}, exclude_defaults=True))

    def to_json(self) -> str:
        """The content of a map file: the id and the maps."""
        return json.dumps({"id": self.id, **self.model_dump(mode="json")}, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def of_json(text: str) -> "MapSet":
        """Raises ValueError for anything that ``to_json`` did not write, including changed content."""
        try:
            content = read_json(text)
            named = content.pop("id")
            read = MapSet.model_validate(content)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        except (ValueError, AttributeError, KeyError, TypeError) as fault:
            raise ValueError(f"it is no set of fitted maps: {fault!r}") from None
        if read.id != named:
            raise ValueError("its id is not the digest of its content: it was changed after it was fitted")
        return read
